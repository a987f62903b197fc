/**
 * Request smuggling: payloads over raw connections, through a real worker, to a target that records every byte. What
 * any target can be thought to make of what came is what was asked: as many requests, with the same bytes. And whoever
 * comes next on the same connection gets the answer to the own request.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Habits, plausibleServers } from './test-plausible-servers.ts';
import { socketPaths, startProxy, usualRequestFields } from './test-proxy.ts';
import { type Payload, smugglingPayloads } from './test-smuggling-payloads.ts';
import { startRelay } from './test-smuggling-relay.ts';
import { type Attack, attack, frontOf, startRecorder } from './test-smuggling-stand.ts';

const desyncModes = ['monitor', 'defensive', 'strictest'] as const;

function attackIn(mode: (typeof desyncModes)[number], { name, send, answers, monitor, strictest }: Payload): Attack {
  return { name, send, answers: { monitor, defensive: undefined, strictest }[mode] ?? answers };
}

for (const desyncMode of desyncModes) {
  for (const socketPath of socketPaths) {
    test(`smuggling (${socketPath}, ${desyncMode}): no payload is two requests to any server, or poisons a connection`, async (t) => {
      const recorder = await startRecorder(t);
      recorder.judgesOddities = desyncMode === 'strictest';
      const loadBalancer = { requestFields: { ...usualRequestFields, desyncMode } };
      const parts = { targets: [recorder.port], loadBalancer };
      const front = frontOf(await startProxy(t, parts, { socketPath }));
      const faults: string[] = [];
      for (const payload of smugglingPayloads) {
        faults.push(...(await attack(t, front, recorder, attackIn(desyncMode, payload))));
      }
      assert.deepEqual(faults, []);
    });
  }
}

interface Weakness {
  readonly habits: Habits;
  readonly payloads: readonly string[];
  /** As what the target answers, if a strict one would wait for ever. */
  readonly target?: keyof typeof plausibleServers;
}

/** What a relay gets wrong, and payloads with which it must be caught. */
const weaknesses: readonly Weakness[] = [
  { habits: plausibleServers['prefers the length'], payloads: ['CL.TE', 'CL.CL', 'CL.TE, the coding in capitals'] },
  {
    habits: plausibleServers['prefers chunks'],
    payloads: ['TE.CL', 'a length with a plus', 'chunks, the coding behind a vertical tab'],
  },
  {
    habits: plausibleServers['sees chunked anywhere'],
    payloads: ['chunks, the coding before a coding that nobody knows', 'chunks, the coding with a letter before it'],
  },
  { habits: plausibleServers['knows the word chunked alone'], payloads: ['CL.TE with chunked twice'] },
  {
    habits: { ...plausibleServers.strict, lineEnds: 'lf' },
    payloads: ['a bare LF as the empty line', 'EXT.TERM: a bare LF behind an extension'],
  },
  { habits: { ...plausibleServers.strict, digits: 'number' }, payloads: ['a list of lengths', 'a chunk size with 0x'] },
  {
    habits: plausibleServers['is written in C'],
    payloads: ['chunks, the coding before a NUL', 'two letters behind a chunk'],
  },
  {
    habits: plausibleServers['counts chunks with 32 bits'],
    payloads: ['a chunk size of 2^32 and five'],
    target: 'counts chunks with 32 bits',
  },
];

test('smuggling: a relay that believes its own way of reading is caught by every payload made for it', async (t) => {
  for (const { habits, payloads, target } of weaknesses) {
    for (const name of payloads) {
      const recorder = await startRecorder(t, target);
      const relay = await startRelay(t, recorder.port, habits);
      const { send } = smugglingPayloads.find((payload) => payload.name === name)!;
      const faults = await attack(t, relay, recorder, { name, send, answers: [] });
      assert(
        faults.some((fault) => /a server that|a strict server refuses|the target saw/.test(fault)),
        `'${name}' passed a relay whose habits are ${JSON.stringify(habits)}: ${faults}`,
      );
    }
  }
});

test('smuggling: an answer that reaches somebody else is noticed', async (t) => {
  const recorder = await startRecorder(t, 'prefers chunks');
  const relay = await startRelay(t, recorder.port, plausibleServers['prefers the length']);
  const { name, send } = smugglingPayloads.find((payload) => payload.name === 'CL.TE')!;
  const faults = await attack(t, relay, recorder, { name, send, answers: [200] });
  assert(
    faults.some((fault) => /\/innocent\/\d+ got .*\/smuggled/.test(fault)),
    `${faults}`,
  );
});
