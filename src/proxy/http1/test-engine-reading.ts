/**
 * What this engine's readers make of bytes, in the words of the oracle: heads, bodies and trailers of everything on one
 * connection, whatever pieces it comes in. It does with the readers what a connection does, and checks on the way that
 * forwarding a body and taking its chunks out agree about where it ends.
 */
import assert from 'node:assert/strict';
import { FieldSection } from './field-section.ts';
import { MessageBody, malformedBody } from './message-body.ts';
import { RequestHead } from './request-head.ts';
import { ResponseHead } from './response-head.ts';
import type { MessageReading, StreamReading } from './test-llhttp.ts';

interface Head {
  begin(): void;
  readonly fields: FieldSection;
  readonly bodyKind: RequestHead['bodyKind'];
  readonly contentLength: number;
  readonly minorVersion: number;
  readonly keepsAlive: boolean;
}

/** What differs between requests and responses. */
interface Kind<AnyHead extends Head> {
  readonly head: AnyHead;
  /** 0: more is needed; 1: complete; anything else refuses. */
  read(bytes: Buffer, base: number, end: number): number;
  line(bytes: Buffer, base: number): string;
  /** What comes behind a message: another one, or nothing that is HTTP. */
  follows(): 'another' | 'tunnel' | 'nothing';
}

export interface EngineReading extends StreamReading {
  /** Where the last complete message ends. */
  readonly end: number;
  /** Whatever follows is no message of this reader. */
  readonly isOver: boolean;
}

/** Reads requests; `cuts` are the ends of the pieces in which the bytes come. */
export function readRequests(bytes: Buffer, cuts: readonly number[] = []): EngineReading {
  const head = new RequestHead();
  const text = (room: Buffer, start: number, end: number) => room.toString('latin1', start, end);
  return new Reader<RequestHead>({
    head,
    read: (room, base, end) => head.read(room, base, end),
    line: (room, base) => {
      const method = text(room, base + head.start, base + head.methodEnd);
      return `${method} ${text(room, base + head.targetStart, base + head.targetEnd)} 1.${head.minorVersion}`;
    },
    follows: () => (head.isUpgrade ? 'tunnel' : head.keepsAlive ? 'another' : 'nothing'),
  }).readAll(bytes, cuts);
}

/**
 * Reads the answer to one request, with the interim ones before it; `isWhole`: the connection ends behind the bytes.
 */
export function readResponse(
  bytes: Buffer,
  { cuts = [], method = 'GET', isWhole = false }: ResponseCircumstances = {},
): EngineReading {
  const head = new ResponseHead();
  const reader = new Reader<ResponseHead>({
    head,
    read: (room, base, end) => head.read(room, base, end, method === 'HEAD'),
    line: () => `${head.status} 1.${head.minorVersion}`,
    follows: () => (head.status === 101 ? 'tunnel' : head.status < 200 ? 'another' : 'nothing'),
  });
  const reading = reader.readAll(bytes, cuts);
  return isWhole ? reader.atEnd() : reading;
}

export interface ResponseCircumstances {
  readonly cuts?: readonly number[];
  readonly method?: string;
  readonly isWhole?: boolean;
}

/** A head that says what has begun, and the body behind it. */
interface Begun {
  readonly reading: Pick<MessageReading, 'line' | 'fields' | 'keepsAlive'>;
  readonly body: MessageBody;
  readonly extracting: MessageBody;
  data: string;
  raw: string;
}

class Reader<AnyHead extends Head> {
  readonly #kind: Kind<AnyHead>;
  readonly #messages: MessageReading[] = [];
  #refusal: string | undefined;
  #begun: Begun | undefined;
  #isOver = false;
  #at = 0;
  #end = 0;

  constructor(kind: Kind<AnyHead>) {
    this.#kind = kind;
    this.#kind.head.begin();
  }

  readAll(bytes: Buffer, cuts: readonly number[]): EngineReading {
    const room = Buffer.alloc(bytes.length, 0x5a);
    for (const cut of [...cuts, bytes.length]) {
      bytes.copy(room, 0, 0, cut);
      this.#readUpTo(room, cut);
    }
    return this.#reading();
  }

