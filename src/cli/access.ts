/** `ballast accounts` and `ballast keys`: who may call the AWS API. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { MadeKey, PrincipalEntry } from '#model/principals.ts';
import { type Asking, asking } from './asking.ts';
import { type Command, type CommandContext, exitCodes } from './command.ts';
import { type FindFault, findFlags } from './find-ballast.ts';
import { type FoundFlags, textOf } from './flags.ts';
import { streamFromOperator } from './operator-client.ts';
import { printable, printableJson } from './printable.ts';
import { count, listOf, objectOf, oneOf, optional, text } from './shape.ts';
import { sayEnvironment } from './status.ts';
import { alignColumns, counted } from './style.ts';
import { carryOutWish, type Wish } from './wish.ts';

const jsonFlag = { name: 'json', help: 'Print what the operator API answers' } as const;

export const accounts: Command = {
  name: 'accounts',
  saysEnvironment: true,
  summary: 'list, create and delete the principals that may call the AWS API',
  arguments: [
    { name: 'create|policy|delete', isOptional: true, help: 'What to do; without, everybody is listed' },
    { name: 'ACCOUNT/NAME', isOptional: true, help: 'A principal: an account of twelve digits, and a name' },
  ],
  flags: [
    {
      name: 'set',
      argument: 'FILE',
      help: 'With policy: what the principal may do, as a policy in the JSON form of IAM',
    },
    { name: 'remove', help: 'With policy: it may do everything in its account again' },
    { name: 'with-keys', help: 'With delete: revoke its access keys, too' },
    jsonFlag,
    ...findFlags,
  ],
  notes: [
    'An account is there with its first principal. Each principal may do everything in its own account, or what its',
    'policy allows there, and nothing in others. Secrets are never listed.',
  ],
  examples: [
    { line: 'ballast accounts', purpose: 'everybody, with the ids of their access keys' },
    { line: 'ballast accounts create 111111111111/deployer', purpose: 'a principal of another tenant' },
    { line: 'ballast accounts policy 111111111111/deployer --set policy.json', purpose: 'what it may do' },
    { line: 'ballast accounts policy 111111111111/deployer', purpose: 'shows it' },
    { line: 'ballast accounts delete 111111111111/deployer --with-keys', purpose: 'and nobody signs with its keys' },
  ],
  run: (context) => asking(accounts, context, (found) => readAccounts(found, context), carryOut),
};

export const keys: Command = {
  name: 'keys',
  saysEnvironment: true,
  summary: 'create and revoke access keys',
  arguments: [
    { name: 'create|revoke', help: 'What to do' },
    { name: 'NAME', help: 'With create a principal, ACCOUNT/NAME; with revoke the id of an access key' },
  ],
  flags: [jsonFlag, ...findFlags],
  notes: [
    'The secret is shown once, in the form of an AWS credentials file. A principal has at most three keys: to rotate one,',
    'create another, give it to its clients, and revoke the old one. A revoked key signs nothing from then on.',
  ],
  examples: [
    { line: 'ballast keys create 111111111111/deployer', purpose: 'a key, shown once' },
    { line: 'ballast keys revoke BALLAST0A1B2C3D4E5F6', purpose: 'nobody signs with it any more' },
  ],
  run: (context) => asking(keys, context, readKeys, carryOut),
};

/** Everybody, or the policy of one. */
interface Listing {
  readonly principal: string | undefined;
}

const isPrincipal = objectOf<PrincipalEntry>({
  type: oneOf('principal'),
  principal: text,
  createdAt: text,
  policy: optional(text),
  keys: listOf(objectOf<PrincipalEntry['keys'][number]>({ accessKeyId: text, createdAt: text })),
});
const isMadeKey = objectOf<MadeKey>({ principal: text, accessKeyId: text, secretAccessKey: text });
const isDeleted = objectOf<{ principal: string; keysRevoked: number }>({ principal: text, keysRevoked: count });
const isSet = objectOf<{ principal: string; policy?: string }>({ principal: text, policy: optional(text) });
const isRevoked = objectOf<{ accessKeyId: string; principal: string; keysLeft: number }>({
  accessKeyId: text,
  principal: text,
  keysLeft: count,
});

