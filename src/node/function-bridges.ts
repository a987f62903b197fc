/**
 * Functions as targets: for each there is a small server of its own on loopback that the workers and the health checker
 * take for an ordinary target. What comes in becomes the event that an Application Load Balancer invokes a function
 * with, and what the function gives back becomes the answer.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/services-alb.html
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Log } from '#io/log.ts';
import { after } from '#io/timers.ts';
import type { FunctionCounts } from '#model/node-counts.ts';
import {
  type FunctionError,
  functionErrorField,
  functionErrorPage,
  isInternalError,
} from '#proxy/http1/function-error.ts';
import { answerOf, eventOf, type FunctionAnswer, sizeBytesMax } from './function-event.ts';

/** A function may run for 15 minutes; the load balancer's idle timeout ends most requests before. */
const invocationTimeoutMs = 900_000;
/** "HTTP 504" in the troubleshooting page of Application Load Balancers. */
const connectTimeoutMs = 10_000;

export interface FunctionTarget {
  /** The target's key. */
  readonly key: string;
  /** Where the function is invoked. */
  readonly url: string;
  readonly targetGroupArn: string;
  readonly hasMultiValues: boolean;
}

interface Bridge {
  target: FunctionTarget;
  readonly server: Server;
  readonly counters: FunctionCounters;
  port: number | undefined;
}

type FunctionCounters = { -readonly [Name in Exclude<keyof FunctionCounts, 'targetGroupId'>]: number };

export class FunctionBridges {
  readonly #bridges = new Map<string, Bridge>();
  /** By target group: for as long as one of its functions has a bridge. */
  readonly #counters = new Map<string, FunctionCounters>();
  readonly #onReady: (targetKey: string) => void;
  readonly #log: Log;

  /** `onReady` is told when a function can be reached from now on. */
  constructor(onReady: (targetKey: string) => void, log: Log) {
    this.#onReady = onReady;
    this.#log = log;
  }

  /** Where the function of the target is reached; undefined while it is not yet. */
  port(targetKey: string): number | undefined {
    return this.#bridges.get(targetKey)?.port;
  }

  /** From now on there are bridges to exactly these functions. */
  set(targets: readonly FunctionTarget[]): void {
    const wanted = new Set(targets.map(({ key }) => key));
    for (const [key, { server }] of this.#bridges) {
      if (wanted.has(key)) continue;
      this.#bridges.delete(key);
      server.close();
    }
    for (const target of targets) {
      const bridge = this.#bridges.get(target.key);
      if (bridge === undefined) this.#open(target);
      else bridge.target = target;
    }
    const groups = new Set(targets.map(({ key }) => groupOf(key)));
    for (const group of this.#counters.keys()) if (!groups.has(group)) this.#counters.delete(group);
  }

  stats(): FunctionCounts[] {
    return [...this.#counters].map(([targetGroupId, counters]) => ({ targetGroupId, ...counters }));
  }

  close(): void {
    this.set([]);
  }

  #open(target: FunctionTarget): void {
    const server = createServer({ requireHostHeader: false }, (incoming, outgoing) => {
      void this.#serve(bridge, incoming, outgoing);
    });
    const group = groupOf(target.key);
    const counters = this.#counters.get(group) ?? { userErrors: 0, internalErrors: 0, bytes: 0 };
    this.#counters.set(group, counters);
    const bridge: Bridge = { target, server, counters, port: undefined };
    this.#bridges.set(target.key, bridge);
    // It lives as long as its node, and keeps none alive.
    server.unref();
    server.on('error', (error) => {
      this.#log.error(`the function at ${target.url} cannot be reached: ${error.message}`);
      if (this.#bridges.get(target.key) === bridge) this.#bridges.delete(target.key);
    });
    server.listen(0, '127.0.0.1', () => {
      bridge.port = (server.address() as AddressInfo).port;
      if (this.#bridges.get(target.key) === bridge) this.#onReady(target.key);
    });
  }

  async #serve({ target, counters }: Bridge, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await readAll(incoming, sizeBytesMax);
    if (body === undefined) {
      if (!incoming.complete) return void outgoing.destroy();
      return fail(outgoing, 'LambdaRequestTooLarge', counters);
    }
    const event = eventOf(target, incoming, body);
    counters.bytes += Buffer.byteLength(event);
    const told = await invoke(target.url, event, outgoing, counters);
    if ('error' in told) {
      this.#log.warn(`the function at ${target.url} gave no answer: ${told.reason}`);
      return fail(outgoing, told.error, counters);
    }
    const { statusCode, statusDescription, headers, body: text } = told;
    try {
      outgoing.writeHead(statusCode, statusDescription, headers);
    } catch (error) {
      this.#log.warn(`the function at ${target.url} answered what no answer can hold: ${(error as Error).message}`);
      return fail(outgoing, 'LambdaInvalidResponse', counters);
    }
    outgoing.end(text);
  }
}

interface Failure {
  readonly error: FunctionError;
  readonly reason: string;
}

/** The function's answer, or why there is none. Broken off when nobody waits for it any more. */
function invoke(
  url: string,
  event: string,
  outgoing: ServerResponse,
  counters: FunctionCounters,
): Promise<FunctionAnswer | Failure> {
  return new Promise((resolve) => {
    const send = url.startsWith('https:') ? secureRequest : request;
    const asked = send(url, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(event) },
    });
    const finish = (outcome: FunctionAnswer | Failure) => {
      connecting.stop();
      invoking.stop();
      resolve(outcome);
    };
    const giveUp = (error: FunctionError, reason: string) => {
      finish({ error, reason });
      asked.destroy();
    };
    const connecting = after(connectTimeoutMs, () => giveUp('LambdaConnectionTimeout', 'it took too long to connect'));
    const invoking = after(invocationTimeoutMs, () => giveUp('LambdaUnhandled', 'it took too long'));
    asked.on('socket', (socket) => {
      socket.on(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => connecting.stop());
    });
    outgoing.on('close', () => asked.destroy());
    asked.on('error', (error) => finish({ error: 'LambdaUnhandledException', reason: error.message }));
    asked.on('response', async (response) => finish(await toldBy(response, counters)));
    asked.end(event);
  });
}

