/** `ballast rekey`: a new key for the secrets that the journal holds. */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Asking, asking, noWish } from './asking.ts';
import { type Command, exitCodes } from './command.ts';
import { type FindFault, findFlags } from './find-ballast.ts';
import { askOperator } from './operator-client.ts';
import { printable, printableJson } from './printable.ts';
import { startProgress } from './progress.ts';
import { count, objectOf, optional, text } from './shape.ts';
import { sayEnvironment } from './status.ts';
import { counted } from './style.ts';

export const rekey: Command = {
  name: 'rekey',
  saysEnvironment: true,
  summary: 'make a new seal key, and seal every secret again with it',
  flags: [{ name: 'json', help: 'Print the answer as JSON' }, ...findFlags],
  notes: [
    'The key is the first line of seal.key in the data folder. Those below it open what history holds: keep them all,',
    'and copy the file to where its backup is. Clients notice nothing: their access keys stay the same.',
  ],
  examples: [{ line: 'ballast rekey', purpose: 'when the seal key may have been seen by someone' }],
  run: (context) => asking(rekey, context, noWish, makeKey),
};

interface Rekeyed {
  readonly keyId: string;
  /** How many secrets are sealed with the new key. */
  readonly resealed: number;
  /** Undefined when there were none. */
  readonly revision?: number;
}

const isRekeyed = objectOf<Rekeyed>({ keyId: text, resealed: count, revision: optional(count) });

async function makeKey(asked: Asking): Promise<Result<number, FindFault>> {
  const { context, found, ballast, style } = asked;
  const environment = await sayEnvironment(asked);
  if (!environment.ok) return environment;
  const progress = startProgress(context, 'sealing');
  const answer = await askOperator(ballast, { path: '/v1/rekey', body: {} });
  progress.end();
  if (!answer.ok) return answer;
  if (!isRekeyed(answer.value)) {
    const message = `${ballast.operatorEndpoint} answers with something that this version does not know`;
    return refuse({ kind: 'failed', message });
  }
  const { keyId, resealed, revision } = answer.value;
  if (found.has('json')) {
    context.output.write(`${printableJson(JSON.stringify(answer.value))}\n`);
    return accept(exitCodes.ok);
  }
  const asRevision = revision === undefined ? '' : ` as revision ${style.changed(`${revision}`)}`;
  context.output.write(
    `${style.good(`Sealed ${counted(resealed, 'secret')} with the new key ${printable(keyId)}`)}${asRevision}.\n` +
      'Back up seal.key in the data folder now: without it the secrets are lost.\n',
  );
  return accept(exitCodes.ok);
}
