import assert from 'node:assert/strict';
import test from 'node:test';
import { Tables } from '#journal/tables.ts';
import type { Documents, Kind, RuleAction } from '#model/documents.ts';
import type { HealthVerdict } from '#model/health.ts';
import { placementKey, targetKey } from '#model/keys.ts';
import { sampleLoadBalancer, sampleTargetGroup } from '#model/test-documents.ts';
import { compileListener } from './compile.ts';
import type { RoutingTable } from './table.ts';

const loadBalancerId = '00000000000000a1';
const listenerId = '00000000000000b1';
const group = '00000000000000c1';
const otherGroup = '00000000000000c2';
const where = { listenerId, nodeId: 'node-1', region: 'eu-test-1' };
const unhealthy: HealthVerdict = { kind: 'unhealthy', reason: 'Target.Timeout', description: '' };
const healthy: HealthVerdict = { kind: 'healthy' };

class World {
  readonly tables = new Tables();
  readonly health = new Map<string, HealthVerdict>();

  constructor(...actions: RuleAction[]) {
    this.put('load-balancer', loadBalancerId, { ...sampleLoadBalancer, account: '123456789012' });
    this.put('listener', listenerId, { loadBalancerId, protocol: 'HTTP', port: 80, createdAtMs: 0, tags: [] });
    this.put('placement', placementKey({ loadBalancerId, nodeId: 'node-1' }), {
      loadBalancerId,
      nodeId: 'node-1',
      zone: 'a',
      address: '127.80.0.2',
      state: { kind: 'pending' },
    });
    if (actions.length > 0)
      this.put('rule', 'default', {
        listenerId,
        priority: 'default',
        conditions: [],
        actions,
        transforms: [],
        tags: [],
      });
  }

  put<K extends Kind>(kind: K, id: string, document: Documents[K]): void {
    this.tables.load({ kind, id, revision: 1, document } as Parameters<Tables['load']>[0]);
  }

  group(id: string, attributes: Record<string, string> = {}): this {
    this.put('target-group', id, { ...sampleTargetGroup, name: `group-${id.at(-1)}`, attributes });
    return this;
  }

  /** One target for each verdict, in this order; undefined: nobody has looked yet. */
  targets(targetGroupId: string, ...verdicts: (HealthVerdict | 'draining' | undefined)[]): this {
    verdicts.forEach((verdict, index) => {
      const place = { targetGroupId, address: `127.0.1.${index + 1}`, port: 8080 };
      const state =
        verdict === 'draining'
          ? ({ kind: 'draining', sinceMs: 0, untilMs: 1 } as const)
          : ({ kind: 'registered', sinceMs: 0 } as const);
      this.put('target', targetKey(place), { ...place, state });
      if (typeof verdict === 'object') this.health.set(targetKey(place), verdict);
    });
    return this;
  }

  compile(): RoutingTable {
    const table = compileListener(this.tables, (key) => this.health.get(key), where);
    assert(table !== undefined);
    return table;
  }
}

const forward = (...groups: [string, number][]): RuleAction => ({
  kind: 'forward',
  groups: groups.map(([targetGroupId, weight]) => ({ targetGroupId, weight })),
});

function eligible(
  attributes: Record<string, string>,
  ...verdicts: Parameters<World['targets']>[1][]
): readonly number[] {
  const world = new World(forward([group, 1])).group(group, attributes).targets(group, ...verdicts);
  return world.compile().groups[0]!.eligible;
}

test('compile: a listener is served at the address that its load balancer has on the node', () => {
  const table = new World(forward([group, 1])).group(group).targets(group, healthy).compile();
  assert.deepEqual(table, {
    listenerId,
    address: '127.80.0.2',
    port: 80,
    protocol: 'HTTP',
    loadBalancer: {
      id: loadBalancerId,
      account: '123456789012',
      name: 'web',
      idleTimeoutMs: 60_000,
      clientKeepAliveMs: 3_600_000,
      requestFields: {
        forwardedFor: 'append',
        hasClientPort: false,
        dropsInvalid: false,
        preservesHost: false,
        desyncMode: 'defensive',
      },
    },
    rules: [
      { id: 'default', conditions: [], action: { kind: 'forward', choices: [{ group: 0, share: 1 }] }, transforms: [] },
    ],
    groups: [
      {
        id: group,
        name: 'group-1',
        algorithm: 'round_robin',
        targets: [{ key: `${group}/127.0.1.1:8080`, address: '127.0.1.1', port: 8080, state: 'healthy' }],
        eligible: [0],
      },
    ],
  });
});

