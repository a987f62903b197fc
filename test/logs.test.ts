/** The logs of a load balancer, end to end: turned on by the API, filled by traffic, found in their bucket. */
import assert from 'node:assert/strict';
import { existsSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ModifyLoadBalancerAttributesCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { rejection, temporaryFolder, until } from './running-ballast.ts';
import { inStep, makeService, port, running, someTargets } from './service.ts';
import { send } from './traffic.ts';

test('logs: what the API turns on lies in its bucket under its names, also what came last before a stop', async (context) => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'logs'));
  const targets = await someTargets(context, 1);
  const ballast = await running(context, ['--s3-folder', folder, '--log-interval-seconds', '1']);
  const client = ballast.client();
  const service = await makeService(ballast, 'web', targets);
  const turnOn = (kind: string, bucket: string) =>
    client.send(
      new ModifyLoadBalancerAttributesCommand({
        LoadBalancerArn: service.loadBalancerArn,
        Attributes: [
          { Key: `${kind}.s3.enabled`, Value: 'true' },
          { Key: `${kind}.s3.bucket`, Value: bucket },
          { Key: `${kind}.s3.prefix`, Value: kind },
        ],
      }),
    );
  const refused = await rejection(turnOn('access_logs', 'missing'));
  assert.equal(refused.name, 'InvalidConfigurationRequestException');
  assert.match(refused.message, /missing.*there is no such bucket/);

  for (const kind of ['access_logs', 'connection_logs', 'health_check_logs']) await turnOn(kind, 'logs');
  assert(existsSync(join(folder, 'logs', 'access_logs', 'AWSLogs', '000000000000', 'ELBAccessLogTestFile')));
  await inStep(ballast);
  const lines = (kind: string) =>
    globSync(join(folder, 'logs', kind, 'AWSLogs/000000000000/elasticloadbalancing/us-east-1/*/*/*/*.log.gz'))
      .flatMap((path) => gunzipSync(readFileSync(path)).toString().trimEnd().split('\n'))
      .filter((line) => line !== '');
  const host = service.addresses[0]!;
  const asked = (path: string) =>
    lines('access_logs').filter((line) => line.includes(`:${port}${path} HTTP/1.1"`)).length;

  await send({ host, port, path: '/first' });
  await until(() => asked('/first') === 1, 'the entry is in the bucket');
  await until(() => lines('connection_logs').length > 0, 'so is one of its connection');
  await until(() => lines('health_check_logs').length > 0, 'and one of a probe');
  const [, , , , target] = lines('access_logs')[0]!.split(' ');
  assert.equal(target, `127.0.0.1:${targets[0]!.port}`);
  const id = service.loadBalancerArn.split('/').at(-1);
  assert.match(
    lines('health_check_logs')[0]!,
    new RegExp(
      `^http \\S+Z 0\\.\\d{9} 127\\.0\\.0\\.1:${targets[0]!.port} web-targets PASS 200 - app/web/${id} ${host.replaceAll('.', '\\.')}$`,
    ),
  );
  assert.match(await ballast.metrics(), /^ballast_log_files_delivered_total\{node="node-1"\} [1-9]/m);

  await send({ host, port, path: '/last' });
  await ballast.stop();
  assert.equal(asked('/last'), 1, 'a stop delivers what is there');
});
