import assert from 'node:assert/strict';
import test from 'node:test';
import { deregisterTargets } from '#control/elbv2/deregister-targets.ts';
import { registerTargets } from '#control/elbv2/register-targets.ts';
import { TestRegion } from '#control/elbv2/test-region.ts';
import { drained, removeDrained } from './draining.ts';

test('removeDrained: a target goes when its delay has passed, and not before; one registered again stays', () => {
  const region = new TestRegion();
  const TargetGroupArn = region.targetGroup('group');
  region.listener(region.loadBalancer('web'), TargetGroupArn);
  const call = (operation: typeof registerTargets, ...Targets: { Id: string }[]) =>
    region.accepted(operation, { TargetGroupArn, Targets });
  const [a, b, c] = [{ Id: '127.0.0.1' }, { Id: '127.0.0.2' }, { Id: '127.0.0.3' }];
  call(registerTargets, a, b, c);
  call(deregisterTargets, a, b);
  region.nowMs += 299_999;
  region.unchanged(() => region.apply(removeDrained(region.tables, region.nowMs)));
  call(registerTargets, b);
  call(deregisterTargets, c);
  region.nowMs += 1;
  assert.equal([...drained(region.tables, region.nowMs)].length, 1);
  region.apply(removeDrained(region.tables, region.nowMs));
  const left = [...region.tables.all('target')].map(({ document }) => `${document.address} ${document.state.kind}`);
  assert.deepEqual(left, ['127.0.0.2 registered', '127.0.0.3 draining']);
});
