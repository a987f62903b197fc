/**
 * What llhttp, the parser inside Node, makes of bytes, in its strict mode: the oracle that this engine's own readers
 * are held against. Requests go through a real `http.Server` and responses through a real `http.request`, over a socket
 * that exists in memory alone, so a reading costs well under a millisecond. What Node adds to llhttp (limits, a demand
 * for Host, answers to Expect) is switched off, so that what is left is the parser's word.
 */
import http from 'node:http';
import { Duplex } from 'node:stream';

/** One message as a reader understands it; bytes are latin1 text, one character for each. */
export interface MessageReading {
  /** `METHOD TARGET VERSION`, or `STATUS VERSION`. */
  readonly line: string;
  /** Name, value, name, value … */
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  readonly isComplete: boolean;
  /** Whether another message may follow on the connection. */
  readonly keepsAlive: boolean;
}

/** What was read up to the first byte that was refused, if one was. */
export interface StreamReading {
  readonly messages: readonly MessageReading[];
  /** Why it stopped; undefined: it would have read on. */
  readonly refusal: string | undefined;
}

/** A socket that nobody is connected to: what is pushed has arrived, what is written is gone. */
class MemorySocket extends Duplex {
  override _read(): void {}
  override _write(_bytes: Buffer, _encoding: string, done: () => void): void {
    done();
  }
}

const maxHeaderSize = 16 * 1024 * 1024;

export class RequestOracle {
  readonly #server = http.createServer({
    insecureHTTPParser: false,
    requireHostHeader: false,
    maxHeaderSize,
    headersTimeout: 0,
    requestTimeout: 0,
  });
  #requests: { readonly request: http.IncomingMessage; readonly pieces: Buffer[]; readonly keepsAlive: boolean }[] = [];
  #refusal: string | undefined;

  constructor() {
    this.#server.maxHeadersCount = 0;
    const take = (request: http.IncomingMessage, response: http.ServerResponse) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('error', () => {});
      this.#requests.push({ request, pieces, keepsAlive: response.shouldKeepAlive });
    };
    // Node would answer these by itself.
    for (const event of ['request', 'checkContinue', 'checkExpectation']) this.#server.on(event, take);
    this.#server.on('clientError', (error: NodeJS.ErrnoException) => {
      this.#refusal ??= error.code ?? error.message;
    });
  }

  /** Reads everything that `bytes` hold; one reading at a time. */
  async read(bytes: Buffer): Promise<StreamReading> {
    this.#requests = [];
    this.#refusal = undefined;
    const socket = new MemorySocket();
    socket.on('error', () => {});
    this.#server.emit('connection', socket);
    socket.push(Buffer.from(bytes));
    await settled();
    const messages = this.#requests.map(({ request, pieces, keepsAlive }) => ({
      line: `${request.method} ${request.url} ${request.httpVersion}`,
      ...contentOf(request, pieces),
      keepsAlive,
    }));
    const reading = { messages, refusal: this.#refusal };
    socket.destroy();
    return reading;
  }
}

/** The answer to one request, with the interim ones before it. */
export class ResponseOracle {
  /** `isWhole`: the connection ends behind the bytes. */
  async read(
    bytes: Buffer,
    { method = 'GET', isWhole = false }: { readonly method?: string; readonly isWhole?: boolean } = {},
  ): Promise<StreamReading> {
    const socket = new MemorySocket();
    const agent = new http.Agent({ keepAlive: true });
    agent.createConnection = () => socket;
    agent.keepSocketAlive = () => false;
    const request = http.request({ agent, method, host: 'oracle', insecureHTTPParser: false, maxHeaderSize });
    request.maxHeadersCount = 0;
    const messages: MessageReading[] = [];
    let refusal: string | undefined;
    let final: { readonly response: http.IncomingMessage; readonly pieces: readonly Buffer[] } | undefined;
    request.on('information', (answer) => messages.push(interim(answer)));
    request.on('upgrade', (answer: http.IncomingMessage) => messages.push(interim(answer)));
    request.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', () => {});
      final = { response, pieces };
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      refusal ??= error.code ?? error.message;
    });
    request.end();
    await settled();
    socket.push(Buffer.from(bytes));
    if (isWhole) socket.push(null);
    await settled();
    if (final !== undefined) {
      const { response, pieces } = final;
      const line = `${response.statusCode} ${response.httpVersion}`;
      messages.push({ line, ...contentOf(response, pieces), keepsAlive: request.shouldKeepAlive });
    }
    const reading = { messages, refusal };
    socket.destroy();
    return reading;
  }
}

function interim(answer: http.InformationEvent | http.IncomingMessage): MessageReading {
  const line = `${answer.statusCode} ${answer.httpVersion}`;
  return { line, fields: answer.rawHeaders, body: '', trailers: [], isComplete: true, keepsAlive: true };
}

function contentOf(message: http.IncomingMessage, pieces: readonly Buffer[]) {
  return {
    fields: message.rawHeaders,
    body: Buffer.concat(pieces).toString('latin1'),
    trailers: message.rawTrailers,
    isComplete: message.complete,
  };
}

/** Everything that follows from bytes in memory has happened when the event loop has gone round. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}
