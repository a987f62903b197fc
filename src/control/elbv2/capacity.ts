/**
 * Reserved capacity: kept, bounded as at AWS, and described as provisioned. Nodes do not scale by it yet.
 * Source: ModifyCapacityReservation in the ELB API reference; "Capacity reservations" in the guide.
 */
import type { DescribeCapacityReservationOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import type { CapacityReservation, LoadBalancerDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { quotas } from './quotas.ts';

const dayMs = 86_400_000;
const unitsMin = 100;
const none: CapacityReservation = { units: 0, modifiedAtMs: 0, decreasedAtMs: [] };

/** The reservation as the API answers it, the same amount for each zone. */
export function encodeCapacity(document: LoadBalancerDocument, nowMs: number): DescribeCapacityReservationOutput {
  const { capacityReservation: reservation = none, zones } = document;
  const { units, modifiedAtMs } = reservation;
  const decreasesRemaining = quotas.capacityDecreasesPerDay - recentDecreases(reservation, nowMs).length;
  return {
    ...(reservation !== none && { LastModifiedTime: new Date(modifiedAtMs) }),
    DecreaseRequestsRemaining: Math.max(0, decreasesRemaining),
    ...(units > 0 && { MinimumLoadBalancerCapacity: { CapacityUnits: units } }),
    CapacityReservationState: (units > 0 ? zones : []).map(({ zone }) => ({
      State: { Code: 'provisioned' },
      AvailabilityZone: zone,
      EffectiveCapacityUnits: units / zones.length,
    })),
  };
}

/** The load balancer with so many units reserved; what it has already changes nothing. */
export function reserveCapacity(
  document: LoadBalancerDocument,
  units: number,
  { nowMs, limits }: Pick<OperationContext, 'nowMs' | 'limits'>,
): Result<LoadBalancerDocument, Fault> {
  const present = document.capacityReservation ?? none;
  const unitsMax = limits['capacity-units-per-load-balancer'];
  if (!Number.isInteger(units) || units < unitsMin) {
    return refuse(fault('ValidationError', `CapacityUnits '${units}' must be at least '${unitsMin}'`));
  }
  if (units > unitsMax) {
    const message = `CapacityUnits '${units}' is above the limit of ${unitsMax}`;
    return refuse(fault('CapacityUnitsLimitExceeded', message));
  }
  if (units === present.units) return accept(document);
  const decreases = recentDecreases(present, nowMs);
  if (units > present.units)
    return accept(withReservation(document, { units, modifiedAtMs: nowMs, decreasedAtMs: decreases }));
  if (decreases.length >= quotas.capacityDecreasesPerDay) {
    const message = `Reserved capacity can be decreased ${quotas.capacityDecreasesPerDay} times in 24 hours, and was`;
    return refuse(fault('CapacityDecreaseRequestLimitExceeded', message));
  }
  return accept(withReservation(document, { units, modifiedAtMs: nowMs, decreasedAtMs: [...decreases, nowMs] }));
}

/** The load balancer without a reservation; that is no decrease, so it can always be had. */
export function resetCapacity(document: LoadBalancerDocument, nowMs: number): LoadBalancerDocument {
  const present = document.capacityReservation ?? none;
  if (present.units === 0) return document;
  const decreasedAtMs = recentDecreases(present, nowMs);
  return withReservation(document, { units: 0, modifiedAtMs: nowMs, decreasedAtMs });
}

function withReservation(
  document: LoadBalancerDocument,
  capacityReservation: CapacityReservation,
): LoadBalancerDocument {
  return { ...document, capacityReservation };
}

function recentDecreases({ decreasedAtMs }: CapacityReservation, nowMs: number): readonly number[] {
  return decreasedAtMs.filter((atMs) => atMs > nowMs - dayMs);
}
