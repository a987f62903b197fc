import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { rolls } from '#base/rolls.ts';
import { layOut, pickByWeight } from '#routing/pick/by-weight.ts';
import { type GroupState, intervalsMax, isForgettable, judge } from './anomalies.ts';
import { evidenceOfDifference, isFarWorse, type Outcomes, regain, type Trust } from './evidence.ts';

/** A group under load: requests go to targets by their weights, each fails as often as its target does. */
class Load {
  readonly rates: number[];
  readonly roll: () => number;
  state: GroupState = new Map();
  mitigates = true;
  /** To each target in the last interval. */
  requests: number[] = [];

  constructor(rates: readonly number[], seed = 1) {
    this.rates = [...rates];
    this.roll = rolls(seed);
  }

  interval(requestsCount: number): this {
    const weights = this.rates.map((_, index) => this.state.get(`${index}`)?.weight ?? 1);
    const choices = layOut([...weights.keys()], weights);
    const failed = this.rates.map(() => 0);
    this.requests = this.rates.map(() => 0);
    for (let count = 0; count < requestsCount; count += 1) {
      const index = pickByWeight(choices, [], this.roll())!;
      this.requests[index]! += 1;
      if (this.roll() < this.rates[index]!) failed[index]! += 1;
    }
    const outcomes = new Map(
      this.requests.map((ended, index): [string, Outcomes] => [`${index}`, { ended, failed: failed[index]! }]),
    );
    const targets = this.rates.map((_, index) => `${index}`);
    this.state = judge(this.state, { targets, outcomes, mitigates: this.mitigates });
    return this;
  }

  intervals(count: number, requestsCount: number): this {
    for (let each = 0; each < count; each += 1) this.interval(requestsCount);
    return this;
  }

  get anomalous(): number[] {
    return [...this.state].flatMap(([key, { trust }]) => (trust === undefined ? [] : [Number(key)]));
  }

  weight(index: number): number {
    return this.state.get(`${index}`)!.weight;
  }
}

const uniform = (count: number, rate: number) => Array.from({ length: count }, () => rate);

test('anomalies: where all fail alike nobody is accused, however often and however many they are', () => {
  let accusations = 0;
  for (const targets of [3, 4, 10, 60]) {
    for (const rate of [0, 0.001, 0.01, 0.1, 0.5, 0.9, 1]) {
      for (const requests of [1, 10, 100]) {
        const load = new Load(uniform(targets, rate), targets * 1_000 + requests);
        for (let interval = 0; interval < 40; interval += 1) {
          load.interval(targets * requests);
          accusations += load.anomalous.length;
        }
      }
    }
  }
  // In 64,680 looks at a target.
  assert.equal(accusations, 0);
});

test('anomalies: in a large group somebody is always the worst by chance, and not accused for it', () => {
  // What a thousand targets of one failure in a hundred look like after a hundred requests each.
  const howMany = [368, 368, 184, 61, 15, 3, 0, 1];
  const failures = howMany.flatMap((count, failed) => uniform(count, failed));
  const targets = failures.map((_, index) => `${index}`);
  const outcomes = new Map(failures.map((failed, index): [string, Outcomes] => [`${index}`, { ended: 100, failed }]));
  const state = judge(new Map(), { targets, outcomes, mitigates: true });
  assert([...state.values()].every(({ trust }) => trust === undefined));
});

test('anomalies: one that fails half of its requests is found within a few dozen, and gets less in each interval', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const load = new Load([0.5, 0, 0, 0], seed);
    let requests = 0;
    for (; load.anomalous.length === 0; requests += load.requests[0]!) {
      load.interval(20);
      assert(requests < 60, `${requests} requests and not found`);
    }
    assert.deepEqual(load.anomalous, [0]);
    assert.equal(load.weight(0), 0.5);
    load.intervals(6, 400);
    assert.deepEqual(load.anomalous, [0]);
    assert.equal(load.weight(0), 1 / 32, 'down to a little, and no further: it is to show when it is well');
    assert(load.requests[0]! < 20 && load.requests[1]! > 100, `${load.requests}`);
  }
});