test('compile: there is no table without the listener, the load balancer or its place on the node', () => {
  const world = new World(forward([group, 1]));
  const health = () => undefined;
  assert.equal(compileListener(world.tables, health, { ...where, nodeId: 'node-2' }), undefined);
  assert.equal(compileListener(world.tables, health, { ...where, listenerId: 'none' }), undefined);
  world.tables.unload('load-balancer', loadBalancerId);
  assert.equal(compileListener(world.tables, health, where), undefined);
});

test('compile: healthy targets alone are eligible while there are enough of them', () => {
  assert.deepEqual(eligible({}, healthy, unhealthy, undefined, healthy), [0, 3]);
});

test('compile: with no healthy target all registered ones are eligible, draining ones never', () => {
  assert.deepEqual(eligible({}, unhealthy, undefined, 'draining', unhealthy), [0, 1, 3]);
  assert.deepEqual(eligible({}, 'draining'), []);
  assert.deepEqual(eligible({}), []);
});

test('compile: a group says when it fails open, and only then', () => {
  const isFailingOpen = (...verdicts: Parameters<World['targets']>[1][]) => {
    const world = new World(forward([group, 1])).group(group).targets(group, ...verdicts);
    return world.compile().groups[0]!.isFailingOpen;
  };
  assert.equal(isFailingOpen(healthy, unhealthy), undefined);
  assert.equal(isFailingOpen(unhealthy, unhealthy), true);
});

test('compile: the minimum of healthy targets is taken from the attributes, as a count and as a percentage', () => {
  const prefix = 'target_group_health.unhealthy_state_routing.minimum_healthy_targets';
  assert.deepEqual(eligible({ [`${prefix}.count`]: '3' }, healthy, healthy, unhealthy), [0, 1, 2]);
  assert.deepEqual(eligible({ [`${prefix}.count`]: '2' }, healthy, healthy, unhealthy), [0, 1]);
  assert.deepEqual(eligible({ [`${prefix}.percentage`]: '50' }, healthy, unhealthy), [0]);
  assert.deepEqual(eligible({ [`${prefix}.percentage`]: '51' }, healthy, unhealthy), [0, 1]);
});

test('compile: weights become shares, and when all are 0 everybody has the same', () => {
  const shares = (...weights: [number, number]) => {
    const [action] = new World(forward([group, weights[0]], [otherGroup, weights[1]]))
      .compile()
      .rules.map((rule) => rule.action);
    assert(action?.kind === 'forward');
    return action.choices;
  };
  assert.deepEqual(shares(3, 1), [
    { group: 0, share: 0.75 },
    { group: 1, share: 0.25 },
  ]);
  assert.deepEqual(shares(0, 0), [
    { group: 0, share: 0.5 },
    { group: 1, share: 0.5 },
  ]);
});

test('compile: rules come by priority with the default last, and each group is compiled once', () => {
  const world = new World(forward([group, 1])).group(group);
  for (const priority of [20, 3, 100]) {
    world.put('rule', `rule-${priority}`, {
      listenerId,
      priority,
      conditions: [],
      actions: [forward([group, 1])],
      transforms: [],
      tags: [],
    });
  }
  const table = world.compile();
  assert.deepEqual(
    table.rules.map(({ id }) => id),
    ['rule-3', 'rule-20', 'rule-100', 'default'],
  );
  assert.equal(table.groups.length, 1);
});

test('compile: redirects and fixed responses are passed on with their defaults', () => {
  const redirect: RuleAction = {
    kind: 'redirect',
    protocol: 'HTTPS',
    host: '#{host}',
    port: '443',
    path: '/#{path}',
    query: '#{query}',
    statusCode: 301,
  };
  assert.deepEqual(new World(redirect).compile().rules[0]!.action, redirect);
  assert.deepEqual(new World({ kind: 'fixed-response', statusCode: 410 }).compile().rules[0]!.action, {
    kind: 'fixed-response',
    statusCode: 410,
    contentType: 'text/plain',
    body: '',
  });
});

test('compile: targets whose group is missing go on being served', () => {
  const world = new World(forward([group, 1])).targets(group, healthy, unhealthy);
  assert.deepEqual(world.compile().groups[0]!.eligible, [0]);
});

test('compile: attributes of the load balancer set its times', () => {
  const world = new World(forward([group, 1]));
  const document = world.tables.get('load-balancer', loadBalancerId)!;
  const attributes = { 'idle_timeout.timeout_seconds': '5', 'client_keep_alive.seconds': '90' };
  world.put('load-balancer', loadBalancerId, { ...document, attributes });
  const { idleTimeoutMs, clientKeepAliveMs } = world.compile().loadBalancer;
  assert.deepEqual([idleTimeoutMs, clientKeepAliveMs], [5_000, 90_000]);
});

