/**
 * Request smuggling: payloads over raw connections, through a real worker, to a target that records every byte. Whatever
 * a target can be thought to make of what came is what was asked: as many requests, with the same bytes, and whoever
 * comes next on the same connection gets the answer to the own request.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';
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
  for (const acceptPath of desyncMode === 'defensive' ? acceptPaths : (['fast'] as const)) {
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
