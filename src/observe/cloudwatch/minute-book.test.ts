import assert from 'node:assert/strict';
import test from 'node:test';
import { Histogram } from '#base/histogram.ts';
import type { MetricSeries } from '#model/metrics.ts';
import { catalogue, type Metric } from './catalogue.ts';
import { MinuteBook } from './minute-book.ts';
import { balancer, beganMs, node, type Seen, times } from './test-counts.ts';

const minuteMs = 60_000;

/** A book that looked at the end of each minute; undefined: the node said nothing. */
function book(...minutes: readonly (Readonly<Record<string, Seen>> | undefined)[]): MinuteBook {
  const made = new MinuteBook({ sinceMs: beganMs });
  minutes.forEach((nodes, index) => {
    const counts = Object.entries(nodes ?? {}).map(([id, seen]) => [id, node(seen)] as const);
    made.look(beganMs + (index + 1) * minuteMs, new Map(counts));
  });
  return made;
}

const whole = { startMs: beganMs, endMs: beganMs + 600 * minuteMs, periodMs: minuteMs };

/** [minute, sum, samples, minimum, maximum] of each point. */
function points(made: MinuteBook, series: Partial<MetricSeries> & { metric: string }, periodMs = minuteMs) {
  const of = { loadBalancerId: 'lb', ...series };
  return made
    .points(of, { ...whole, periodMs })
    .map((point) => [(point.atMs - beganMs) / minuteMs, point.sum, point.sampleCount, point.minimum, point.maximum]);
}

test('minute book: a point is what was counted since the one before', () => {
  const made = book(
    { n: { group: { requests: 10, withoutTarget: 2 }, of: { bytesIn: 100, bytesOut: 1 } } },
    { n: { group: { requests: 25, withoutTarget: 2 }, of: { bytesIn: 100, bytesOut: 1 } } },
    { n: { group: { requests: 25, withoutTarget: 2 }, of: { bytesIn: 100, bytesOut: 8 } } },
  );
  const requests = [
    [0, 8, 8, 1, 1],
    [1, 15, 15, 1, 1],
    [2, 0, 1, 0, 0],
  ];
  assert.deepEqual(points(made, { metric: 'RequestCount' }), requests);
  assert.deepEqual(points(made, { metric: 'RequestCount', targetGroupId: 'tg', zone: 'a' }), requests);
  assert.deepEqual(points(made, { metric: 'RequestCount', targetGroupId: 'other' }), []);
  assert.deepEqual(points(made, { metric: 'RequestCount', zone: 'b' }), []);
  // What is not told of nothing has no point there.
  assert.deepEqual(points(made, { metric: 'ProcessedBytes' }), [
    [0, 101, 1, 101, 101],
    [2, 7, 1, 7, 7],
  ]);
  assert.deepEqual(points(made, { metric: 'RuleEvaluations', zone: 'a' }), [], 'it is told of the whole alone');
});

test('minute book: what was counted before anybody looked is in no minute, and no zero is made up for it', () => {
  const made = new MinuteBook({ sinceMs: beganMs });
  const startedAtMs = beganMs - 1;
  made.look(beganMs + minuteMs, new Map([['n', node({ startedAtMs, group: { requests: 1_000 } })]]));
  assert.deepEqual(points(made, { metric: 'RequestCount' }), []);
  assert.deepEqual(points(made, { metric: 'RequestCountPerTarget', targetGroupId: 'tg' }), []);
  assert.deepEqual(points(made, { metric: 'HealthyHostCount', targetGroupId: 'tg' }), [[0, 2, 1, 2, 2]]);
  made.look(beganMs + 2 * minuteMs, new Map([['n', node({ startedAtMs, group: { requests: 1_004 } })]]));
  assert.deepEqual(points(made, { metric: 'RequestCount' }), [[1, 4, 4, 1, 1]]);
});

test('minute book: a node that is not heard has no points, and what it counted meanwhile comes when it is', () => {
  const made = book({ n: { group: { requests: 1 } } }, undefined, undefined, { n: { group: { requests: 7 } } });
  assert.deepEqual(points(made, { metric: 'RequestCount' }), [
    [0, 1, 1, 1, 1],
    [3, 6, 6, 1, 1],
  ]);
  assert.deepEqual(
    points(made, { metric: 'HealthyHostCount', targetGroupId: 'tg' }).map(([minute]) => minute),
    [0, 3],
  );
});

test('minute book: a node that began anew counts from nothing, whatever its numbers are', () => {
  const restarted = { instance: 'two', startedAtMs: beganMs + minuteMs + 1 };
  const made = book(
    { n: { group: { requests: 5, responseTime: times(1, 1, 1) } } },
    {
      n: { ...restarted, group: { requests: 9, responseTime: times(1, 1, 1, 1) } },
    },
  );
  assert.deepEqual(points(made, { metric: 'RequestCount' }), [
    [0, 5, 5, 1, 1],
    [1, 9, 9, 1, 1],
  ]);
  assert.deepEqual(
    points(made, { metric: 'TargetResponseTime' }).map(([minute, , samples]) => [minute, samples]),
    [
      [0, 3],
      [1, 4],
    ],
  );
});

