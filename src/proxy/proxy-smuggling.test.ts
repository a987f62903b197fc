/**
 * Request smuggling: payloads over raw connections, through a real worker, to a target that records every byte. What
 * any target can be thought to make of what came is what was asked: as many requests, with the same bytes. And whoever
 * comes next on the same connection gets the answer to the own request.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test, { type TestContext } from 'node:test';
import { AnswerReader } from './test-answers.ts';
import { type Habits, PlausibleServer, plausibleServers } from './test-plausible-servers.ts';
import { acceptPaths, startProxy, usualRequestFields } from './test-proxy.ts';
import { type Payload, smugglingPayloads } from './test-smuggling-payloads.ts';
import { type Attack, attack, type Front, startRecorder } from './test-smuggling-stand.ts';

const desyncModes = ['monitor', 'defensive', 'strictest'] as const;

function attackIn(mode: (typeof desyncModes)[number], { name, send, answers, monitor, strictest }: Payload): Attack {
  return { name, send, answers: { monitor, defensive: undefined, strictest }[mode] ?? answers };
}

for (const desyncMode of desyncModes) {
  for (const acceptPath of acceptPaths) {
    test(`smuggling (${acceptPath}, ${desyncMode}): no payload is two requests to any server, or poisons a connection`, async (t) => {
      const recorder = await startRecorder(t);
      recorder.judgesOddities = desyncMode === 'strictest';
      const loadBalancer = { requestFields: { ...usualRequestFields, desyncMode } };
      const parts = { targets: [recorder.port], loadBalancer };
      const { port, proxy, balancer, group } = await startProxy(t, parts, { acceptPath });
      const front: Front = {
        port,
        requests: () => group().requests,
        bytesIn: () => balancer().bytesIn,
        isQuiet: () => {
          const { activeConnections, targets } = proxy.stats();
          return activeConnections === 0 && targets.every(({ outstanding }) => outstanding === 0);
        },
      };
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

/** A relay that believes its own way of reading, and forwards what came as it is over one connection for everybody. */
async function startRelay(t: TestContext, target: number, habits: Habits): Promise<Front> {
  const counts = { requests: 0, bytes: 0, open: 0 };
  const waiting: { readonly client: net.Socket; readonly isLast: boolean }[] = [];
  let pooled: net.Socket | undefined;
  const connection = () => {
    if (pooled !== undefined) return pooled;
    const reader = new AnswerReader();
    for (let count = 0; count < 20; count += 1) reader.expect('GET');
    const socket = net.connect(target, '127.0.0.1').setEncoding('latin1');
    pooled = socket;
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => {
      pooled = undefined;
      for (const { client } of waiting.splice(0)) client.destroy();
    });
    socket.on('data', (text: string) => {
      reader.push(text);
      for (const { head, body } of reader.answers.splice(0)) {
        // An answer too many is kept for whoever comes next.
        answersLeft.push(`${head}\r\n\r\n${body}`);
      }
      deliver();
    });
    return socket;
  };
  const answersLeft: string[] = [];
  const deliver = () => {
    while (waiting.length > 0 && answersLeft.length > 0) {
      const { client, isLast } = waiting.shift()!;
      const answer = answersLeft.shift()!;
      client.write(answer, 'latin1');
      if (isLast || answer.includes('Connection: close')) client.end();
    }
  };
  const server = net.createServer((client) => {
    const reader = new PlausibleServer(habits);
    counts.open += 1;
    client.setEncoding('latin1').on('error', () => {});
    client.on('close', () => {
      counts.open -= 1;
    });
    client.on('data', (text: string) => {
      counts.bytes += text.length;
      reader.push(text);
      for (const { raw, fields } of reader.seen.splice(0)) {
        counts.requests += 1;
        waiting.push({ client, isLast: fields.includes('connection') });
        connection().write(raw, 'latin1');
        deliver();
      }
      if (reader.complaint !== undefined) client.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  return { port, requests: () => counts.requests, bytesIn: () => counts.bytes, isQuiet: () => counts.open === 0 };
}
