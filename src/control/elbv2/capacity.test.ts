import assert from 'node:assert/strict';
import test from 'node:test';
import { memberChanges } from '#model/members.ts';
import { describeCapacityReservation } from './describe-capacity-reservation.ts';
import { modifyCapacityReservation } from './modify-capacity-reservation.ts';
import { setSubnets } from './set-subnets.ts';
import { idOf, TestRegion } from './test-region.ts';

const dayMs = 86_400_000;

function prepare() {
  const region = new TestRegion();
  const LoadBalancerArn = region.loadBalancer('web');
  region.accepted(setSubnets, { LoadBalancerArn, Subnets: ['subnet-a', 'subnet-b'] });
  const input = (CapacityUnits: number) => ({ LoadBalancerArn, MinimumLoadBalancerCapacity: { CapacityUnits } });
  const reserve = (units: number) => region.accepted(modifyCapacityReservation, input(units));
  const reset = () => region.accepted(modifyCapacityReservation, { LoadBalancerArn, ResetCapacityReservation: true });
  const describe = () => region.accepted(describeCapacityReservation, { LoadBalancerArn });
  const document = () => region.tables.get('load-balancer', idOf(LoadBalancerArn))!;
  return { region, LoadBalancerArn, input, reserve, reset, describe, document };
}

test('DescribeCapacityReservation: without a reservation there are no zones, and the list is there', () => {
  assert.deepEqual(prepare().describe(), { DecreaseRequestsRemaining: 2, CapacityReservationState: [] });
});

test('ModifyCapacityReservation: what is reserved is described, evenly over the zones, until it is reset', () => {
  const { region, reserve, reset, describe, document } = prepare();
  const before = document();
  const answer = reserve(101);
  assert.deepEqual(answer, {
    LastModifiedTime: new Date(region.nowMs),
    DecreaseRequestsRemaining: 2,
    MinimumLoadBalancerCapacity: { CapacityUnits: 101 },
    CapacityReservationState: ['eu-test-1a', 'eu-test-1b'].map((AvailabilityZone) => ({
      State: { Code: 'provisioned' },
      AvailabilityZone,
      EffectiveCapacityUnits: 50.5,
    })),
  });
  assert.deepEqual(describe(), answer);
  assert(memberChanges(before, document()).some(({ member, after }) => member.endsWith('.units') && after === 101));
  region.nowMs += 1;
  region.unchanged(() => reserve(101));
  reset();
  assert.deepEqual(describe(), {
    LastModifiedTime: new Date(region.nowMs),
    DecreaseRequestsRemaining: 2,
    CapacityReservationState: [],
  });
  region.unchanged(reset);
});

test('ModifyCapacityReservation: it is decreased twice in a day and no more, and increased at any time', () => {
  const { region, input, reserve, reset, describe } = prepare();
  reserve(1000);
  assert.equal(reserve(900).DecreaseRequestsRemaining, 1);
  region.nowMs += 1000;
  assert.equal(reserve(800).DecreaseRequestsRemaining, 0);
  region.refused(modifyCapacityReservation, input(700), 'CapacityDecreaseRequestLimitExceeded');
  reserve(2000);
  region.refused(modifyCapacityReservation, input(700), 'CapacityDecreaseRequestLimitExceeded');
  region.nowMs += dayMs - 1000;
  assert.equal(describe().DecreaseRequestsRemaining, 1);
  reserve(700);
  region.refused(modifyCapacityReservation, input(600), 'CapacityDecreaseRequestLimitExceeded');
  reset();
  assert.equal(describe().DecreaseRequestsRemaining, 0);
});

test('ModifyCapacityReservation: an amount out of range, or none, or two wishes at once, is refused', () => {
  const { region, LoadBalancerArn, input } = prepare();
  for (const units of [-1, 0, 99, 100.5]) region.refused(modifyCapacityReservation, input(units), 'ValidationError');
  region.refused(modifyCapacityReservation, input(15_001), 'CapacityUnitsLimitExceeded');
  for (const wrong of [
    {},
    { ResetCapacityReservation: false },
    { MinimumLoadBalancerCapacity: {} },
    { MinimumLoadBalancerCapacity: { CapacityUnits: 100 }, ResetCapacityReservation: true },
  ]) {
    region.refused(modifyCapacityReservation, { LoadBalancerArn, ...wrong }, 'ValidationError');
  }
  const missing = { LoadBalancerArn: LoadBalancerArn.replace(idOf(LoadBalancerArn), 'f'.repeat(16)) };
  region.refused(describeCapacityReservation, missing, 'LoadBalancerNotFound');
  region.refused(modifyCapacityReservation, { ...missing, ResetCapacityReservation: true }, 'LoadBalancerNotFound');
});