test('compile: the algorithm is the one that the target group names', () => {
  const algorithmOf = (attributes: Record<string, string>) =>
    new World(forward([group, 1])).group(group, attributes).targets(group, healthy).compile().groups[0]!.algorithm;
  assert.equal(algorithmOf({}), 'round_robin');
  const key = 'load_balancing.algorithm.type';
  for (const name of ['least_outstanding_requests', 'weighted_random'])
    assert.equal(algorithmOf({ [key]: name }), name);
});

test('compile: where zones are kept apart, a node gives requests to its own zone and to what belongs to none', () => {
  const portsWith = (isCrossing: string) => {
    const world = new World(forward([group, 1])).group(group, { 'load_balancing.cross_zone.enabled': isCrossing });
    for (const [index, zone] of ['a', 'b', 'all', undefined].entries()) {
      const place = { targetGroupId: group, address: '127.0.1.1', port: index };
      const state = { kind: 'registered', sinceMs: 0 } as const;
      world.put('target', targetKey(place), { ...place, ...(zone && { availabilityZone: zone }), state });
    }
    return world.compile().groups[0]!.targets.map(({ port }) => port);
  };
  assert.deepEqual(portsWith('false'), [0, 2, 3]);
  assert.deepEqual(portsWith('true'), [0, 1, 2, 3]);
  assert.deepEqual(portsWith('use_load_balancer_configuration'), [0, 1, 2, 3]);
});

test('compile: the minimum of healthy targets is that of the zone where zones are kept apart', () => {
  // The example in "Target group health": ten targets in each of two zones, of which six fail in the second.
  const eligibleIn = (zone: string, isCrossing: string) => {
    const world = new World(forward([group, 1])).group(group, {
      'load_balancing.cross_zone.enabled': isCrossing,
      'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage': '50',
    });
    const placement = placementKey({ loadBalancerId, nodeId: 'node-1' });
    world.put('placement', placement, { ...world.tables.get('placement', placement)!, zone });
    for (let index = 0; index < 20; index += 1) {
      const place = { targetGroupId: group, address: '127.0.1.1', port: index };
      const state = { kind: 'registered', sinceMs: 0 } as const;
      world.put('target', targetKey(place), { ...place, availabilityZone: index < 10 ? 'a' : 'b', state });
      world.health.set(targetKey(place), index < 14 ? healthy : unhealthy);
    }
    const { targets, eligible } = world.compile().groups[0]!;
    return eligible.map((index) => targets[index]!.port);
  };
  const ports = (first: number, end: number) => Array.from({ length: end - first }, (_, index) => first + index);
  assert.deepEqual(eligibleIn('a', 'false'), ports(0, 10));
  assert.deepEqual(eligibleIn('b', 'false'), ports(10, 20), 'too few are healthy in that zone: all of its own');
  assert.deepEqual(eligibleIn('a', 'true'), ports(0, 14), 'enough are healthy in all');
  assert.deepEqual(eligibleIn('b', 'true'), ports(0, 14));
});

test('compile: sessions are kept as the target group says', () => {
  const stickinessOf = (attributes: Record<string, string>) =>
    new World(forward([group, 1])).group(group, attributes).targets(group, healthy).compile().groups[0]!.stickiness;
  const ofApplication = {
    'stickiness.type': 'app_cookie',
    'stickiness.app_cookie.cookie_name': 'session',
    'stickiness.app_cookie.duration_seconds': '7',
  };
  assert.equal(stickinessOf({}), undefined);
  assert.equal(stickinessOf(ofApplication), undefined);
  const enabled = { 'stickiness.enabled': 'true' };
  assert.deepEqual(stickinessOf(enabled), { durationSeconds: 86_400 });
  assert.deepEqual(stickinessOf({ ...enabled, ...ofApplication }), {
    durationSeconds: 7,
    applicationCookie: 'session',
  });
});

test('compile: security groups let clients in to the ports that they name', () => {
  const world = new World(forward([group, 1]));
  const document = world.tables.get('load-balancer', loadBalancerId)!;
  assert(!('sources' in world.compile()));
  const sourcesWith = (...ingress: { fromPort: number; toPort: number; cidrs: string[] }[]) => {
    world.put('load-balancer', loadBalancerId, { ...document, ingress });
    return world.compile().sources;
  };
  const { port } = world.compile();
  assert.deepEqual(sourcesWith(), []);
  assert.deepEqual(sourcesWith({ fromPort: port + 1, toPort: 65_535, cidrs: ['10.0.0.0/8'] }), []);
  const [a, b] = [
    { fromPort: port, toPort: port, cidrs: ['10.0.0.0/8', '::/0'] },
    { fromPort: 0, toPort: 65_535, cidrs: ['::/0', '192.0.2.0/24'] },
  ];
  assert.deepEqual(sourcesWith(a!, b!), ['10.0.0.0/8', '::/0', '192.0.2.0/24']);
});

