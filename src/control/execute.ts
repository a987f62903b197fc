/** One API call as the front desk hands it to the decisions, and what comes back. */
import type { Result } from '#base/result.ts';
import type { Fault } from '#model/fault.ts';

export type ApiVersion = '2015-12-01' | '2012-06-01';

export interface ApiCall {
  readonly version: ApiVersion;
  readonly action: string;
  /** Decoded by the operation's schema: required members are there and every value has its type. */
  readonly input: unknown;
  /** `ACCOUNT/NAME` */
  readonly principal: string;
  readonly account: string;
  readonly requestId: string;
}

/** Answers once everything that the answer says is durable. Rejects only for a bug. */
export type Execute = (call: ApiCall) => Promise<Result<unknown, Fault>>;
