/** The processes that come with Ballast and change the state. */
import { remove } from '#model/change.ts';
import { isEmpty } from '#model/view.ts';
import { type MaintenanceProcess, wholeNumber } from './process.ts';

const dayMs = 86_400_000;

const purgeUnusedTargetGroups: MaintenanceProcess = {
  name: 'purge-unused-target-groups',
  summary: 'remove target groups that no rule uses, with the targets in them',
  parameters: {
    'older-than-days': { help: 'Only those made at least so many days ago', default: '30', check: wholeNumber },
  },
  plan: (view, { parameters, nowMs }) => {
    const madeBeforeMs = nowMs - Number(parameters['older-than-days']) * dayMs;
    return [...view.all('target-group')]
      .filter(
        ({ id, document }) => document.createdAtMs <= madeBeforeMs && isEmpty(view.find('rulesUsingTargetGroup', id)),
      )
      .map(({ id }) => [
        ...[...view.find('targetsOfTargetGroup', id)].map((target) => remove(view, 'target', target.id)),
        remove(view, 'target-group', id),
      ]);
  },
};

const releaseAddresses: MaintenanceProcess = {
  name: 'release-addresses',
  summary: 'give back addresses that no node could bring into service, where others serve',
  parameters: {},
  plan: (view) =>
    [...view.all('placement')]
      .filter(({ document }) => {
        const others = [...view.find('placementsOfLoadBalancer', document.loadBalancerId)];
        return document.state.kind === 'failed' && others.some((other) => other.document.state.kind === 'serving');
      })
      .map(({ id }) => [remove(view, 'placement', id)]),
};

export const builtInProcesses: readonly MaintenanceProcess[] = [purgeUnusedTargetGroups, releaseAddresses];
