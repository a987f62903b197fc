/** `ballast describe`: a resource as the AWS API described it at any moment. */
import { accept, type Result } from '#base/result.ts';
import { type Asking, asking, noWish } from '#cli/asking.ts';
import { type Command, exitCodes } from '#cli/command.ts';
import { type FindFault, findFlags } from '#cli/find-ballast.ts';
import { textOf } from '#cli/flags.ts';
import { askOperator } from '#cli/operator-client.ts';
import { printableJson } from '#cli/printable.ts';
import { momentNote } from './stream.ts';

export const describe: Command = {
  name: 'describe',
  summary: 'show a resource as it is or was, in the form of the AWS API',
  arguments: [{ name: 'ARN', help: 'Of a load balancer, listener, rule or target group, deleted or not' }],
  flags: [{ name: 'at', argument: 'MOMENT', help: 'As it was then [default now]' }, ...findFlags],
  notes: [momentNote, "The answer is JSON, as 'aws elbv2 describe-…' prints it."],
  examples: [
    { line: 'ballast describe ARN --at 2h', purpose: 'as it was two hours ago' },
    { line: 'ballast describe ARN --at 41', purpose: 'as it was after transaction 41, before 42' },
  ],
  run: (context) => asking(describe, context, noWish, showDescription),
};

async function showDescription({ context, found, ballast }: Asking): Promise<Result<number, FindFault>> {
  const at = textOf(found, 'at');
  const query: [string, string][] = [['resource', textOf(found, 'ARN')!]];
  if (at !== undefined) query.push(['at', at]);
  const answer = await askOperator(ballast, { path: '/v1/describe', query });
  if (!answer.ok) return answer;
  context.output.write(`${printableJson(JSON.stringify(answer.value, null, 2))}\n`);
  return accept(exitCodes.ok);
}