test('minute book: a counter that falls began anew, and the others go on', () => {
  const made = book(
    { n: { group: { requests: 50, nonSticky: 9 } } },
    { n: { group: { requests: 20, nonSticky: 10 } } },
  );
  assert.deepEqual(points(made, { metric: 'RequestCount' })[1], [1, 20, 20, 1, 1]);
  assert.deepEqual(points(made, { metric: 'NonStickyRequestCount' })[1], [1, 1, 1, 1, 1]);
});

test('minute book: zones and nodes add up, and least and most are those of nodes', () => {
  const made = book({
    n: { of: { rejectedConnections: 3 }, group: { requests: 4 }, hosts: { healthy: 4, unhealthy: 0 } },
    m: {
      zone: 'b',
      of: { rejectedConnections: 5 },
      group: { requests: 8 },
      hosts: { healthy: 1, isFailingOpen: true },
    },
  });
  assert.deepEqual(points(made, { metric: 'RejectedConnectionCount' }), [[0, 8, 2, 3, 5]]);
  assert.deepEqual(points(made, { metric: 'RejectedConnectionCount', zone: 'b' }), [[0, 5, 1, 5, 5]]);
  assert.deepEqual(points(made, { metric: 'HealthyHostCount', targetGroupId: 'tg' }), [[0, 5, 2, 1, 4]]);
  assert.deepEqual(points(made, { metric: 'UnHealthyHostCount', targetGroupId: 'tg' }), [[0, 1, 2, 0, 1]]);
  assert.deepEqual(points(made, { metric: 'HealthyStateRouting', targetGroupId: 'tg' }), [[0, 1, 1, 1, 1]]);
  assert.deepEqual(points(made, { metric: 'UnhealthyStateRouting', targetGroupId: 'tg', zone: 'b' }), [
    [0, 1, 1, 1, 1],
  ]);
  assert.deepEqual(points(made, { metric: 'UnhealthyStateRouting', targetGroupId: 'tg', zone: 'a' }), [
    [0, 0, 1, 0, 0],
  ]);
  // Twelve requests over four targets, whoever asks.
  for (const loadBalancerId of ['lb', undefined]) {
    const series = { metric: 'RequestCountPerTarget', targetGroupId: 'tg', loadBalancerId };
    assert.deepEqual(points(made, series), [[0, 3, 1, 3, 3]]);
  }
});

test('minute book: several looks in a minute are one count and several samples of what is so', () => {
  const made = new MinuteBook({ sinceMs: beganMs });
  [3, 9, 6].forEach((activeConnections, index) => {
    const seen = { of: { activeConnections, newConnections: 10 * (index + 1) }, hosts: { healthy: index } };
    made.look(beganMs + (index + 1) * 20_000, new Map([['n', node(seen)]]));
  });
  assert.deepEqual(points(made, { metric: 'ActiveConnectionCount' }), [[0, 18, 3, 3, 9]]);
  assert.deepEqual(points(made, { metric: 'NewConnectionCount' }), [[0, 30, 1, 30, 30]]);
  assert.deepEqual(points(made, { metric: 'HealthyHostCount', targetGroupId: 'tg' }), [[0, 3, 3, 0, 2]]);
});

test('minute book: response times have an average, percentiles, and ends that are never within them', () => {
  const first = times(...Array.from({ length: 100 }, (_, index) => 10 * (index + 1)));
  const both = Histogram.fromSparse(first);
  for (let count = 0; count < 300; count += 1) both.recordMs(1);
  const made = book({ n: { group: { responseTime: first } } }, { n: { group: { responseTime: both.toSparse() } } });
  const series = { metric: 'TargetResponseTime', loadBalancerId: 'lb' };
  const [one, other] = made.points(series, whole);
  const near = (found: number, wanted: number) => assert(Math.abs(found / wanted - 1) < 0.0626, `${found}, ${wanted}`);
  assert.deepEqual([one!.sampleCount, other!.sampleCount], [100, 300]);
  near(one!.sum / 100, 0.505);
  near(one!.percentile!(0.5), 0.5);
  near(one!.percentile!(0.99), 0.99);
  near(other!.percentile!(0.99), 0.001);
  for (const { sum, sampleCount, minimum, maximum } of [one!, other!]) {
    assert(minimum <= sum / sampleCount && sum / sampleCount <= maximum);
  }
  near(one!.minimum, 0.01);
  near(one!.maximum, 1);
  const [joined] = made.points(series, { ...whole, periodMs: 5 * minuteMs });
  assert.equal(joined!.sampleCount, 400);
  near(joined!.percentile!(0.7), 0.001);
});