function readAccounts(found: FoundFlags, { readFile }: CommandContext): Result<Wish | Listing, string> {
  const [action, principal] = [textOf(found, 'create|policy|delete'), textOf(found, 'ACCOUNT/NAME')];
  if (found.has('with-keys') && action !== 'delete') return refuse('--with-keys goes with delete');
  if ((found.has('set') || found.has('remove')) && action !== 'policy')
    return refuse('--set and --remove go with policy');
  if (action === undefined) return accept({ principal: undefined });
  if (!['create', 'policy', 'delete'].includes(action)) {
    return refuse(`found '${action}'; allowed: create, policy, delete`);
  }
  if (principal === undefined) return refuse(`${action} needs a principal, ACCOUNT/NAME`);
  if (action === 'create') {
    return accept({
      request: { path: '/v1/principals', body: { principal } },
      say: ({ style }, answer) =>
        isPrincipal(answer)
          ? `${style.good(`Created ${printable(answer.principal)}`)}. It can sign once it has a key: ballast keys create ${printable(answer.principal)}\n`
          : undefined,
    });
  }
  if (action === 'policy') {
    const file = textOf(found, 'set');
    if (file !== undefined && found.has('remove')) return refuse('--set and --remove exclude each other');
    if (file === undefined && !found.has('remove')) return accept({ principal });
    const policy = file === undefined ? accept(undefined) : readFile(file);
    if (!policy.ok) return policy;
    if (file !== undefined && policy.value === undefined) return refuse(`--set: there is no ${file}`);
    const body = { principal, ...(policy.value !== undefined && { policy: policy.value }) };
    return accept({
      request: { path: '/v1/principals/policy', body },
      say: ({ style }, answer) =>
        isSet(answer)
          ? `${style.good(answer.policy === undefined ? 'Removed the policy' : 'Set the policy')} of ${printable(answer.principal)}.\n`
          : undefined,
    });
  }
  return accept({
    request: { path: '/v1/principals/delete', body: { principal, ...(found.has('with-keys') && { withKeys: true }) } },
    say: ({ style }, answer) =>
      isDeleted(answer)
        ? `${style.good(`Deleted ${printable(answer.principal)}`)}, and revoked ${counted(answer.keysRevoked, 'access key')}.\n`
        : undefined,
  });
}

function readKeys(found: FoundFlags): Result<Wish, string> {
  const [action, name] = [textOf(found, 'create|revoke')!, textOf(found, 'NAME')!];
  if (action === 'create') {
    return accept({ request: { path: '/v1/keys', body: { principal: name } }, say: sayKey });
  }
  if (action !== 'revoke') return refuse(`found '${action}'; allowed: create, revoke`);
  return accept({
    request: { path: '/v1/keys/revoke', body: { accessKeyId: name } },
    say: ({ style }, answer) =>
      isRevoked(answer)
        ? `${style.good(`Revoked ${printable(answer.accessKeyId)}`)}. ${printable(answer.principal)} has ${counted(answer.keysLeft, 'access key')} left.\n`
        : undefined,
  });
}

function sayKey({ style }: Asking, answer: unknown): string | undefined {
  if (!isMadeKey(answer)) return undefined;
  const { principal, accessKeyId, secretAccessKey } = answer;
  return (
    `${style.faint(`# ${printable(principal)}. The secret is shown this once.`)}\n[default]\n` +
    `aws_access_key_id = ${printable(accessKeyId)}\naws_secret_access_key = ${printable(secretAccessKey)}\n`
  );
}

async function carryOut(asked: Asking, wish: Wish | Listing): Promise<Result<number, FindFault>> {
  return 'request' in wish ? carryOutWish(asked, wish) : list(asked, wish);
}

async function list(asked: Asking, { principal }: Listing): Promise<Result<number, FindFault>> {
  const environment = await sayEnvironment(asked);
  if (!environment.ok) return environment;
  const {
    context: { output },
    found,
    ballast,
    style,
  } = asked;
  const entries: PrincipalEntry[] = [];
  const request = { path: '/v1/principals' };
  const answer = await streamFromOperator(ballast, request, {
    read: (value) => (isPrincipal(value) ? value : undefined),
    take: async (lines) => {
      for (const { text: raw, line } of lines) {
        if (principal === undefined || line.principal === principal) entries.push(JSON.parse(raw) as PrincipalEntry);
      }
      return true;
    },
  });
  if (!answer.ok) return answer;
  if (found.has('json')) {
    for (const entry of entries) output.write(`${printableJson(JSON.stringify(entry))}\n`);
  } else if (principal === undefined) {
    const head = ['PRINCIPAL', 'CREATED', 'POLICY', 'ACCESS KEY', 'CREATED'].map((title) => style.faint(title));
    output.write(`${alignColumns([head, ...entries.flatMap(rowsOf)])}\n`);
  } else {
    const [entry] = entries;
    if (entry === undefined) return refuse({ kind: 'failed', message: `there is no principal ${principal}` });
    output.write(
      entry.policy === undefined
        ? 'It has no policy: it may do everything in its account.\n'
        : `${printableJson(JSON.stringify(JSON.parse(entry.policy), null, 2))}\n`,
    );
  }
  return accept(exitCodes.ok);
}

function rowsOf({ principal, createdAt, policy, keys: own }: PrincipalEntry): string[][] {
  const [first, ...others] = own.map(({ accessKeyId, createdAt: made }) => [accessKeyId, made.slice(0, 10)]);
  const rights = policy === undefined ? 'everything' : 'own';
  return [
    [printable(principal), createdAt.slice(0, 10), rights, ...(first ?? ['none', ''])],
    ...others.map((key) => ['', '', '', ...key]),
  ];
}
