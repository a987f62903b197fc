/**
 * Finds the rule for a request: the first of which all conditions hold. Most rules name a host, or the first segment of
 * a path; these are found by what they name, and where many are left, by what else they ask for (`CandidateIndex`): of
 * a hundred rules only the few are tried that can apply at all. What is worked out for a name is worked out when a
 * request first has it.
 */
import type { RequestFacts } from '#routing/request.ts';
import type { RoutingRule, RuleCondition } from '#routing/table.ts';
import { compileTransforms, type Transform } from '#routing/transform.ts';
import { CandidateIndex, type Tried } from './candidate-index.ts';
import { compileCondition } from './condition.ts';

export interface Matched {
  readonly rule: RoutingRule;
  readonly transform: Transform | undefined;
  /** How many rules stand up to this one, itself included; the default rule is not counted. */
  readonly evaluations: number;
}

interface Candidate extends Matched, Tried {
  /** The only hosts that it applies to; undefined when it may apply to any. */
  readonly hosts: ReadonlySet<string> | undefined;
  /** The only first segments of paths that it applies to. */
  readonly segments: ReadonlySet<string> | undefined;
  /** What is left to be looked at once host and segment fit; `holds` looks at it. */
  readonly conditions: readonly RuleCondition[];
}

/** The candidates for one host, and of these the ones for each first segment that any of them names. */
interface HostRules {
  readonly candidates: readonly Candidate[];
  readonly segments: Map<string, CandidateIndex<Candidate> | undefined>;
  readonly others: CandidateIndex<Candidate>;
}

export class RuleMatcher {
  readonly #candidates: readonly Candidate[];
  /** Every host that a rule names. */
  readonly #hosts = new Map<string, HostRules | undefined>();
  #otherHosts: HostRules | undefined;

  /** The last of the rules is the default one, without conditions. */
  constructor(rules: readonly RoutingRule[]) {
    this.#candidates = rules.map(candidateOf);
    for (const { hosts } of this.#candidates) for (const host of hosts ?? []) this.#hosts.set(host, undefined);
  }

  find(request: RequestFacts): Matched {
    const candidates = this.#candidates;
    if (candidates.length === 1) return candidates[0]!;
    const { segments, others, candidates: ofHost } = this.#rulesOf(this.#hosts.size === 0 ? '' : request.host);
    let applying = others;
    if (segments.size > 0) {
      const segment = firstSegment(request.path);
      if (segment !== undefined && segments.has(segment)) {
        applying =
          segments.get(segment) ??
          remember(segments, segment, new CandidateIndex(ofHost.filter((each) => applies(each.segments, segment))));
      }
    }
    return applying.find(request) ?? candidates.at(-1)!;
  }

  #rulesOf(host: string): HostRules {
    if (!this.#hosts.has(host)) {
      this.#otherHosts ??= hostRules(this.#candidates.filter(({ hosts }) => hosts === undefined));
      return this.#otherHosts;
    }
    return (
      this.#hosts.get(host) ??
      remember(this.#hosts, host, hostRules(this.#candidates.filter(({ hosts }) => applies(hosts, host))))
    );
  }
}

function remember<Value>(map: Map<string, Value | undefined>, key: string, value: Value): Value {
  map.set(key, value);
  return value;
}

function applies(names: ReadonlySet<string> | undefined, name: string): boolean {
  return names === undefined || names.has(name);
}

function hostRules(candidates: readonly Candidate[]): HostRules {
  const segments = new Map<string, undefined>();
  for (const candidate of candidates) for (const segment of candidate.segments ?? []) segments.set(segment, undefined);
  const others = new CandidateIndex(candidates.filter((candidate) => candidate.segments === undefined));
  return { candidates, segments, others };
}

function candidateOf(rule: RoutingRule, order: number, { length }: readonly RoutingRule[]): Candidate {
  const hosts = namesOf(rule, 'host-header', (value) => (/[*?]/.test(value) ? undefined : value.toLowerCase()));
  const segments = namesOf(rule, 'path-pattern', segmentOfPattern);
  const conditions = rule.conditions.filter(({ field }) => field !== 'host-header' || hosts === undefined);
  const compiled = conditions.map(compileCondition);
  const holds = (request: RequestFacts) => compiled.every((each) => each(request));
  const evaluations = Math.min(order + 1, length - 1);
  const transform = compileTransforms(rule.transforms);
  return { rule, order, evaluations, transform, hosts, segments, conditions, holds };
}

/** What the values of a condition name; undefined when one of them may be anything. */
function namesOf(
  { conditions }: RoutingRule,
  field: RuleCondition['field'],
  nameOf: (value: string) => string | undefined,
): ReadonlySet<string> | undefined {
  const condition = conditions.find((each) => each.field === field) as
    | Extract<RuleCondition, { field: 'host-header' | 'path-pattern' }>
    | undefined;
  if (condition === undefined || condition.regexes.length > 0) return undefined;
  const names = condition.values.map(nameOf);
  return names.some((name) => name === undefined) ? undefined : new Set(names as string[]);
}

/** `img` of `/img/*` and `/img`; undefined of `/img*`, which may begin any longer segment. */
function segmentOfPattern(pattern: string): string | undefined {
  const wildcard = pattern.search(/[*?]/);
  const literal = wildcard === -1 ? pattern : pattern.slice(0, wildcard);
  const isWhole = wildcard === -1 || literal.indexOf('/', 1) !== -1;
  return isWhole ? firstSegment(literal) : undefined;
}

function firstSegment(path: string): string | undefined {
  if (path.charCodeAt(0) !== 47) return undefined;
  const end = path.indexOf('/', 1);
  return end === -1 ? path.slice(1) : path.slice(1, end);
}
