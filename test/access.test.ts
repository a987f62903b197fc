/** Who may call: principals and keys made and revoked with the command line, used with the official client. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import {
  CreateTargetGroupCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ballastCommand, rejection } from './running-ballast.ts';
import { running } from './service.ts';

test('access: principals of several accounts work apart from each other, and a revoked key signs nothing', async (context) => {
  const ballast = await running(context);
  const { data } = ballast;
  const run = (...args: string[]) => ballastCommand(...args, '--data', data);
  assert.match(
    await run('accounts'),
    /PRINCIPAL +CREATED +POLICY +ACCESS KEY.*\n +000000000000\/admin +\d{4}-\d\d-\d\d +everything +BALLAST/,
  );
  assert.match(
    await run('accounts', 'create', '111111111111/deployer'),
    /Created 111111111111\/deployer\. It can sign once/,
  );

  const printed = await run('keys', 'create', '111111111111/deployer');
  const read = (name: string, text = printed) => new RegExp(`^${name} = (\\S+)$`, 'm').exec(text)![1]!;
  const clientOf = (text: string) =>
    new ElasticLoadBalancingV2Client({
      endpoint: ballast.report.apiEndpoint,
      region: 'us-east-1',
      credentials: {
        accessKeyId: read('aws_access_key_id', text),
        secretAccessKey: read('aws_secret_access_key', text),
      },
    });
  const group = { Name: 'theirs', Protocol: 'HTTP', Port: 80, VpcId: 'vpc-1', TargetType: 'ip' } as const;
  const theirs = clientOf(printed);
  const made = await theirs.send(new CreateTargetGroupCommand(group));
  const arn = made.TargetGroups![0]!.TargetGroupArn!;
  assert.match(arn, /:111111111111:targetgroup\/theirs\//);
  const ours = ballast.client();
  assert.deepEqual((await ours.send(new DescribeTargetGroupsCommand({}))).TargetGroups, []);
  assert.equal(
    (await rejection(ours.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] })))).name,
    'ValidationError',
  );
  assert.match(await run('log'), /111111111111\/deployer +api +target group/);

  // A policy: only to look, and to change one target group.
  const file = join(data, 'policy.json');
  const statements = [
    { Effect: 'Allow', Action: 'elasticloadbalancing:Describe*', Resource: '*' },
    {
      Effect: 'Allow',
      Action: 'elasticloadbalancing:*Targets',
      Resource: 'arn:aws:elasticloadbalancing:*:111111111111:targetgroup/theirs/*',
    },
  ];
  writeFileSync(file, JSON.stringify({ Version: '2012-10-17', Statement: statements }));
  assert.match(await run('accounts', 'policy', '111111111111/deployer', '--set', file), /Set the policy of/);
  assert.match(await run('accounts', 'policy', '111111111111/deployer'), /"Action": "elasticloadbalancing:Describe\*"/);
  assert.equal((await theirs.send(new DescribeTargetGroupsCommand({}))).TargetGroups!.length, 1);
  const Targets = [{ Id: '127.0.0.1', Port: 1 }];
  await theirs.send(new RegisterTargetsCommand({ TargetGroupArn: arn, Targets }));
  const denied = await rejection(theirs.send(new CreateTargetGroupCommand({ ...group, Name: 'more' })));
  assert.equal(denied.name, 'AccessDenied');
  assert.match(
    denied.message,
    /^User: arn:aws:iam::111111111111:user\/deployer is not authorized to perform: elasticloadbalancing:CreateTargetGroup on resource: arn:.*:targetgroup\/more\/\*/,
  );
  writeFileSync(
    file,
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}}',
  );
  const half = await rejection(run('accounts', 'policy', '111111111111/deployer', '--set', file));
  assert.match(half.message, /it has Condition; allowed: Sid, Effect/);
  await run('accounts', 'policy', '111111111111/deployer', '--remove');
  await theirs.send(new CreateTargetGroupCommand({ ...group, Name: 'more' }));

  // A rotation: two keys for a while, then the first is revoked.
  const second = await run('keys', 'create', '111111111111/deployer', '--json');
  const { accessKeyId, secretAccessKey } = JSON.parse(second.slice(second.indexOf('{')));
  const other = clientOf(`aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}`);
  assert.equal((await other.send(new DescribeTargetGroupsCommand({}))).TargetGroups!.length, 2);
  assert.match(await run('keys', 'revoke', read('aws_access_key_id')), /has 1 access key left/);
  assert.equal((await rejection(theirs.send(new DescribeTargetGroupsCommand({})))).name, 'InvalidClientTokenId');
  assert.equal((await other.send(new DescribeTargetGroupsCommand({}))).TargetGroups!.length, 2);

  const refused = async (...args: string[]) => (await rejection(run(...args))).message;
  assert.match(
    await refused('accounts', 'delete', '111111111111/deployer'),
    /still has access keys \(1\); revoke them first/,
  );
  assert.match(await refused('accounts', 'create', '111111111111/deployer'), /is there already/);
  assert.match(await refused('accounts', 'create', 'somebody'), /'somebody' is no principal; allowed: ACCOUNT\/NAME/);
  assert.match(await refused('accounts', 'rename', 'x'), /found 'rename'; allowed: create, policy, delete/);
  assert.match(await refused('keys', 'revoke', 'BALLASTNONE'), /there is none of that name/);
  assert.match(await refused('keys', 'create', '222222222222/nobody'), /there is none of that name/);
  await run('keys', 'create', '111111111111/deployer');
  await run('keys', 'create', '111111111111/deployer');
  assert.match(await refused('keys', 'create', '111111111111/deployer'), /has 3 access keys, which is the limit/);
  assert.match(await run('accounts', 'delete', '111111111111/deployer', '--with-keys'), /revoked 3 access keys/);
  assert.equal((await rejection(other.send(new DescribeTargetGroupsCommand({})))).name, 'InvalidClientTokenId');

  // No secret is anywhere but where it was shown.
  const secret = read('aws_secret_access_key');
  assert(!ballast.output().includes(secret) && !(await run('log', '--json')).includes(secret));
  for (const name of ['journal.db', 'journal.db-wal'])
    assert(!readFileSync(join(data, name), 'latin1').includes(secret));
});