test('anomalies: one that is well again is believed, and gets its share back in small steps', () => {
  const load = new Load([0.5, 0, 0, 0]).intervals(8, 400);
  assert.equal(load.weight(0), 1 / 32);
  load.rates[0] = 0;
  let intervals = 0;
  for (; load.anomalous.length > 0; intervals += 1) load.interval(400);
  assert(intervals >= 2 && intervals <= 6, `${intervals} intervals`);
  const before = load.weight(0);
  load.interval(400);
  assert.equal(load.weight(0), before + 1 / 8);
  load.intervals(8, 400);
  assert.equal(load.weight(0), 1);
  assert.deepEqual(load.anomalous, []);
});

test('anomalies: one that still fails as it did stays anomalous', () => {
  for (const rate of [0.1, 0.5, 1]) {
    const load = new Load([rate, 0.001, 0.001, 0.001, 0.001]).intervals(10, 2_000);
    let normal = 0;
    for (let interval = 0; interval < 200; interval += 1) normal += load.interval(2_000).anomalous.includes(0) ? 0 : 1;
    assert(normal <= 4, `${rate}: taken for normal in ${normal} of 200 intervals`);
  }
});

test('anomalies: up to half of the targets are found together, also by how little more they fail than the others', () => {
  assert.deepEqual(new Load([1, 1, 0, 0]).interval(400).anomalous, [0, 1]);
  const many = new Load([...uniform(30, 0.2), ...uniform(31, 0.01)]).intervals(3, 6_100);
  assert.deepEqual(
    many.anomalous,
    uniform(30, 0).map((_, index) => index),
  );
  assert.deepEqual(new Load([0.02, 0.002, 0.002, 0.002]).intervals(12, 8_000).anomalous, [0]);
});

test('anomalies: where most fail, or most of those that are left, it is not they who stand out', () => {
  assert(new Load([1, 1, 1, 0]).intervals(3, 400).anomalous.length <= 2);
  assert.deepEqual(new Load([...uniform(5, 0.5), 0]).intervals(3, 600).anomalous, []);
  const load = new Load([1, 1, 1, 0, 0, 0, 0]).interval(700);
  assert.deepEqual(load.anomalous, [0, 1, 2]);
  load.rates.length = 4;
  load.interval(0);
  assert.deepEqual(load.anomalous, [], 'doubted, and looked at anew');
  assert.equal(load.weight(0), 0.625);
});

test('anomalies: never are more than half of the targets anomalous, whatever comes', () => {
  const interval = fc.array(fc.tuple(fc.nat(400), fc.double({ min: 0, max: 1, noNaN: true })), {
    minLength: 1,
    maxLength: 9,
  });
  fc.assert(
    fc.property(fc.array(interval, { maxLength: 12 }), fc.boolean(), (intervals, mitigates) => {
      let state: GroupState = new Map();
      for (const each of intervals) {
        const targets = each.map((_, index) => `${index}`);
        const outcomes = new Map(
          each.map(([ended, rate], index): [string, Outcomes] => [
            `${index}`,
            { ended, failed: Math.floor(ended * rate) },
          ]),
        );
        state = judge(state, { targets, outcomes, mitigates });
        const states = [...state.values()];
        assert(states.filter(({ trust }) => trust !== undefined).length <= targets.length / 2);
        for (const { weight, recent } of states) {
          assert(mitigates ? weight >= 1 / 32 && weight <= 1 : weight === 1);
          assert(recent.length <= intervalsMax);
        }
        if (targets.length < 3) assert.equal(state.size, 0, 'there are no peers');
      }
    }),
    { seed: 20, numRuns: 300 },
  );
});

