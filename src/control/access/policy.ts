/**
 * Policies in IAM's JSON form: what a principal may do, by action and resource. Whatever denies wins, and what nothing
 * allows is refused. A policy that says anything else than what is understood here is refused when it is set: half
 * understood, it would allow what its author thinks it forbids. Source: "IAM JSON policy elements reference".
 */
import { compileGlob, type Matches } from '#base/glob.ts';
import { accept, type Result, refuse } from '#base/result.ts';

export interface Policy {
  readonly statements: readonly Statement[];
}

interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly matchesAction: Matches;
  readonly matchesResource: Matches;
}

export type Verdict = 'allowed' | 'denied' | 'not allowed';

/** AWS: 6,144 characters for a managed policy, white space not counted; here all of it counts. */
export const policyCharactersMax = 6_144;
const versions = ['2012-10-17', '2008-10-17'];
const statementMembers = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource'];
const actionPattern = /^(\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+)$/;
const resourcePattern = /^(\*|arn:[!-~]{1,500})$/;

/** Reads a policy; refuses, with the member and what is allowed, what is not wholly understood. */
export function parsePolicy(text: string): Result<Policy, string> {
  if (text.length > policyCharactersMax) {
    return refuse(`the policy has ${text.length} characters; at most ${policyCharactersMax} are allowed`);
  }
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    return refuse(`the policy is no JSON: ${(error as Error).message}`);
  }
  if (!isObject(given)) return refuse('the policy is no JSON object');
  const unknown = Object.keys(given).find((name) => !['Version', 'Id', 'Statement'].includes(name));
  if (unknown !== undefined) return refuse(`the policy has ${unknown}; allowed: Version, Id, Statement`);
  if (!versions.includes(given.Version as string)) return refuse(`Version is not one of ${versions.join(', ')}`);
  const list = Array.isArray(given.Statement) ? given.Statement : [given.Statement];
  if (list.length === 0) return refuse('Statement is empty');
  const statements: Statement[] = [];
  for (const [index, each] of list.entries()) {
    const statement = parseStatement(each);
    if (!statement.ok) return refuse(`statement ${index + 1}: ${statement.fault}`);
    statements.push(statement.value);
  }
  return accept({ statements });
}

/** What the policy says of an action (`elasticloadbalancing:CreateRule`) on a resource (an ARN, or `*`). */
export function verdictOf({ statements }: Policy, action: string, resource: string): Verdict {
  const name = action.toLowerCase();
  const applying = statements.filter((each) => each.matchesAction(name) && each.matchesResource(resource));
  if (applying.some(({ effect }) => effect === 'Deny')) return 'denied';
  return applying.length > 0 ? 'allowed' : 'not allowed';
}

function parseStatement(given: unknown): Result<Statement, string> {
  if (!isObject(given)) return refuse('it is no JSON object');
  const unknown = Object.keys(given).find((name) => !statementMembers.includes(name));
  if (unknown !== undefined) return refuse(`it has ${unknown}; allowed: ${statementMembers.join(', ')}`);
  const { Effect: effect } = given;
  if (effect !== 'Allow' && effect !== 'Deny') return refuse('Effect is not one of Allow, Deny');
  const action = parseEither(given, 'Action', actionPattern, 'SERVICE:NAME with wildcards, or *', true);
  if (!action.ok) return action;
  const resource = parseEither(given, 'Resource', resourcePattern, 'an ARN with wildcards, or *', false);
  if (!resource.ok) return resource;
  return accept({ effect, matchesAction: action.value, matchesResource: resource.value });
}

/** `Action` or `NotAction`, and the same for resources: one text or several. */
function parseEither(
  given: Readonly<Record<string, unknown>>,
  member: 'Action' | 'Resource',
  pattern: RegExp,
  allowed: string,
  ignoresCase: boolean,
): Result<Matches, string> {
  const [plain, not] = [given[member], given[`Not${member}`]];
  if ((plain === undefined) === (not === undefined)) return refuse(`it needs either ${member} or Not${member}`);
  const value = plain ?? not;
  const texts = Array.isArray(value) ? value : [value];
  if (texts.length === 0) return refuse(`${member} is empty`);
  const wrong = texts.find((text) => typeof text !== 'string' || !pattern.test(text));
  if (wrong !== undefined) {
    return refuse(`${plain === undefined ? 'Not' : ''}${member} has ${JSON.stringify(wrong)}; allowed: ${allowed}`);
  }
  const globs = (texts as string[]).map((text) => compileGlob(ignoresCase ? text.toLowerCase() : text));
  const matches: Matches = (text) => globs.some((glob) => glob(text));
  return accept(plain === undefined ? (text) => !matches(text) : matches);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
