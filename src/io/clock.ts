/** Time as a port: everything that needs it is handed a `Clock`, so tests and simulations can hand in their own. */

export interface Clock {
  /** Milliseconds since 1970-01-01 UTC; may step when the machine's clock is set. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start; never steps, so timeouts are measured with it. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
