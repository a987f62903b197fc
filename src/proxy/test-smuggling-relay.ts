/**
 * A relay that believes its own way of reading, and forwards what came as it is over one connection for everybody: what
 * smuggling works on, so that whoever looks for smuggling can be seen to find it.
 */
import { once } from 'node:events';
import net from 'node:net';
import type { TestContext } from 'node:test';
import { AnswerReader } from './test-answers.ts';
import { type Habits, PlausibleServer } from './test-plausible-servers.ts';
import type { Front } from './test-smuggling-stand.ts';

export async function startRelay(t: TestContext, target: number, habits: Habits): Promise<Front> {
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