test('anomalies: when everybody begins to fail alike, the one that did before stands out no more', () => {
  const load = new Load([0.5, 0, 0, 0]).intervals(6, 400);
  load.rates.fill(0.5);
  load.intervals(intervalsMax + 2, 400);
  assert.deepEqual(load.anomalous, []);
});

test('anomalies: without mitigation all keep their share, and one that hears nothing is forgiven in time', () => {
  const load = new Load([0.5, 0, 0]);
  load.mitigates = false;
  load.intervals(3, 300);
  assert.deepEqual(load.anomalous, [0]);
  assert.equal(load.weight(0), 1);
  load.mitigates = true;
  assert.equal(load.interval(300).weight(0), 0.5);
  load.mitigates = false;
  assert.equal(load.interval(300).weight(0), 1, 'at once, when it is turned off');
  load.intervals(59, 0);
  assert.deepEqual(load.anomalous, [0]);
  assert.equal(isForgettable(load.state), false);
  load.interval(0);
  assert.deepEqual(load.anomalous, []);
  assert.equal(isForgettable(load.state), true);
});

test('evidence: few requests accuse nobody, and neither does a difference that nobody would act on', () => {
  const rest = { ended: 1_000_000, failed: 0 };
  assert.equal(isFarWorse({ ended: 9, failed: 9 }, rest), false);
  assert.equal(isFarWorse({ ended: 1_000, failed: 4 }, rest), false);
  assert.equal(isFarWorse({ ended: 10, failed: 10 }, rest), true);
  assert.equal(
    isFarWorse({ ended: 1e9, failed: 9e6 }, { ended: 1e9, failed: 1e6 }),
    false,
    'less than one in a hundred',
  );
  assert.equal(isFarWorse({ ended: 1e9, failed: 5e8 }, { ended: 1e9, failed: 3e8 }), false, 'not three times the odds');
  assert.equal(isFarWorse({ ended: 10, failed: 5 }, { ended: 20, failed: 0 }), false, 'chance');
  assert.equal(isFarWorse({ ended: 30, failed: 15 }, { ended: 60, failed: 0 }), true);
});

test('evidence: is never negative, none for equal rates, and grows with the number of requests', () => {
  const outcomes = fc
    .tuple(fc.nat(10_000), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([ended, rate]): Outcomes => ({ ended, failed: Math.floor(ended * rate) }));
  fc.assert(
    fc.property(outcomes, outcomes, (one, other) => {
      const evidence = evidenceOfDifference(one, other);
      assert(evidence >= -1e-6 && Number.isFinite(evidence));
      const twice = ({ ended, failed }: Outcomes) => ({ ended: 2 * ended, failed: 2 * failed });
      assert(Math.abs(evidenceOfDifference(twice(one), twice(other)) - 2 * evidence) < 1e-6);
      assert(Math.abs(evidenceOfDifference(one, twice(one))) < 1e-6);
    }),
    { seed: 20 },
  );
});

test('evidence: trust is regained after as many successes as it takes to believe them', () => {
  const peers = { ended: 1_000, failed: 1 };
  const needed = (accusedOf: number) => {
    let trust: Trust | undefined = { accusedOf, gained: 0 };
    let successes = 0;
    for (; trust !== undefined; successes += 1) trust = regain(trust, { ended: 1, failed: 0 }, peers);
    return successes;
  };
  assert.deepEqual([1, 0.5, 0.1].map(needed), [3, 10, 67]);
  const nearly: Trust = { accusedOf: 0.5, gained: 6.5 };
  assert.equal(regain(nearly, { ended: 1, failed: 0 }, peers), undefined);
  assert(regain(nearly, { ended: 1, failed: 1 }, peers)!.gained < 1, 'one failure takes most of it');
  assert.equal(regain(nearly, { ended: 1, failed: 1 }, { ended: 100, failed: 50 }), undefined, 'all are as bad');
});