  /** The connection has ended: what lasts up to there is complete. */
  atEnd(): EngineReading {
    if (this.#begun?.body.kind === 'until-close') this.#complete(this.#begun);
    return this.#reading();
  }

  #reading(): EngineReading {
    const begun = this.#begun;
    const open = begun && { ...begun.reading, body: begun.data, trailers: [], isComplete: false };
    const messages = [...this.#messages, ...(open ? [open] : [])];
    return { messages, refusal: this.#refusal, end: this.#end, isOver: this.#isOver };
  }

  #readUpTo(room: Buffer, end: number): void {
    while (!this.#isOver && this.#refusal === undefined) {
      const goesOn = this.#begun === undefined ? this.#readHead(room, end) : this.#readBody(this.#begun, room, end);
      if (!goesOn) return;
    }
  }

  #readHead(room: Buffer, end: number): boolean {
    const { head } = this.#kind;
    const base = this.#at;
    const progress = this.#kind.read(room, base, end);
    if (progress === 0) return false;
    if (progress !== 1) {
      this.#refusal = String(progress);
      return false;
    }
    const { fields, keepsAlive } = head;
    this.#at = base + fields.end;
    const body = new MessageBody();
    const extracting = new MessageBody();
    body.begin(head.bodyKind, head.contentLength, false);
    extracting.begin(head.bodyKind, head.contentLength, true);
    const reading = { line: this.#kind.line(room, base), fields: linesOf(fields, room, base), keepsAlive };
    this.#begun = { reading, body, extracting, data: '', raw: '' };
    if (body.isDone) this.#complete(this.#begun);
    return true;
  }

  #readBody(begun: Begun, room: Buffer, end: number): boolean {
    const start = this.#at;
    const bodyEnd = begun.body.scan(room, start, end);
    const copy = Buffer.from(room.subarray(start, end));
    const extractedEnd = begun.extracting.scan(copy, 0, copy.length);
    assert.equal(begun.extracting.isDone, begun.body.isDone, 'both ways find the end of a body');
    begun.data += copy.toString('latin1', 0, begun.extracting.passedEnd);
    if (bodyEnd === malformedBody) {
      assert.equal(extractedEnd, malformedBody, 'both ways refuse a body');
      this.#refusal = 'body';
      return false;
    }
    assert.equal(extractedEnd, bodyEnd - start, 'both ways use the same bytes');
    begun.raw += room.toString('latin1', start, bodyEnd);
    this.#at = bodyEnd;
    if (begun.body.isDone) this.#complete(begun);
    return begun.body.isDone;
  }

  #complete({ reading, body, data, raw }: Begun): void {
    const trailers = body.kind === 'chunked' ? trailersOf(raw) : [];
    this.#messages.push({ ...reading, body: data, trailers, isComplete: true });
    this.#begun = undefined;
    this.#end = this.#at;
    this.#isOver = this.#kind.follows() !== 'another';
    this.#kind.head.begin();
  }
}

function linesOf(fields: FieldSection, bytes: Buffer, base: number): string[] {
  return Array.from({ length: fields.count }, (_, index) => [
    bytes.toString('latin1', base + fields.lineStart(index), base + fields.nameEnd(index)),
    bytes.toString('latin1', base + fields.valueStart(index), base + fields.valueEnd(index)),
  ]).flat();
}

/** The trailer fields of a chunked body that was found good, read by the reader of heads. */
function trailersOf(raw: string): string[] {
  let at = 0;
  for (;;) {
    const lineEnd = raw.indexOf('\r\n', at);
    const size = Number.parseInt(raw.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) break;
    at += size + 2;
  }
  const lines = raw.slice(at).split('\r\n');
  assert.deepEqual(lines.splice(-2), ['', ''], 'a trailer section ends with its body');
  const trailers: string[] = [];
  // Of trailers only the bytes are limited; a head has so many lines and no more.
  for (let start = 0; start < lines.length; start += linesAtATime) {
    const some = lines.slice(start, start + linesAtATime);
    const bytes = Buffer.from(`${some.join('\r\n')}\r\n\r\n`, 'latin1');
    const fields = new FieldSection();
    fields.begin(0);
    assert.equal(fields.read(bytes, 0, bytes.length), 1, 'a trailer section that passed is one that can be read');
    assert.equal(fields.count, some.length, 'every line of it is a field');
    trailers.push(...linesOf(fields, bytes, 0));
  }
  return trailers;
}

const linesAtATime = 100;
