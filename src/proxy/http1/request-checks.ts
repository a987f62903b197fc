/**
 * What a load balancer's attributes have to say about a request before it is sent on: it is refused, it is the last one
 * on its connections, or it loses fields.
 */
import type { LoadBalancerCounters } from '#proxy/counters.ts';
import type { RoutingRequestFields } from '#routing/table.ts';
import { judgeDesync } from './desync.ts';
import { field } from './field-names.ts';
import type { RequestHead } from './request-head.ts';

/** Drops what is to be dropped; says with which status the request is answered instead, if it is. */
export function checkRequest(
  head: RequestHead,
  bytes: Buffer,
  base: number,
  settings: RoutingRequestFields,
  counters: LoadBalancerCounters,
): 'passes' | 'ends' | 400 | 463 {
  const verdict = judgeDesync(head, bytes, base, settings, counters);
  if (verdict === 'refused') return 400;
  if (settings.forwardedFor === 'append' && namesTooManyClients(head, bytes, base)) return 463;
  if (settings.dropsInvalid && head.fields.hasUnusualName) dropInvalidFields(head, bytes, base);
  return verdict;
}

/** More addresses than these in X-Forwarded-For are answered with 463. */
const forwardedForMax = 30;

/** Whether X-Forwarded-For names more addresses than a load balancer takes ("HTTP 463"). */
function namesTooManyClients({ fields }: RequestHead, bytes: Buffer, base: number): boolean {
  let count = 0;
  for (let known = 0; known < fields.knownCount; known += 1) {
    const index = fields.known[known]!;
    if (fields.id(index) !== field.forwardedFor) continue;
    count += 1;
    for (let at = base + fields.valueStart(index); at < base + fields.valueEnd(index); at += 1) {
      if (bytes[at] === comma) count += 1;
    }
  }
  return count > forwardedForMax;
}

const comma = 44;

/** Drops every field whose name holds something else than letters, digits and hyphens. */
export function dropInvalidFields({ fields }: RequestHead, bytes: Buffer, base: number): void {
  for (let index = 0; index < fields.count; index += 1) {
    const name = bytes.toString('latin1', base + fields.lineStart(index), base + fields.nameEnd(index));
    if (!validName.test(name)) fields.drop(index);
  }
}

const validName = /^[A-Za-z0-9-]+$/;
