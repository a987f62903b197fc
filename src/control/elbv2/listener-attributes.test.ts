import assert from 'node:assert/strict';
import test from 'node:test';
import { put } from '#model/change.ts';
import type { ListenerDocument } from '#model/documents.ts';
import { listenerAttribute, listenerAttributes } from '#model/listener-attributes.ts';
import { describeListenerAttributes } from './describe-listener-attributes.ts';
import { modifyListenerAttributes } from './modify-listener-attributes.ts';
import { idOf, TestRegion } from './test-region.ts';

type Values = Readonly<Record<string, string>>;

const response = 'routing.http.response';
const request = 'routing.http.request';

/** A region with a listener whose attributes are set and read as plain objects. */
function prepare(protocol = 'HTTP') {
  const region = new TestRegion();
  const ListenerArn = region.listener(region.loadBalancer('web'), region.targetGroup('group'));
  const id = idOf(ListenerArn);
  const document = () => region.tables.get('listener', id)!;
  if (protocol !== 'HTTP') {
    region.apply([put(region.tables, 'listener', id, { ...document(), protocol } as unknown as ListenerDocument)]);
  }
  const on = (values: Values) => ({
    ListenerArn,
    Attributes: Object.entries(values).map(([Key, Value]) => ({ Key, Value })),
  });
  const read = (attributes: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined) =>
    Object.fromEntries(attributes!.map(({ Key, Value }) => [Key, Value]));
  const described = () => read(region.accepted(describeListenerAttributes, { ListenerArn }).Attributes);
  return { region, ListenerArn, on, read, described, document };
}

test('DescribeListenerAttributes: all that the protocol has are answered, with their defaults', () => {
  const plain = prepare().described();
  assert.equal(Object.keys(plain).length, 11);
  assert(Object.keys(plain).every((key) => key.startsWith(response)));
  assert.equal(plain[`${response}.server.enabled`], 'true');
  assert.equal(plain[`${response}.x_frame_options.header_value`], '');
  const secure = prepare('HTTPS').described();
  assert.equal(Object.keys(secure).length, 19);
  assert.equal(secure[`${request}.x_amzn_tls_version.header_name`], 'X-Amzn-Tls-Version');
  assert.deepEqual(prepare('TCP').described(), { 'tcp.idle_timeout.seconds': '350' });
  assert.equal(Object.keys(listenerAttributes).length, 20);
});

test('ModifyListenerAttributes: only what differs from the default is kept, and all is answered', () => {
  const { region, on, read, described, document } = prepare();
  const given = {
    [`${response}.server.enabled`]: 'false',
    [`${response}.strict_transport_security.header_value`]: 'max-age=31536000; includeSubDomains; preload',
    [`${response}.access_control_max_age.header_value`]: '600',
    [`${response}.access_control_allow_credentials.header_value`]: 'true',
    [`${response}.x_content_type_options.header_value`]: 'nosniff',
    [`${response}.x_frame_options.header_value`]: '',
  };
  const answer = read(region.accepted(modifyListenerAttributes, on(given)).Attributes);
  assert.deepEqual(answer, described());
  assert.equal(Object.keys(answer).length, 11);
  const { [`${response}.x_frame_options.header_value`]: byDefault, ...kept } = given;
  assert.equal(byDefault, '');
  assert.deepEqual(document().attributes, kept);
  assert.equal(listenerAttribute(document(), 'routing.http.response.server.enabled'), 'false');
  region.unchanged(() => region.accepted(modifyListenerAttributes, on(given)));
  region.accepted(modifyListenerAttributes, on({ [`${response}.server.enabled`]: 'true' }));
  assert.equal(document().attributes![`${response}.server.enabled`], undefined);
});

test('ModifyListenerAttributes: unknown keys and values out of range are refused, with everything else in the call', () => {
  const { region, ListenerArn, on } = prepare();
  const fine = { [`${response}.server.enabled`]: 'false' };
  for (const wrong of [
    { [`${response}.server.enabled`]: 'no' },
    { [`${response}.x_content_type_options.header_value`]: 'sniff' },
    { [`${response}.access_control_allow_credentials.header_value`]: 'false' },
    { [`${response}.access_control_max_age.header_value`]: '-1' },
    { [`${response}.access_control_max_age.header_value`]: '010' },
    { [`${response}.content_security_policy.header_value`]: 'a\r\nSet-Cookie: b' },
    { [`${response}.content_security_policy.header_value`]: ' a' },
    { [`${response}.content_security_policy.header_value`]: 'ä' },
    { [`${response}.content_security_policy.header_value`]: 'a'.repeat(1025) },
    { 'idle_timeout.timeout_seconds': '60' },
    { constructor: 'a' },
  ] as Values[]) {
    region.refused(modifyListenerAttributes, on({ ...fine, ...wrong }), 'ValidationError');
  }
  region.refused(modifyListenerAttributes, { ListenerArn, Attributes: [] }, 'ValidationError');
});

test('ModifyListenerAttributes: attributes of other protocols are refused by name', () => {
  const plain = prepare();
  for (const foreign of [
    { 'tcp.idle_timeout.seconds': '60' },
    { [`${request}.x_amzn_tls_version.header_name`]: 'X-Version' },
  ] as Values[]) {
    const input = plain.on(foreign);
    const message = plain.region.refused(modifyListenerAttributes, input, 'InvalidConfigurationRequest');
    assert.match(message, /is not supported for listeners with protocol 'HTTP'/);
  }
  const tcp = prepare('TCP');
  tcp.region.accepted(modifyListenerAttributes, tcp.on({ 'tcp.idle_timeout.seconds': '6000' }));
  for (const seconds of ['59', '6001']) {
    tcp.region.refused(modifyListenerAttributes, tcp.on({ 'tcp.idle_timeout.seconds': seconds }), 'ValidationError');
  }
});

test('ModifyListenerAttributes: headers get names of their own, which are names', () => {
  const { region, on, described } = prepare('HTTPS');
  const [version, cipher] = [
    `${request}.x_amzn_tls_version.header_name`,
    `${request}.x_amzn_tls_cipher_suite.header_name`,
  ];
  for (const wrong of ['', 'a b', 'a:', 'a\n', 'a'.repeat(257)]) {
    region.refused(modifyListenerAttributes, on({ [version]: wrong }), 'ValidationError');
  }
  region.accepted(modifyListenerAttributes, on({ [version]: 'X-Tls' }));
  assert.equal(described()[version], 'X-Tls');
  region.refused(modifyListenerAttributes, on({ [cipher]: 'x-tls' }), 'InvalidConfigurationRequest');
});

test('listener attributes: of a listener that is not there are refused', () => {
  const { region, ListenerArn } = prepare();
  const missing = ListenerArn.replace(idOf(ListenerArn), 'f'.repeat(16));
  region.refused(describeListenerAttributes, { ListenerArn: missing }, 'ListenerNotFound');
  const Attributes = [{ Key: 'a', Value: 'b' }];
  region.refused(modifyListenerAttributes, { ListenerArn: missing, Attributes }, 'ListenerNotFound');
});