/** By what an endpoint answers with, see "Invoke" in the API reference of Lambda. */
const errorOfStatus: Readonly<Record<number, FunctionError>> = {
  403: 'LambdaAccessDenied',
  404: 'LambdaResourceNotFound',
  429: 'LambdaThrottling',
};

async function toldBy(response: IncomingMessage, counters: FunctionCounters): Promise<FunctionAnswer | Failure> {
  const bytes = await readAll(response, sizeBytesMax);
  const failed = response.headers['x-amz-function-error'];
  counters.bytes += bytes?.length ?? 0;
  const status = response.statusCode ?? 0;
  if (bytes === undefined) {
    return response.complete
      ? { error: 'LambdaResponseTooLarge', reason: `its answer is longer than ${sizeBytesMax} bytes` }
      : { error: 'LambdaUnhandledException', reason: 'its answer broke off' };
  }
  if (failed !== undefined) return { error: 'LambdaUnhandled', reason: `it failed (${String(failed).slice(0, 100)})` };
  if (status !== 200) {
    const error = errorOfStatus[status] ?? 'LambdaServiceException';
    return { error, reason: `its endpoint answered with status ${status}` };
  }
  const answer = answerOf(bytes);
  return typeof answer === 'string' ? { error: 'LambdaInvalidResponse', reason: answer } : answer;
}

/** The target group that a target's key begins with. */
function groupOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

/** All of a message's body; undefined when it is too long, or breaks off. */
function readAll(message: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    message.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= bytesMax) chunks.push(chunk);
      else chunks.length = 0;
    });
    message.on('end', () => resolve(length > bytesMax ? undefined : Buffer.concat(chunks)));
    message.on('error', () => resolve(undefined));
    message.on('close', () => resolve(undefined));
  });
}

/** Answers in the function's place, so that the worker knows it. */
function fail(outgoing: ServerResponse, error: FunctionError, counters: FunctionCounters): void {
  // Where nobody waits any more, the client left, and the function is not to blame.
  if (!outgoing.destroyed) counters[isInternalError(error) ? 'internalErrors' : 'userErrors'] += 1;
  const { status, contentType, body } = functionErrorPage(error);
  if (!outgoing.headersSent) {
    outgoing.writeHead(status, {
      server: 'ballast',
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      [functionErrorField]: error,
    });
  }
  outgoing.end(body);
}
