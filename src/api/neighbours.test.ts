/** The neighbours on the same endpoint, each through its own official client. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import {
  ACMClient,
  DeleteCertificateCommand,
  DescribeCertificateCommand,
  ImportCertificateCommand,
  ListCertificatesCommand,
  RequestCertificateCommand,
} from '@aws-sdk/client-acm';
import {
  DescribeAccountAttributesCommand,
  DescribeAvailabilityZonesCommand,
  DescribeInstancesCommand,
  DescribeInternetGatewaysCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  type DescribeSubnetsCommandInput,
  DescribeVpcsCommand,
  EC2Client,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import {
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { GetServerCertificateCommand, IAMClient, UploadServerCertificateCommand } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { accept } from '#base/result.ts';
import { testSettings } from '#control/elbv2/test-region.ts';
import { parseInventory } from '#control/inventory.ts';
import { makeCertificate } from '#control/test-certificates.ts';
import { admitNode } from '#control/workflows/placement.ts';
import { noWorld, type World } from '#control/world.ts';
import { Ec2Endpoint } from '#io/ec2-endpoint.ts';
import { accessKeyId, secretAccessKey } from './test-api.ts';
import { startRegionApi } from './test-region-api.ts';

const inventory = parseInventory(
  JSON.stringify({
    complete: true,
    vpcs: [
      { id: 'vpc-1', cidr: '10.1.0.0/16' },
      { id: 'vpc-2', cidr: '10.2.0.0/16' },
    ],
    subnets: [
      { id: 'subnet-1', zone: 'eu-test-1a', vpc: 'vpc-1', cidr: '10.1.1.0/24' },
      { id: 'subnet-2', zone: 'eu-test-1b', vpc: 'vpc-1', cidr: '10.1.2.0/24' },
      { id: 'subnet-3', zone: 'eu-test-1c', vpc: 'vpc-2' },
    ],
    securityGroups: [
      { id: 'sg-1', name: 'web', vpc: 'vpc-1', ingress: [{ fromPort: 80, cidrs: ['10.0.0.0/8', '2001:db8::/32'] }] },
      { id: 'sg-2', vpc: 'vpc-2' },
    ],
    instances: [
      { id: 'i-00000001', address: '127.1.0.1', subnet: 'subnet-1', tags: { role: 'web' } },
      { id: 'i-00000002', address: '127.1.0.2', subnet: 'subnet-2', state: 'stopped' },
    ],
  }),
  testSettings.zones,
);
assert(inventory.ok, inventory.ok ? '' : inventory.fault);
const { network } = inventory.value;
const world: World = { ...noWorld, known: network, network: async () => accept(network) };

async function start(context: TestContext, of: World = world) {
  const { url, region } = await startRegionApi(context, of);
  const settings = {
    endpoint: url,
    region: testSettings.region,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  };
  const clients = {
    acm: new ACMClient(settings),
    ec2: new EC2Client(settings),
    elb: new ElasticLoadBalancingV2Client(settings),
    // A global service: its client signs for the first region, whatever it is given.
    iam: new IAMClient({ ...settings, region: 'us-east-1' }),
    sts: new STSClient(settings),
  };
  context.after(() => {
    for (const client of Object.values(clients)) client.destroy();
  });
  return { ...clients, url, region };
}

test('neighbours: ACM, IAM and STS answer their own clients, with their own errors', async (context) => {
  const { acm, iam, sts } = await start(context);
  const { certificate, privateKey } = makeCertificate({ name: 'web.test' });
  const bytes = { Certificate: Buffer.from(certificate), PrivateKey: Buffer.from(privateKey) };
  const { CertificateArn } = await acm.send(new ImportCertificateCommand(bytes));
  const { Certificate } = await acm.send(new DescribeCertificateCommand({ CertificateArn }));
  assert.equal(Certificate!.DomainName, 'web.test');
  assert(Certificate!.NotAfter instanceof Date);
  assert.equal((await acm.send(new ListCertificatesCommand({}))).CertificateSummaryList!.length, 1);
  await acm.send(new DeleteCertificateCommand({ CertificateArn }));
  const missing = acm.send(new DescribeCertificateCommand({ CertificateArn }));
  await assert.rejects(missing, { name: 'ResourceNotFoundException' });
  const request = acm.send(new RequestCertificateCommand({ DomainName: 'web.test' }));
  await assert.rejects(request, { name: 'InvalidAction' });
  const wrong = acm.send(new ImportCertificateCommand({ ...bytes, PrivateKey: Buffer.from('no key') }));
  await assert.rejects(wrong, { name: 'ValidationException', message: /private key/ });

  const upload = { ServerCertificateName: 'web', CertificateBody: certificate, PrivateKey: privateKey };
  await iam.send(new UploadServerCertificateCommand(upload));
  const got = await iam.send(new GetServerCertificateCommand({ ServerCertificateName: 'web' }));
  assert.equal(got.ServerCertificate!.CertificateBody, certificate);
  const other = iam.send(new GetServerCertificateCommand({ ServerCertificateName: 'other' }));
  await assert.rejects(other, { name: 'NoSuchEntityException' });

  const identity = await sts.send(new GetCallerIdentityCommand({}));
  assert.deepEqual([identity.Account, identity.Arn], ['000000000001', 'arn:aws:iam::000000000001:user/admin']);
});

test('neighbours: EC2 describes the inventory, by ids and filters and in pages', async (context) => {
  const { ec2 } = await start(context);
  const filter = (Name: string, ...Values: string[]) => ({ Filters: [{ Name, Values }] });
  const subnets = async (input: DescribeSubnetsCommandInput) =>
    (await ec2.send(new DescribeSubnetsCommand(input))).Subnets!.map(({ SubnetId }) => SubnetId);
  assert.deepEqual(await subnets({}), ['subnet-1', 'subnet-2', 'subnet-3']);
  assert.deepEqual(await subnets({ SubnetIds: ['subnet-2'] }), ['subnet-2']);
  assert.deepEqual(await subnets(filter('vpc-id', 'vpc-1', 'vpc-9')), ['subnet-1', 'subnet-2']);
  assert.deepEqual(await subnets(filter('availability-zone', '*1c')), ['subnet-3']);
  assert.deepEqual(await subnets(filter('tag:none', 'x')), []);
  const page = await ec2.send(new DescribeSubnetsCommand({ MaxResults: 2 }));
  assert.deepEqual(await subnets({ NextToken: page.NextToken }), ['subnet-3']);
  const missing = ec2.send(new DescribeSubnetsCommand({ SubnetIds: ['subnet-9'] }));
  await assert.rejects(missing, { name: 'InvalidSubnetID.NotFound', message: /'subnet-9' does not exist/ });
  const strange = ec2.send(new DescribeSubnetsCommand(filter('colour', 'red')));
  await assert.rejects(strange, { name: 'InvalidParameterValue', message: /'colour' is invalid; allowed: subnet-id/ });

  const { Vpcs } = await ec2.send(new DescribeVpcsCommand({ VpcIds: ['vpc-2'] }));
  assert.deepEqual([Vpcs![0]!.CidrBlock, Vpcs![0]!.IsDefault], ['10.2.0.0/16', false]);
  const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({ GroupNames: ['web'] }));
  assert.deepEqual(SecurityGroups![0]!.IpPermissions![0]!.IpRanges, [{ CidrIp: '10.0.0.0/8' }]);
  assert.deepEqual(SecurityGroups![0]!.IpPermissions![0]!.Ipv6Ranges, [{ CidrIpv6: '2001:db8::/32' }]);
  const { Reservations } = await ec2.send(new DescribeInstancesCommand(filter('tag:role', 'web')));
  const [instance] = Reservations![0]!.Instances!;
  assert.deepEqual(
    [instance!.InstanceId, instance!.PrivateIpAddress, instance!.State],
    ['i-00000001', '127.1.0.1', { Name: 'running', Code: 16 }],
  );
  const { AvailabilityZones } = await ec2.send(new DescribeAvailabilityZonesCommand({}));
  assert.deepEqual(
    AvailabilityZones!.map(({ ZoneName }) => ZoneName),
    testSettings.zones,
  );
  const { InternetGateways } = await ec2.send(
    new DescribeInternetGatewaysCommand(filter('attachment.vpc-id', 'vpc-1')),
  );
  assert.equal(InternetGateways!.length, 1);
  const { AccountAttributes } = await ec2.send(
    new DescribeAccountAttributesCommand({ AttributeNames: ['default-vpc'] }),
  );
  assert.equal(AccountAttributes![0]!.AttributeValues![0]!.AttributeValue, testSettings.vpcId);
  await assert.rejects(ec2.send(new RunInstancesCommand({ MinCount: 1, MaxCount: 1 })), { name: 'InvalidAction' });
});

test('neighbours: what the inventory says of subnets, groups, VPCs and instances counts', async (context) => {
  const { elb, ec2, region } = await start(context);
  for (const [index, zone] of ['eu-test-1a', 'eu-test-1b'].entries()) {
    await region.step((view) => admitNode(view, { nodeId: `node-${index}`, zone, prefix: `127.8${index}.0.0/24` }));
  }
  const create = (Subnets: string[], SecurityGroups: string[] = [], Name = 'web') =>
    elb.send(new CreateLoadBalancerCommand({ Name, Subnets, SecurityGroups }));
  await assert.rejects(create(['subnet-1', 'subnet-9']), { name: 'SubnetNotFoundException' });
  await assert.rejects(create(['subnet-1', 'subnet-3']), { name: 'InvalidConfigurationRequestException' });
  await assert.rejects(create(['subnet-1', 'subnet-2'], ['sg-9']), { name: 'InvalidSecurityGroupException' });
  await assert.rejects(create(['subnet-1', 'subnet-2'], ['sg-2']), { name: 'InvalidConfigurationRequestException' });
  const { LoadBalancers } = await create(['subnet-1', 'subnet-2'], ['sg-1']);
  assert.deepEqual(
    [LoadBalancers![0]!.VpcId, LoadBalancers![0]!.AvailabilityZones!.map(({ ZoneName }) => ZoneName)],
    ['vpc-1', ['eu-test-1a', 'eu-test-1b']],
  );
  const group = (VpcId: string) =>
    elb.send(new CreateTargetGroupCommand({ Name: 'group', Protocol: 'HTTP', Port: 80, VpcId }));
  await assert.rejects(group('vpc-9'), { name: 'ValidationError', message: /'vpc-9' is not found/ });
  const { TargetGroups } = await group('vpc-1');
  const { TargetGroupArn } = TargetGroups![0]!;
  const register = (Id: string) => elb.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id }] }));
  await register('i-00000001');
  await assert.rejects(register('i-00000002'), { name: 'InvalidTargetException', message: /not in a running state/ });
  await create(['subnet-1', 'subnet-2'], ['sg-1'], 'other');
  const interfaces = async (...Filters: { Name: string; Values: string[] }[]) =>
    (await ec2.send(new DescribeNetworkInterfacesCommand({ Filters }))).NetworkInterfaces!;
  const ids = (await interfaces()).map(({ NetworkInterfaceId }) => NetworkInterfaceId);
  assert.equal(new Set(ids).size, 4, 'each load balancer has one on each node, with an id of its own');
  const ofElb = { Name: 'attachment.instance-owner-id', Values: ['amazon-elb'] };
  const ofWeb = await interfaces(ofElb, { Name: 'description', Values: ['ELB app/web/*'] });
  assert.deepEqual(
    ofWeb
      .map(({ SubnetId, AvailabilityZone, VpcId, Groups }) => [SubnetId, AvailabilityZone, VpcId, Groups] as const)
      .sort(([a], [b]) => (a! < b! ? -1 : 1)),
    [
      ['subnet-1', 'eu-test-1a', 'vpc-1', [{ GroupId: 'sg-1' }]],
      ['subnet-2', 'eu-test-1b', 'vpc-1', [{ GroupId: 'sg-1' }]],
    ],
  );
});

test('EC2 endpoint: asked for what nobody else knows, believed for a while, and its not found counts', async (context) => {
  const { url } = await start(context);
  const before = { ...process.env };
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey });
  context.after(() => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });
  let nowMs = 0;
  const endpoint = new Ec2Endpoint(url, testSettings.region, () => nowMs);
  const none = { subnets: [], vpcs: [], securityGroups: [], instances: [] };
  const asked = {
    subnets: ['subnet-1', 'subnet-9'],
    vpcs: ['vpc-1', 'vpc-9'],
    securityGroups: ['sg-1', 'sg-9'],
    instances: ['i-00000002', 'i-00000009'],
  };
  const found = await endpoint.find(asked);
  assert(found.ok, found.ok ? '' : found.fault);
  assert.deepEqual(found.value, {
    subnets: [{ id: 'subnet-1', zone: 'eu-test-1a', vpcId: 'vpc-1', cidrBlock: '10.1.1.0/24' }],
    vpcs: [{ id: 'vpc-1', cidrBlock: '10.1.0.0/16' }],
    securityGroups: [{ id: 'sg-1', name: 'web', vpcId: 'vpc-1' }],
    instances: [
      {
        id: 'i-00000002',
        vpcId: 'vpc-1',
        subnetId: 'subnet-2',
        zone: 'eu-test-1b',
        privateAddress: '127.1.0.2',
        state: 'stopped',
      },
    ],
  });
  const gone = new Ec2Endpoint('http://127.0.0.1:1', testSettings.region, () => nowMs);
  const failed = await gone.find({ ...none, subnets: ['subnet-1'] });
  assert(!failed.ok && /does not answer/.test(failed.fault));
  // What was said is believed for a while, and asked for again after that.
  nowMs += 29_000;
  assert((await endpoint.find({ ...none, vpcs: ['vpc-1'] })).ok);
});
