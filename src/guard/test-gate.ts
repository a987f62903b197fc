/** A guard for tests of what lies around it, in the place that test stores are in. */

import type { Place } from '#model/approval.ts';
import type { Cause, Change } from '#model/change.ts';
import type { Verdict, VerdictMoment } from '#model/verdict.ts';
import type { View } from '#model/view.ts';
import { Gate, type GateOptions } from './gate.ts';

export const testPlace: Place = { environment: 'test', region: 'us-east-1', storeId: 'store-1' };

let idsCount = 0;

export function testGate(options: Partial<GateOptions> = {}): Gate {
  return new Gate({
    place: testPlace,
    newId,
    protection: () => undefined,
    hasProtected: () => false,
    isOff: false,
    ...options,
  });
}

export function testGuard(
  options: Partial<GateOptions> = {},
): (view: View, changes: readonly Change[], cause: Cause, moment: VerdictMoment) => Verdict {
  const gate = testGate(options);
  return (...judged) => gate.judge(...judged);
}

function newId(): string {
  idsCount += 1;
  return idsCount.toString(16).padStart(16, '0');
}
