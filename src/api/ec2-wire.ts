/**
 * EC2's dialect of the query protocol: lists are numbered without a word between (`SubnetId.1`), answers have no result
 * element, and errors a form of their own.
 *
 * https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
 */
import { queryWire } from './query-wire.ts';
import type { ApiDefinition } from './shapes.ts';
import type { Wire } from './wire.ts';
import { encodeEc2Answer, encodeEc2Error } from './xml.ts';

export function ec2Wire(api: ApiDefinition): Wire {
  return {
    ...queryWire(new Map([[api.version, api]]), 'ec2'),
    answer: ({ operation }, output, requestId) => encodeEc2Answer(api, operation, output, requestId),
    refuse: (refused, requestId) => encodeEc2Error(refused, requestId),
  };
}
