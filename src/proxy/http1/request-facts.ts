/**
 * What rules look at, in an HTTP/1 request head. One is enough for a worker: what it says is true until the next head
 * takes its place. With a single rule nothing of it is ever worked out.
 */
import type { RequestFacts } from '#routing/request.ts';
import { equalsIgnoringCase } from './bytes.ts';
import type { RequestHead } from './request-head.ts';

interface Connected {
  readonly clientAddress: string;
}

export class HeadFacts implements RequestFacts {
  #head!: RequestHead;
  #bytes!: Buffer;
  #base = 0;
  #connection!: Connected;
  #url: string | undefined;
  #path: string | undefined;
  #query: string | undefined;
  #host: string | undefined;
  /** Of the name that was asked for last: many rules may ask for the same. */
  #valuesName: string | undefined;
  #values: readonly string[] = [];

  /** Speaks of this head from now on. */
  of(head: RequestHead, bytes: Buffer, base: number, connection: Connected): this {
    this.#head = head;
    this.#bytes = bytes;
    this.#base = base;
    this.#connection = connection;
    this.#url = undefined;
    this.#path = undefined;
    this.#query = undefined;
    this.#valuesName = undefined;
    this.#host = undefined;
    return this;
  }

  get method(): string {
    return this.#text(this.#head.start, this.#head.methodEnd);
  }

  /** The path with its query; that of a target in absolute form without a path is `/`. */
  get url(): string {
    if (this.#url === undefined) {
      const text = this.#text(this.#head.pathStart, this.#head.targetEnd);
      this.#url = this.#head.isAbsolute && !text.startsWith('/') ? `/${text}` : text;
    }
    return this.#url;
  }

  get path(): string {
    if (this.#path === undefined) {
      const question = this.url.indexOf('?');
      this.#path = question === -1 ? this.url : this.url.slice(0, question);
    }
    return this.#path;
  }

  get query(): string {
    this.#query ??= this.url.slice(this.path.length + 1);
    return this.#query;
  }

  /** As it was sent, with its port. */
  get authority(): string {
    return this.#text(this.#head.hostStart, this.#head.hostEnd);
  }

  get host(): string {
    this.#host ??= this.authority.replace(/:\d*$/, '').toLowerCase();
    return this.#host;
  }

  get source(): string {
    return this.#connection.clientAddress;
  }

  values(name: string): readonly string[] {
    if (name === this.#valuesName) return this.#values;
    const { fields } = this.#head;
    const values: string[] = [];
    for (let index = 0; index < fields.count; index += 1) {
      const start = this.#base + fields.lineStart(index);
      if (!equalsIgnoringCase(this.#bytes, start, this.#base + fields.nameEnd(index), name)) continue;
      values.push(this.#text(fields.valueStart(index), fields.valueEnd(index)));
    }
    this.#valuesName = name;
    this.#values = values;
    return values;
  }

  #text(start: number, end: number): string {
    return this.#bytes.toString('latin1', this.#base + start, this.#base + end);
  }
}
