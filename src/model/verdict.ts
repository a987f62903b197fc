/** What the guard says of one transaction before it is written. */
import type { Cause, Change } from './change.ts';
import type { Fault } from './fault.ts';

export type Verdict =
  | {
      readonly kind: 'admit';
      /** How many load balancers stop serving through it. */
      readonly harmed: number;
      /** The cause with what the guard has to add to it. */
      readonly cause?: Cause;
      /** What is to be written with it. */
      readonly also?: readonly Change[];
      /** Called when it was not written after all. */
      readonly undo?: () => void;
    }
  | { readonly kind: 'refuse'; readonly fault: Fault }
  /** The answer is the fault, once it is written that the changes wait. */
  | { readonly kind: 'hold'; readonly fault: Fault; readonly cause: Cause; readonly changes: readonly Change[] };

/** The revision that the transaction would have, and its time. */
export interface VerdictMoment {
  readonly revision: number;
  readonly timeMs: number;
}
