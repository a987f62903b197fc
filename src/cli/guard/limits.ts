/** `ballast limits`: how much harm is usual. */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Asking, asking } from '#cli/asking.ts';
import type { Command } from '#cli/command.ts';
import { type FindFault, findFlags } from '#cli/find-ballast.ts';
import { type FoundFlags, textOf } from '#cli/flags.ts';
import { printable } from '#cli/printable.ts';
import { count, objectOf, oneOf, text, truth } from '#cli/shape.ts';
import { sayEnvironment } from '#cli/status.ts';
import { alignColumns } from '#cli/style.ts';
import { carryOutWish, readAllLines, showLines, type Wish } from '#cli/wish.ts';
import type { LimitEntry } from '#model/approvals.ts';

export const limits: Command = {
  name: 'limits',
  saysEnvironment: true,
  summary: 'show and change how much harm goes through without a second person',
  arguments: [
    { name: 'list|set|reset', isOptional: true, help: 'What to do; list when it is left out' },
    { name: 'ID', isOptional: true, help: 'api, api/ACCOUNT, restore, region or node' },
  ],
  flags: [
    { name: 'percent', argument: 'N', help: 'With set: harm is over the limit when it is more than N % of all …' },
    { name: 'count', argument: 'N', help: '… and at least N load balancers …' },
    { name: 'window', argument: 'SECONDS', help: '… within so many seconds [default 600]' },
    { name: 'json', help: 'Print what the operator API answers' },
    ...findFlags,
  ],
  notes: [
    'api: what one principal does through the AWS API, of all accounts or of one; restore: what an operator takes back;',
    'region: what all of them do together; node: what one node takes. Workflows may never harm, and maintenance needs a',
    'grant, whatever the limits. A change of a limit waits for the approval of another operator.',
  ],
  examples: [
    { line: 'ballast limits', purpose: 'what holds' },
    {
      line: 'ballast limits set api/111111111111 --percent 50 --count 100 --as eve',
      purpose: 'a tenant that changes much',
    },
    { line: 'ballast limits reset node --as eve', purpose: 'back to the default' },
  ],
  run: (context) => asking(limits, context, readWish, carryOut),
};

const isLimit = objectOf<LimitEntry>({
  type: oneOf('limit'),
  id: text,
  percentMax: count,
  countMin: count,
  windowSeconds: count,
  isDefault: truth,
});

const what: Readonly<Record<string, string>> = {
  api: 'one principal through the AWS API',
  restore: 'an operator who takes back',
  region: 'all of them together',
  node: 'one node, at its brake',
};

function readWish(found: FoundFlags): Result<Wish | undefined, string> {
  const [action, id] = [textOf(found, 'list|set|reset'), textOf(found, 'ID')];
  const [percent, atLeast, window = '600'] = ['percent', 'count', 'window'].map((name) => textOf(found, name));
  if (action === undefined || action === 'list') return accept(undefined);
  if (action !== 'set' && action !== 'reset') return refuse(`found '${action}'; allowed: list, set, reset`);
  if (id === undefined) return refuse(`${action} needs an ID: api, api/ACCOUNT, restore, region or node`);
  const say: Wish['say'] = ({ style }, answer) =>
    isLimit(answer) ? `${style.good(`Limit ${printable(answer.id)}`)} is ${sentence(answer)}.\n` : undefined;
  if (action === 'reset') return accept({ request: { path: '/v1/limits/reset', body: { id } }, say });
  if (percent === undefined || atLeast === undefined) return refuse('set needs --percent and --count');
  const wrong = [percent, atLeast, window].find((each) => !/^\d{1,9}$/.test(each));
  if (wrong !== undefined) return refuse(`found '${wrong}'; allowed: whole numbers`);
  const body = { id, percentMax: Number(percent), countMin: Number(atLeast), windowSeconds: Number(window) };
  return accept({ request: { path: '/v1/limits', body }, say });
}

function sentence({ percentMax, countMin, windowSeconds }: LimitEntry): string {
  return `more than ${percentMax} %, and at least ${countMin}, within ${windowSeconds} s`;
}

async function carryOut(asked: Asking, wish: Wish | undefined): Promise<Result<number, FindFault>> {
  if (wish !== undefined) return carryOutWish(asked, wish);
  const environment = await sayEnvironment(asked);
  if (!environment.ok) return environment;
  const lines = await readAllLines(asked, { path: '/v1/limits' }, isLimit);
  if (!lines.ok) return lines;
  const { style } = asked;
  return showLines(asked, lines.value, (all) => {
    const head = ['LIMIT', 'FOR', 'HELD WHEN IT HARMS', ''].map((title) => style.faint(title));
    const rows = all.map((each) => [
      each.id,
      what[each.id] ?? 'a principal of that account',
      sentence(each),
      each.isDefault ? 'default' : style.changed('set'),
    ]);
    return `${alignColumns([head, ...rows])}\n`;
  });
}
