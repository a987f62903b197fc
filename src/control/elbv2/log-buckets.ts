/**
 * Whether the buckets that logs are to go to take them: a test file is written to each before logs are turned on, as an
 * Application Load Balancer does, so that a bucket that nobody can write to is refused and not found out later.
 */

import { accept, type Result, refuse } from '#base/result.ts';
import type { Gathered } from '#control/operation.ts';
import type { World } from '#control/world.ts';
import { parseArn } from '#model/arn.ts';
import { type Fault, fault } from '#model/fault.ts';
import { logAttributes, logKinds, testObjectKey } from '#model/log-place.ts';
import type { AttributeInput } from './attributes.ts';

/** Refuses when a bucket that is named for logs, and not only to turn them off, cannot be written to. */
export async function gatherLogBuckets(
  loadBalancerArn: string | undefined,
  attributes: readonly AttributeInput[],
  world: World,
): Promise<Result<Gathered, Fault>> {
  const account = parseArn(loadBalancerArn ?? '')?.account;
  // What is wrong with the rest of the call is said by the decision.
  if (account === undefined) return accept({});
  const given = new Map(attributes.map(({ Key, Value }) => [Key, Value]));
  for (const kind of logKinds) {
    const { enabled, bucket, prefix } = logAttributes[kind];
    const name = given.get(bucket) ?? '';
    if (name === '' || given.get(enabled) === 'false') continue;
    const key = testObjectKey(kind, given.get(prefix) ?? '', account);
    const written = await world.writeObject({ bucket: name, key }, testFile);
    if (written.ok) continue;
    const message = `Access Denied for bucket: ${name.slice(0, 64)}. Please check S3bucket permission: ${written.fault}`;
    return refuse(fault('InvalidConfigurationRequest', message));
  }
  return accept({});
}

const testFile = Buffer.from('Load balancer logs can be written here.\n');
