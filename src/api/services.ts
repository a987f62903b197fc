/**
 * The services behind the one endpoint, by the name that stands in a signature's scope: Elastic Load Balancing, and as
 * much of its neighbours as its clients need. Their schemas are large, so each neighbour's is read when it is first
 * asked.
 */

import { ec2Wire } from './ec2-wire.ts';
import { jsonWire } from './json-wire.ts';
import { monitoringWires } from './monitoring-wires.ts';
import { queryWire } from './query-wire.ts';
import { apis, defineApi } from './shapes.ts';
import type { DeskRequest, Wire } from './wire.ts';

export interface Service {
  /** Global services are signed for this region wherever they are asked. */
  readonly globalRegion?: string;
  readonly wire: (request: Pick<DeskRequest, 'headers'>) => Wire | Promise<Wire>;
}

export const mainService = 'elasticloadbalancing';
export const mainWire: Wire = queryWire(apis);

const monitoring = once(async () =>
  monitoringWires(defineApi('2010-08-01', await import('@aws-sdk/client-cloudwatch'))),
);

export const services: ReadonlyMap<string, Service> = new Map<string, Service>([
  [mainService, { wire: () => mainWire }],
  [
    'acm',
    {
      wire: once(async () =>
        jsonWire(defineApi('2015-12-08', await import('@aws-sdk/client-acm')), 'CertificateManager'),
      ),
    },
  ],
  [
    'iam',
    {
      globalRegion: 'us-east-1',
      wire: once(async () =>
        queryWire(new Map([['2010-05-08', defineApi('2010-05-08', await import('@aws-sdk/client-iam'))]])),
      ),
    },
  ],
  [
    'sts',
    {
      globalRegion: 'us-east-1',
      wire: once(async () =>
        queryWire(new Map([['2011-06-15', defineApi('2011-06-15', await import('@aws-sdk/client-sts'))]])),
      ),
    },
  ],
  ['ec2', { wire: once(async () => ec2Wire(defineApi('2016-11-15', await import('@aws-sdk/client-ec2')))) }],
  ['monitoring', { wire: async (request) => (await monitoring())(request) }],
]);

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
