/** The plan of a recovery from the vault, for people and programs: what is put back, what is missing and needed. */

import { shellWords } from '#cli/shell-words.ts';
import { counted, formatCount } from '#cli/style.ts';
import { isoTime } from '#journal/history.ts';
import type { VaultBreak } from '#journal/vault-reader.ts';
import { paths } from './paths.ts';
import type { VaultPlan } from './recover-vault.ts';

/** The plan as JSON. Nothing in it is secret. */
export interface VaultPlanReport {
  readonly storeId: string;
  readonly environment: string;
  readonly region: string;
  readonly createdAt: string;
  /** The folder in the vault, and where the store is written. */
  readonly folder: string;
  readonly path: string;
  readonly segments: number;
  readonly sizeBytes: number;
  readonly transactions: number;
  readonly first: { readonly revision: number; readonly time: string };
  readonly last: { readonly revision: number; readonly time: string; readonly hash: string };
  /** Whether later transactions were left out because a moment was given. */
  readonly hasEnd: boolean;
  readonly broken: VaultBreak | undefined;
  readonly tornBytes: number;
  readonly owners: readonly { readonly account: string; readonly loadBalancers: number }[];
  /** What must be put there beside the store before the next start; undefined when nothing is missing. */
  readonly sealKeyFault: string | undefined;
  readonly ahead: readonly { readonly id: string; readonly revision: number; readonly by: number }[];
  /** Ids of followers of another store. */
  readonly strangers: readonly string[];
  readonly unreadable: readonly string[];
}

export function reportVaultPlan(plan: VaultPlan, data: string): VaultPlanReport {
  const { vaulted, first, last, owners, ahead, strangers, to } = plan;
  const { storeId, environment, region, createdAtMs } = vaulted.identity;
  return {
    storeId,
    environment,
    region,
    createdAt: isoTime(createdAtMs),
    folder: vaulted.folder,
    path: paths.journal(data),
    segments: vaulted.segments,
    sizeBytes: plan.sizeBytes,
    transactions: plan.transactions,
    first: { revision: first.revision, time: isoTime(first.timeMs) },
    last: { revision: last.revision, time: isoTime(last.timeMs), hash: last.hash },
    hasEnd: to !== undefined,
    broken: plan.broken,
    tornBytes: plan.tornBytes,
    owners: [...owners].map(([account, loadBalancers]) => ({ account, loadBalancers })),
    sealKeyFault: plan.sealKeyFault,
    ahead: ahead.map(({ id, revision }) => ({ id, revision, by: revision - last.revision })),
    strangers: strangers.map(({ id }) => id),
    unreadable: plan.unreadable,
  };
}

/** The lines in which a person reads the plan. */
export function describeVaultPlan(report: VaultPlanReport): string[] {
  const { storeId, region, environment, createdAt, folder, first, last, owners, segments, transactions } = report;
  return [
    `Store ${storeId}, region ${region}, environment ${environment}, made ${createdAt}.`,
    `Found in ${folder}: ${counted(segments, 'segment')}, of which ${formatCount(report.sizeBytes)} bytes were read.`,
    `Put back: ${counted(transactions, 'transaction')}, revision ${first.revision} (${first.time}) to ` +
      `${last.revision} (${last.time}).`,
    ...owners.map(({ account, loadBalancers }) => `  account ${account}: ${counted(loadBalancers, 'load balancer')}`),
    `Written to ${report.path}, with the same identity, revisions and hashes.`,
    ...describeMissing(report),
    ...describeFollowers(report),
    ...section(
      'Needed besides, before the next start:',
      report.sealKeyFault === undefined ? [] : [report.sealKeyFault],
    ),
  ];
}

function describeMissing({ broken, tornBytes, hasEnd, folder, last }: VaultPlanReport): string[] {
  const moveAside = `Ballast will not write to this copy, which goes further: mv ${shellWords([folder, `${folder}.aside`])}`;
  const lines: string[] = [];
  if (broken !== undefined) {
    lines.push(
      `revision ${broken.revision} and all after it: ${broken.segment}, frame ${broken.frame}: ${broken.why}`,
      moveAside,
    );
  } else if (hasEnd) {
    lines.push(`what came after revision ${last.revision}, which is left out as you asked`, moveAside);
  } else if (tornBytes > 0) {
    lines.push(
      `the last ${counted(tornBytes, 'byte')} of the vault: a write that was never finished, or a damaged end`,
    );
  }
  return section('Missing:', lines);
}

function describeFollowers({ ahead, strangers, unreadable, hasEnd, last }: VaultPlanReport): string[] {
  const rest = hasEnd
    ? [
        'They go on serving what they have, take nothing from the store, and are shown as diverged. To keep them in step,',
        'leave --to out, and afterwards go back with: ballast restore --at MOMENT',
      ]
    : [
        `These revisions keep their numbers as lost ones, without changes; revision ${(ahead[0]?.revision ?? 0) + 1} holds what the nodes know,`,
        'so nothing that they serve is taken back. What was deleted in them, as far as no node shows it, comes back.',
      ];
  return [
    ...section(
      `Have seen more than revision ${last.revision}:`,
      ahead.length === 0
        ? []
        : [...ahead.map(({ id, revision, by }) => `${id} is at revision ${revision}, ${by} ahead`), ...rest],
    ),
    ...section('Follow another store, and will take nothing from this one:', strangers),
    ...section('Left out:', unreadable),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}