test('minute book: periods begin where they are asked to, and hold the minutes in them', () => {
  const made = book(...[1, 2, 3, 4, 5, 6].map((count) => ({ n: { group: { requests: count } } })));
  assert.deepEqual(
    points(made, { metric: 'RequestCount' }, 5 * minuteMs).map(([minute, sum]) => [minute, sum]),
    [
      [0, 5],
      [5, 1],
    ],
  );
  const from = { startMs: beganMs + 2 * minuteMs, endMs: beganMs + 4 * minuteMs, periodMs: 3 * minuteMs };
  const found = made.points({ metric: 'RequestCount', loadBalancerId: 'lb' }, from);
  assert.deepEqual(
    found.map(({ atMs, sum }) => [(atMs - beganMs) / minuteMs, sum]),
    [[2, 3]],
  );
});

test('minute book: functions are told by who is to blame, and of them no requests for each target', () => {
  const functions = [{ targetGroupId: 'tg', userErrors: 2, internalErrors: 1, bytes: 500 }];
  const made = book({ n: { functions, group: { requests: 5 }, of: { bytesIn: 10 }, hosts: { isOfFunctions: true } } });
  const sum = (metric: string, more: Partial<MetricSeries> = {}) => points(made, { metric, ...more })[0]?.[1];
  assert.equal(sum('LambdaUserError', { targetGroupId: 'tg' }), 2);
  assert.equal(sum('LambdaInternalError', { targetGroupId: 'tg', loadBalancerId: undefined }), 1);
  assert.equal(sum('LambdaTargetProcessedBytes'), 500);
  assert.equal(sum('ProcessedBytes'), 510);
  assert.equal(sum('RequestCountPerTarget', { targetGroupId: 'tg' }), undefined);
});

test('minute book: anomalous and mitigated hosts are told, also when there are none', () => {
  const series = { metric: 'AnomalousHostCount', targetGroupId: 'tg' };
  const told = book({ n: { hosts: { anomalous: 0, mitigated: 1 } } });
  assert.deepEqual(points(told, series), [[0, 0, 1, 0, 0]]);
  assert.deepEqual(points(told, { metric: 'MitigatedHostCount', targetGroupId: 'tg' }), [[0, 1, 1, 1, 1]]);
});

test('minute book: a series is listed exactly when it has points', () => {
  const made = book({
    n: { group: { requests: 5, responses: { '2xx': 5 }, responseTime: times(1) }, of: { elbResponses: { 503: 1 } } },
    m: { zone: 'b' },
  });
  const listed = new Set(made.seriesOf('lb').map((series) => JSON.stringify(Object.entries(series).sort())));
  assert.equal(listed.size, made.seriesOf('lb').length, 'each once');
  let all = 0;
  for (const [metric, { dimensions }] of Object.entries(catalogue) as [string, Metric][]) {
    for (const set of dimensions) {
      for (const zone of set.includes('Z') ? ['a', 'b'] : [undefined]) {
        const series = {
          metric,
          ...(set.includes('B') && { loadBalancerId: 'lb' }),
          ...(set.includes('G') && { targetGroupId: 'tg' }),
          ...(zone && { zone }),
        };
        const key = JSON.stringify(Object.entries(series).sort());
        assert.equal(made.points(series, whole).length > 0, listed.has(key), key);
        all += 1;
      }
    }
  }
  assert(listed.size > 20 && listed.size < all, `${listed.size} of ${all}`);
  assert.deepEqual(made.seriesOf('other'), []);
});

test('minute book: three hours are kept, and of what was there no trace stays', () => {
  const made = new MinuteBook({ sinceMs: beganMs });
  for (let minute = 1; minute <= 400; minute += 1) {
    const nodes = minute <= 200 ? new Map([['n', node({ group: { requests: minute } })]]) : new Map();
    made.look(beganMs + minute * minuteMs, nodes);
    if (minute === 200) assert.equal(points(made, { metric: 'RequestCount' }).length, 180);
  }
  assert.deepEqual(points(made, { metric: 'RequestCount' }), []);
  assert.deepEqual(made.seriesOf('lb'), []);
  assert.equal(made.sizeBytes, 0);
});

test('minute book: when it is too much, the oldest goes first', () => {
  const bytesMax = 20_000;
  const made = new MinuteBook({ sinceMs: beganMs, bytesMax });
  for (let minute = 1; minute <= 181; minute += 1) {
    const many = Array.from({ length: 20 }, (_, index) => ({
      ...balancer,
      id: `lb-${index}`,
      bytesIn: minute * minute * 7_919,
      newConnections: minute * minute,
    }));
    made.look(beganMs + minute * minuteMs, new Map([['n', { ...node(), loadBalancers: many, hosts: [] }]]));
  }
  assert(made.sizeBytes < 2 * bytesMax, `${made.sizeBytes}`);
  const minutes = points(made, { metric: 'ProcessedBytes', loadBalancerId: 'lb-3' }).map(([minute]) => minute);
  assert.equal(minutes.at(-1), 180);
  assert(minutes.length > 10 && minutes.length < 120, `${minutes.length}`);
});
