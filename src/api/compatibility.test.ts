/** The page about compatibility, held to what the server does: every operation of every schema is really called. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import * as acm from '@aws-sdk/client-acm';
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import * as ec2 from '@aws-sdk/client-ec2';
import * as classic from '@aws-sdk/client-elastic-load-balancing';
import * as elbv2 from '@aws-sdk/client-elastic-load-balancing-v2';
import * as iam from '@aws-sdk/client-iam';
import * as sts from '@aws-sdk/client-sts';
import { testSettings } from '#control/elbv2/test-region.ts';
import { defineApi, type Shape } from './shapes.ts';
import { accessKeyId, secretAccessKey } from './test-api.ts';
import { startRegionApi } from './test-region-api.ts';

const page = readFileSync(new URL('../../docs/aws-compatibility.md', import.meta.url), 'utf8');

/** The part of the page under a heading. */
function section(heading: RegExp): string {
  const parts = page.split(/^## /m);
  return parts.find((part) => heading.test(part)) ?? assert.fail(`there is a section ${heading}`);
}

const states = (text: string) =>
  new Map(
    [...text.matchAll(/^\| (\w+) \| (works|stored only|refused) \|$/gm)].map(([, name, state]) => [name!, state!]),
  );

/** The operations that a row of the table of neighbours names. */
function neighbour(name: string): ReadonlySet<string> {
  const row = new RegExp(`^\\| ${name}, [\\d-]+ \\| (.*) \\|$`, 'm').exec(section(/^Neighbours/));
  return new Set(row![1]!.split(', '));
}

type Sdk = Record<string, new (input: unknown) => { send(command: object): Promise<unknown>; destroy(): void }>;

const services = [
  {
    sdk: elbv2,
    client: 'ElasticLoadBalancingV2Client',
    version: '2015-12-01',
    said: states(section(/^Elastic Load Balancing v2/)),
  },
  {
    sdk: classic,
    client: 'ElasticLoadBalancingClient',
    version: '2012-06-01',
    said: states(section(/^Elastic Load Balancing Classic/)),
  },
  { sdk: acm, client: 'ACMClient', version: '2015-12-08', works: neighbour('ACM') },
  { sdk: iam, client: 'IAMClient', version: '2010-05-08', works: neighbour('IAM') },
  { sdk: sts, client: 'STSClient', version: '2011-06-15', works: neighbour('STS') },
  { sdk: ec2, client: 'EC2Client', version: '2016-11-15', works: neighbour('EC2') },
  { sdk: cloudwatch, client: 'CloudWatchClient', version: '2010-08-01', works: neighbour('CloudWatch') },
] as const;

for (const service of services) {
  const { sdk, client: clientName, version } = service;
  test(`compatibility ${version}: the page names every operation, and the server does with each what it says`, async (context) => {
    const { operations } = defineApi(version, sdk);
    const { url, region } = await startRegionApi(context);
    const client = new (sdk as unknown as Sdk)[clientName]!({
      endpoint: url,
      region: version === '2010-05-08' ? 'us-east-1' : testSettings.region,
      credentials: { accessKeyId, secretAccessKey },
      maxAttempts: 1,
    });
    context.after(() => client.destroy());
    // What has a table is named whole, both ways; of the others the page names what works.
    if ('said' in service) assert.deepEqual([...service.said.keys()].sort(), [...operations.keys()].sort());
    else for (const name of service.works) assert(operations.has(name), `${name} is in the schema`);
    const works = (name: string) =>
      'said' in service ? service.said.get(name) !== 'refused' : service.works.has(name);
    const before = region.journal.view.revision;
    // All of a large API would take long, and those that are not offered take the same way out.
    const called = [...operations.values()].filter(
      ({ name }, index) => works(name) || index % 20 === 0 || operations.size < 60,
    );
    for (const { name, input } of called) {
      const command = new (sdk as unknown as Record<string, new (input: unknown) => object>)[`${name}Command`]!(
        least(input),
      );
      const code = await client.send(command).then(
        () => 'OK',
        (error: Error) => error.name,
      );
      // Clients send the few that need no principal without a signature; of those none is offered.
      const isOffered = !['InvalidAction', 'UnknownOperationException', 'MissingAuthenticationToken'].includes(code);
      assert.equal(isOffered, works(name), `${name} answers ${code}`);
      assert.notEqual(code, 'InternalFailure', name);
    }
    assert(called.length >= 3 || operations.size < 20);
    // With values that name nothing, nothing was changed.
    assert.equal(region.journal.view.revision, before);
  });
}

/** The least that the schema demands, with values that name nothing. */
function least(shape: Shape): unknown {
  switch (shape.kind) {
    case 'structure':
      return Object.fromEntries(
        shape.members.filter(({ isRequired }) => isRequired).map(({ name, shape: member }) => [name, least(member())]),
      );
    case 'list':
      return [least(shape.member())];
    case 'map':
      return {};
    case 'text':
      return '!';
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'timestamp':
      return new Date(0);
    case 'blob':
      return Buffer.from('!');
  }
}
