/** `ballast operators`: the people who approve, and their keys. */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Asking, asking } from '#cli/asking.ts';
import { type Command, type CommandContext, exitCodes } from '#cli/command.ts';
import { type FindFault, findFlags } from '#cli/find-ballast.ts';
import { type FoundFlags, listOf, textOf } from '#cli/flags.ts';
import { keyPath, makeOperatorKey, readOperatorKey } from '#cli/operator-key.ts';
import { printable } from '#cli/printable.ts';
import { listOf as lists, objectOf, oneOf, text } from '#cli/shape.ts';
import { sayEnvironment } from '#cli/status.ts';
import { alignColumns } from '#cli/style.ts';
import { carryOutWish, readAllLines, showLines, type Wish } from '#cli/wish.ts';
import type { OperatorEntry } from '#model/approvals.ts';

export const operators: Command = {
  name: 'operators',
  saysEnvironment: true,
  summary: 'list, admit and revoke the people who approve',
  arguments: [
    { name: 'list|key|create|revoke', isOptional: true, help: 'What to do; list when it is left out' },
    { name: 'NAME', isOptional: true, help: 'An operator' },
  ],
  flags: [
    { name: 'public-key', argument: 'KEY', help: 'With create: the key of somebody on another machine' },
    {
      name: 'rights',
      argument: 'LIST',
      help: "With create: approve (held changes, maintenance), govern (limits, operators); both when it isn't given",
    },
    { name: 'key-file', argument: 'FILE', help: 'With key: where to write it [default ~/.config/ballast/NAME.key]' },
    { name: 'json', help: 'Print what the operator API answers' },
    ...findFlags,
  ],
  notes: [
    'An operator is a person with a key of their own, which never leaves their machine: what they ask for or approve is',
    'signed with it. The first comes in alone, the second with the word of the first; from then on whoever comes or goes',
    'needs the word of another. Keep three, so that two are left when one must go at once.',
  ],
  examples: [
    { line: 'ballast operators key eve', purpose: 'on her own machine: makes her key, prints its public half' },
    { line: 'ballast operators create eve --public-key MCow…', purpose: 'admits her' },
    { line: 'ballast operators revoke eve --as pat', purpose: 'her key signs nothing more, her approvals fall' },
  ],
  run: (context) => {
    if (context.args[0] === 'key') return makeKey(context);
    return asking(operators, context, (found) => readWish(found, context), carryOut);
  },
};

const isOperator = objectOf<OperatorEntry>({
  type: oneOf('operator'),
  name: text,
  publicKey: text,
  rights: lists(text),
  createdAt: text,
});
const isRevoked = objectOf<{ name: string }>({ name: text });

/** Talks to no Ballast: the key is the person's own. */
async function makeKey(context: CommandContext): Promise<number> {
  let printed = '';
  const noBallast = { ...context, args: context.args.slice(1) };
  const [name, ...rest] = noBallast.args;
  const at = rest[0] === '--key-file' ? rest[1] : undefined;
  if (name === undefined || name.startsWith('-') || (rest.length > 0 && (at === undefined || rest.length > 2))) {
    context.errors.write('ballast: operators: key takes a NAME, and --key-file FILE\n');
    return exitCodes.usage;
  }
  const path = at ?? keyPath(name, context.homeFolder);
  const made = makeOperatorKey(name, path, context);
  if (!made.ok) {
    context.errors.write(`ballast: ${made.fault}\n`);
    return exitCodes.failed;
  }
  printed += `The key of ${printable(name)} is in ${path}; keep it to yourself. Its public half, for whoever admits you:\n\n`;
  printed += `  ballast operators create ${printable(name)} --public-key ${made.value.publicKey}\n`;
  context.output.write(printed);
  return exitCodes.ok;
}

function readWish(found: FoundFlags, context: CommandContext): Result<Wish | undefined, string> {
  const [action, name] = [textOf(found, 'list|key|create|revoke'), textOf(found, 'NAME')];
  const publicKey = textOf(found, 'public-key');
  if (found.has('key-file')) return refuse('--key-file goes with key');
  if ((publicKey !== undefined || found.has('rights')) && action !== 'create') {
    return refuse('--public-key and --rights go with create');
  }
  if (action === undefined || action === 'list') return accept(undefined);
  if (action !== 'create' && action !== 'revoke')
    return refuse(`found '${action}'; allowed: list, key, create, revoke`);
  if (name === undefined) return refuse(`${action} needs a NAME`);
  if (action === 'revoke') {
    return accept({
      request: { path: '/v1/operators/revoke', body: { name } },
      say: ({ style }, answer) =>
        isRevoked(answer)
          ? `${style.good(`Revoked ${printable(answer.name)}`)}: what they approved counts no more.\n`
          : undefined,
    });
  }
  const own = publicKey === undefined ? readOperatorKey(name, keyPath(name, context.homeFolder), context) : undefined;
  if (own?.ok === false) return own;
  const rights = listOf(found, 'rights');
  const body = { name, publicKey: publicKey ?? own!.value.publicKey, ...(rights.length > 0 && { rights }) };
  return accept({
    request: { path: '/v1/operators', body },
    say: ({ style }, answer) =>
      isOperator(answer)
        ? `${style.good(`Admitted ${printable(answer.name)}`)}, who may ${answer.rights.join(' and ')}.\n`
        : undefined,
  });
}

async function carryOut(asked: Asking, wish: Wish | undefined): Promise<Result<number, FindFault>> {
  if (wish !== undefined) return carryOutWish(asked, wish);
  const environment = await sayEnvironment(asked);
  if (!environment.ok) return environment;
  const { style } = asked;
  const lines = await readAllLines(asked, { path: '/v1/operators' }, isOperator);
  if (!lines.ok) return lines;
  return showLines(asked, lines.value, (entries) => {
    if (entries.length === 0) return "There are none: nobody can approve anything. See 'ballast help operators'.\n";
    const head = ['OPERATOR', 'RIGHTS', 'SINCE', 'PUBLIC KEY'].map((title) => style.faint(title));
    const rows = entries.map(({ name, rights, createdAt, publicKey }) => [
      name,
      rights.join(', '),
      createdAt.slice(0, 10),
      publicKey,
    ]);
    return `${alignColumns([head, ...rows])}\n`;
  });
}