test('compile: attributes of the load balancer say what becomes of header fields', () => {
  const world = new World(forward([group, 1]));
  const document = world.tables.get('load-balancer', loadBalancerId)!;
  const attributes = {
    'routing.http.xff_header_processing.mode': 'remove',
    'routing.http.xff_client_port.enabled': 'true',
    'routing.http.drop_invalid_header_fields.enabled': 'true',
    'routing.http.preserve_host_header.enabled': 'true',
    'routing.http.desync_mitigation_mode': 'strictest',
  };
  world.put('load-balancer', loadBalancerId, { ...document, attributes });
  const expected = {
    forwardedFor: 'remove',
    hasClientPort: true,
    dropsInvalid: true,
    preservesHost: true,
    desyncMode: 'strictest',
  };
  assert.deepEqual(world.compile().loadBalancer.requestFields, expected);
});

test('compile: what a listener sets on answers', () => {
  const world = new World({ kind: 'fixed-response', statusCode: 200 });
  assert.equal(world.compile().responseFields, undefined);
  const attributes = {
    'routing.http.response.server.enabled': 'false',
    'routing.http.response.x_frame_options.header_value': 'DENY',
    'routing.http.response.strict_transport_security.header_value': 'max-age=1',
  };
  world.put('listener', listenerId, {
    loadBalancerId,
    protocol: 'HTTP',
    port: 80,
    createdAtMs: 0,
    attributes,
    tags: [],
  });
  assert.deepEqual(world.compile().responseFields, {
    set: [
      { name: 'Strict-Transport-Security', value: 'max-age=1' },
      { name: 'X-Frame-Options', value: 'DENY' },
    ],
    hidesServer: true,
  });
});

test('compile: targets that speak what cannot be spoken get nothing, and functions are reached on loopback', () => {
  const forward = { kind: 'forward', groups: [{ targetGroupId: group, weight: 1 }] } as const;
  const world = new World(forward).group(group).targets(group, healthy);
  const put = (more: Partial<Documents['target-group']>) =>
    world.put('target-group', group, { ...sampleTargetGroup, ...more });
  for (const more of [{ protocolVersion: 'GRPC' }, { protocolVersion: 'HTTP2' }, { protocol: 'HTTPS' }] as const) {
    put(more);
    const { targets, refusesHttp1 } = world.compile().groups[0]!;
    assert.deepEqual(targets, []);
    assert.equal(refusesHttp1, 'protocolVersion' in more ? true : undefined);
  }
  put({ targetType: 'lambda', healthCheck: { ...sampleTargetGroup.healthCheck, enabled: false } });
  assert.deepEqual(world.compile().groups[0]!.targets, []);
  const [target] = compileListener(world.tables, () => undefined, where, { functionPort: () => 9_001 })!.groups[0]!
    .targets;
  assert.deepEqual([target!.address, target!.port, target!.state], ['127.0.0.1', 9_001, 'healthy']);
});

test('compile: a listener that does not speak HTTP in the clear has no table', () => {
  const world = new World({ kind: 'fixed-response', statusCode: 200 });
  for (const protocol of ['HTTPS', 'TCP', 'TLS', 'UDP'] as const) {
    world.put('listener', listenerId, { loadBalancerId, protocol, port: 80, createdAtMs: 0, tags: [] });
    assert.equal(
      compileListener(world.tables, () => undefined, where),
      undefined,
    );
  }
});

test('compile: a target in slow start says so while its group wants it', () => {
  const began: HealthVerdict = { kind: 'healthy', slowStartAtMs: 5_000 };
  const compiled = (attributes: Record<string, string>) =>
    new World(forward([group, 1])).group(group, attributes).targets(group, healthy, began).compile().groups[0]!.targets;
  const [old, fresh] = compiled({ 'slow_start.duration_seconds': '60' });
  assert.equal(old!.slowStart, undefined);
  assert.deepEqual(fresh!.slowStart, { beganAtMs: 5_000, durationMs: 60_000 });
  assert.equal(compiled({})[1]!.slowStart, undefined);
});

test('compile: a target that gets less than its share says so, where targets are picked by weight', () => {
  const weights = (algorithm: string) => {
    const attributes = { 'load_balancing.algorithm.type': algorithm };
    const world = new World(forward([group, 1])).group(group, attributes).targets(group, healthy, healthy);
    const weight = (key: string) => (key === `${group}/127.0.1.2:8080` ? 0.25 : 1);
    const table = compileListener(world.tables, () => healthy, where, { weight })!;
    return table.groups[0]!.targets.map((target) => target.weight);
  };
  assert.deepEqual(weights('weighted_random'), [undefined, 0.25]);
  assert.deepEqual(weights('round_robin'), [undefined, undefined]);
});
