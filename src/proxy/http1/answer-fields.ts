/**
 * The header fields that a listener gives to every answer, its own and those of targets: what it sets takes the place
 * of what a target had said.
 * Source: "HTTP header modification" in the documentation of Application Load Balancers.
 */
import type { RoutingResponseFields } from '#routing/table.ts';
import type { ResponseHead } from './response-head.ts';

export class AnswerFields {
  /** Whole lines. */
  readonly lines: Buffer;
  readonly hidesServer: boolean;
  /** In lower case: what of a target's answer goes. */
  readonly #replaced: ReadonlySet<string>;

  constructor({ set, hidesServer }: RoutingResponseFields) {
    this.hidesServer = hidesServer;
    this.lines = Buffer.from(set.map(({ name, value }) => `${name}: ${value}\r\n`).join(''), 'latin1');
    const names = set.map(({ name }) => name.toLowerCase());
    this.#replaced = new Set(hidesServer ? [...names, 'server'] : names);
  }

  /** Drops from the target's answer what is set or hidden; returns the lines that it gets, `more` among them. */
  into({ fields }: ResponseHead, bytes: Buffer, base: number, more: Buffer | undefined): Buffer {
    for (let index = 0; index < fields.count; index += 1) {
      const name = bytes.toString('latin1', base + fields.lineStart(index), base + fields.nameEnd(index));
      if (this.#replaced.has(name.toLowerCase())) fields.drop(index);
    }
    return more === undefined ? this.lines : Buffer.concat([this.lines, more]);
  }
}
