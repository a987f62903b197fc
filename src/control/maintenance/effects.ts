/** Folding history and sealing secrets anew, as processes that are requested and approved like any other. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { Rekeyed } from '#control/rekey.ts';
import type { Retention } from '#control/retention.ts';
import type { Journal } from '#journal/journal.ts';
import { sealedTexts } from '#model/sealed.ts';
import type { EffectProcess } from './maintenance.ts';
import { wholeNumber } from './process.ts';

export function foldHistory(retention: Retention): EffectProcess {
  const fold = async (days: number, isDryRun: boolean, by?: string): Promise<Result<readonly string[], string>> => {
    const lines = await retention.fold({ olderThanDays: days, dryRun: isDryRun, ...(by !== undefined && { by }) });
    if (!lines.ok) return refuse(lines.fault.error);
    const said: string[] = [];
    for await (const line of lines.value) {
      if (line === undefined) continue;
      if (line.type === 'error') return refuse(line.error);
      if (line.type !== 'fold') continue;
      const { from, to, firstDay, lastDay, changes } = line;
      said.push(`revisions ${from} to ${to}, of ${firstDay} to ${lastDay}: ${changes} changes are folded away`);
    }
    return accept(said);
  };
  return {
    name: 'fold-history',
    summary: 'fold changes of registrations long ago to one a day',
    parameters: { 'older-than-days': { help: 'Days that ended at least so many days ago', check: wholeNumber } },
    plan: async (parameters) => {
      const said = await fold(Number(parameters['older-than-days']), true);
      return said.ok ? said : refuse({ status: 409, error: said.fault });
    },
    run: async (parameters, by) => {
      const said = await fold(Number(parameters['older-than-days']), false, by);
      return said.ok
        ? accept([...new Set(said.value), 'undo it with: ballast retention --undo REV'])
        : refuse({ status: 409, error: said.fault });
    },
  };
}

export function rekeySecrets(journal: Journal, rekey: (by: string) => Promise<Result<Rekeyed, string>>): EffectProcess {
  return {
    name: 'rekey',
    summary: 'make a new seal key, and seal every secret again with it',
    parameters: {},
    plan: async () => {
      const texts = [...sealedTexts(journal.view)].map(({ kind, id }) => `the secret of ${kind} ${id} is sealed anew`);
      return accept(texts.length === 0 ? ['a new key is made; there is no secret to seal'] : texts);
    },
    run: async (_, by) => {
      const done = await rekey(by);
      if (!done.ok) return refuse({ status: 409, error: done.fault });
      const { resealed, keyId } = done.value;
      return accept([`${resealed} secrets are sealed with the new key ${keyId}: back up seal.key now`]);
    },
  };
}
