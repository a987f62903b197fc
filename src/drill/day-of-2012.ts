/**
 * The day that is replayed, as data: the service event of Amazon's Elastic Load Balancing in US-East on 24 December
 * 2012. From Amazon's statement of that week (https://aws.amazon.com/message/680587/) and the press of the time;
 * nothing here is ours, and what was never published is not here.
 */

export type EventOf2012 =
  | {
      /** After the deletion. */
      readonly atMs: number;
      readonly event: string;
      /** The time is among the least well attested. */
      readonly isDoubtful: boolean;
    }
  | {
      /** What was told without a time; it belongs between its neighbours. */
      readonly during: string;
      readonly event: string;
    };

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const at = (hours: number, minutes: number, event: string): EventOf2012 => ({
  atMs: hours * hourMs + minutes * minuteMs,
  event,
  isDoubtful: false,
});

const about = (hours: number, minutes: number, event: string): EventOf2012 => ({
  atMs: hours * hourMs + minutes * minuteMs,
  event,
  isDoubtful: true,
});

export const dayOf2012 = {
  /** 12:24 PM Pacific Standard Time. */
  happenedAt: '2012-12-24T12:24:00-08:00',
  /** Of the running load balancers of the region, at the worst. */
  impairedShare: 0.068,
  /** Until it was found what was wrong: that something was, showed earlier. Among the least well attested times. */
  noticedAfterMs: 4 * hourMs + 38 * minuteMs,
  /** Until the service was declared normal. */
  mendedAfterMs: 23 * hourMs + 41 * minuteMs,
  /** Of the service whose viewers were down on Christmas Eve: of its hundreds of load balancers a handful failed. */
  streamingSubscribers: 30_000_000,
  timeline: [
    at(0, 0, 'a maintenance process, run by mistake, deletes part of the state data; nobody notices'),
    { during: 'next hours', event: 'calls to manage existing load balancers fail, and nobody knows why' },
    {
      during: 'next hours',
      event: 'each load balancer that is scaled or edited is built from missing state, and breaks',
    },
    about(4, 38, 'the cause is found; scaling and other workflows are disabled by hand'),
    { during: 'peak', event: '6.8 % of the running load balancers are impaired, the others cannot be changed' },
    { during: 'night', event: 'a first way to restore takes hours and gives no usable snapshot' },
    at(14, 21, 'a second way restores a snapshot from just before the deletion'),
    at(17, 16, 'the snapshot is merged with all changes made since, and verified'),
    about(19, 51, 'most APIs and workflows are enabled again, slowly'),
    at(22, 6, 'almost all affected load balancers are restored'),
    at(23, 41, 'declared normal'),
  ] satisfies readonly EventOf2012[] as readonly EventOf2012[],
} as const;
