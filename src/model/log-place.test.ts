import assert from 'node:assert/strict';
import test from 'node:test';
import { formatLogHeading, logObjectKey, logPlace, parseLogHeading, testObjectKey } from './log-place.ts';
import { sampleLoadBalancer } from './test-documents.ts';

const id = '0123456789abcdef';
const at = { region: 'eu-test-1', address: '127.0.0.9' };

function balancer(attributes: Readonly<Record<string, string>>) {
  return { id, document: { ...sampleLoadBalancer, name: 'web', account: '123456789012', attributes } };
}

test('log place: objects have the names that an Application Load Balancer gives them', () => {
  const place = logPlace(
    'access',
    balancer({ 'access_logs.s3.enabled': 'true', 'access_logs.s3.bucket': 'logs', 'access_logs.s3.prefix': 'a/b' }),
    at,
  )!;
  assert.equal(place.bucket, 'logs');
  assert.equal(
    logObjectKey(place, Date.UTC(2026, 0, 31, 23, 60), '0a1b2c3d'),
    'a/b/AWSLogs/123456789012/elasticloadbalancing/eu-test-1/2026/02/01/' +
      '123456789012_elasticloadbalancing_eu-test-1_app.web.0123456789abcdef_20260201T0000Z_127.0.0.9_0a1b2c3d.log.gz',
  );
  assert.deepEqual(parseLogHeading(formatLogHeading(place)), place);
  assert.equal(testObjectKey('access', 'a/b', '123456789012'), 'a/b/AWSLogs/123456789012/ELBAccessLogTestFile');
});

test('log place: each kind of log has its own attributes and its own names', () => {
  const attributes = {
    'connection_logs.s3.enabled': 'true',
    'connection_logs.s3.bucket': 'c',
    'health_check_logs.s3.enabled': 'true',
    'health_check_logs.s3.bucket': 'h',
  };
  assert.equal(logPlace('access', balancer(attributes), at), undefined);
  const [connection, health] = (['connection', 'health-check'] as const).map(
    (kind) => logPlace(kind, balancer(attributes), at)!,
  );
  assert.deepEqual([connection!.bucket, health!.bucket], ['c', 'h']);
  assert.match(connection!.name, /^conn_log_123456789012_/);
  assert.match(health!.name, /^health_check_log_123456789012_/);
  assert.match(connection!.folder, /^AWSLogs\//);
});

test('log place: a text that is no heading is none', () => {
  for (const text of ['', '{', 'null', '[]', '{"bucket":"b"}', '{"bucket":1,"folder":"","name":"","address":""}']) {
    assert.equal(parseLogHeading(text), undefined, text);
  }
});
