/**
 * A strict reader of answers for clients in tests: what it cannot read in exactly one way is a complaint, and so are
 * bytes behind an answer that nobody waits for.
 */

export interface ReadAnswer {
  readonly status: number;
  /** The head as it came, without the empty line. */
  readonly head: string;
  readonly body: string;
  /** Nothing may follow on the connection. */
  readonly isLast: boolean;
}

/** Reads what comes over one connection; latin1 text, one character for each byte. */
export class AnswerReader {
  readonly answers: ReadAnswer[] = [];
  /** Interim ones. */
  readonly interim: number[] = [];
  complaint: string | undefined;
  /** The connection is a tunnel from here on: `rest` is what came through it. */
  isTunnel = false;
  readonly #methods: string[] = [];
  #text = '';

  /** What was not used for any answer. */
  get rest(): string {
    return this.#text;
  }

  /** Answers come in the order of their requests. */
  expect(method: string): void {
    this.#methods.push(method);
  }

  push(text: string): void {
    this.#text += text;
    while (this.complaint === undefined && !this.isTunnel && this.#text !== '' && this.#readOne(false)) {}
  }

  /** The connection has ended regularly. */
  end(): void {
    if (this.complaint === undefined && !this.isTunnel && this.#text !== '' && !this.#readOne(true)) {
      this.complaint ??= 'an answer is not complete';
    }
  }

  #readOne(isEnd: boolean): boolean {
    const headEnd = this.#text.indexOf('\r\n\r\n');
    const lineEnd = this.#text.indexOf('\r\n');
    const line = lineEnd === -1 ? this.#text : this.#text.slice(0, lineEnd);
    const isLine =
      lineEnd === -1 ? 'HTTP/1.1 '.startsWith(line.slice(0, 9)) : /^HTTP\/1\.1 [1-5]\d\d(?: |$)/.test(line);
    if (!isLine) return this.#complain(`no status line: ${JSON.stringify(line.slice(0, 100))}`);
    if (headEnd === -1) return false;
    const head = this.#text.slice(0, headEnd);
    const status = Number(head.slice(9, 12));
    if (/[^\t\x20-\x7e\x80-\xff\r\n]|\r(?!\n)|(?<!\r)\n/.test(head))
      return this.#complain('a control character in a head');
    if (status === 101) {
      this.isTunnel = true;
      this.answers.push({ status, head, body: '', isLast: true });
      this.#text = this.#text.slice(headEnd + 4);
      return true;
    }
    if (status < 200) {
      this.interim.push(status);
      this.#text = this.#text.slice(headEnd + 4);
      return true;
    }
    if (this.answers.at(-1)?.isLast === true) return this.#complain('an answer behind the last one');
    if (this.#methods.length === 0) return this.#complain(`an answer that nobody waits for: ${line}`);
    const isBodiless = this.#methods[0] === 'HEAD' || status === 204 || status === 304;
    const body = this.#bodyOf(head, headEnd + 4, isBodiless, isEnd);
    if (body === undefined) return false;
    this.#methods.shift();
    this.answers.push({ status, head, body: body.text, isLast: /^connection: *close *$/im.test(head) || body.isLast });
    this.#text = this.#text.slice(body.end);
    return true;
  }

  #bodyOf(head: string, start: number, isBodiless: boolean, isEnd: boolean) {
    const lengths = [...head.matchAll(/^content-length:[ \t]*(.*?)[ \t]*$/gim)];
    const codings = [...head.matchAll(/^transfer-encoding:[ \t]*(.*?)[ \t]*$/gim)];
    if (isBodiless) return { text: '', end: start, isLast: false };
    if (lengths.length + codings.length > 1) this.#complain('two framings');
    else if (codings.length === 1) return this.#chunksFrom(start);
    else if (lengths.length === 1) {
      const length = Number(lengths[0]![1]);
      if (!/^\d+$/.test(lengths[0]![1]!)) this.#complain('a length that is none');
      else if (this.#text.length >= start + length) {
        return { text: this.#text.slice(start, start + length), end: start + length, isLast: false };
      }
    } else if (isEnd) return { text: this.#text.slice(start), end: this.#text.length, isLast: true };
    return undefined;
  }

  #chunksFrom(start: number) {
    let text = '';
    for (let at = start; ; ) {
      const lineEnd = this.#text.indexOf('\r\n', at);
      if (lineEnd === -1) return undefined;
      const size = /^([0-9a-f]+)(?:;.*)?$/i.exec(this.#text.slice(at, lineEnd));
      if (size === null) return void this.#complain('a chunk size that is none');
      const length = Number.parseInt(size[1]!, 16);
      at = lineEnd + 2;
      if (length === 0) {
        const end = this.#text.startsWith('\r\n', at) ? at + 2 : this.#text.indexOf('\r\n\r\n', at) + 4;
        return end < at + 2 || end > this.#text.length ? undefined : { text, end, isLast: false };
      }
      if (this.#text.length < at + length + 2) return undefined;
      text += this.#text.slice(at, at + length);
      at += length + 2;
      if (!this.#text.startsWith('\r\n', at - 2)) return void this.#complain('no line end behind a chunk');
    }
  }

  #complain(complaint: string): false {
    this.complaint ??= complaint;
    return false;
  }
}
