/** One API call as the front desk hands it to the decisions, and what comes back. */
import type { Result } from '#base/result.ts';
import type { Fault } from '#model/fault.ts';
import type { Moment } from '#model/moment.ts';

/** Each API by its version: Elastic Load Balancing v2 and Classic, then ACM, IAM, STS, EC2 and CloudWatch. */
export type ApiVersion =
  | '2015-12-01'
  | '2012-06-01'
  | '2015-12-08'
  | '2010-05-08'
  | '2011-06-15'
  | '2016-11-15'
  | '2010-08-01';

export interface ApiCall {
  readonly version: ApiVersion;
  readonly action: string;
  /** Decoded by the operation's schema: required members are there and every value has its type. */
  readonly input: unknown;
  /** `ACCOUNT/NAME` */
  readonly principal: string;
  readonly account: string;
  readonly requestId: string;
  /** Asks for the state as it was then; only of what reads. */
  readonly at?: Moment;
}

export interface ApiAnswer {
  readonly output: unknown;
  /** The revision that was asked, when it was one of the past. */
  readonly revision?: number;
}

/** Answers once everything that the answer says is durable. Rejects only for a bug. */
export type Execute = (call: ApiCall) => Promise<Result<ApiAnswer, Fault>>;
