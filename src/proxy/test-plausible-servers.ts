/**
 * Readers of requests as servers behind a proxy have been known to be: one strict, the others each lax in their own
 * way. What passes a proxy must be the same requests to all of them, or one of them can be made to see a request that
 * nobody sent. They share one loop, which follows the habits that it is given and has no opinion of its own.
 */

/** In what a server departs from RFC 9112, or chooses where it leaves a choice. */
export interface Habits {
  /** What ends a line besides CRLF. */
  readonly lineEnds: 'crlf' | 'lf' | 'any';
  /** Which framing counts when there are both; `refuse`: neither. */
  readonly both: 'refuse' | 'length' | 'chunked';
  /** Which of several lengths counts. */
  readonly lengths: 'refuse' | 'first' | 'last';
  /**
   * How a length or a chunk size is read: `number` takes what C's strtol takes; `wraps` keeps 32 bits of a chunk size.
   * Of a length nobody does: bodies of many gigabytes are sent every day.
   */
  readonly digits: 'strict' | 'number' | 'wraps';
  /** When a message is chunked: the value is `chunked`; that is its last coding; it occurs anywhere. */
  readonly chunked: 'exact' | 'last' | 'anywhere';
  /** What a reader of names takes for the same name. */
  readonly names: 'strict' | 'trimmed' | 'underscored';
  /** What is taken off both ends of a value, which has no control characters: spaces and tabs; or whatever is white. */
  readonly values: 'strict' | 'trimmed';
  /** A line that begins with a space: refused, joined to the one before, or a field of its own. */
  readonly folds: 'refuse' | 'join' | 'own';
  /** Whether a NUL ends a name or a value, as in C. */
  readonly endsAtNul: boolean;
  /** Whether GET and HEAD have bodies. */
  readonly getHasBody: boolean;
  /** What follows the data of a chunk: CRLF, any two bytes, or a line end if there is one. */
  readonly afterChunk: 'crlf' | 'any-two' | 'if-there';
  /** Whether HTTP/1.0 has chunks. */
  readonly oldHasChunks: boolean;
}

const strict: Habits = {
  lineEnds: 'crlf',
  both: 'refuse',
  lengths: 'refuse',
  digits: 'strict',
  chunked: 'last',
  names: 'strict',
  values: 'strict',
  folds: 'refuse',
  endsAtNul: false,
  getHasBody: true,
  afterChunk: 'crlf',
  oldHasChunks: true,
};
const lax: Habits = {
  ...strict,
  lineEnds: 'lf',
  both: 'chunked',
  lengths: 'last',
  digits: 'number',
  names: 'trimmed',
  values: 'trimmed',
  folds: 'join',
};

/** Servers whose habits no proxy can excuse itself with. */
export const plausibleServers = {
  strict,
  'prefers the length': { ...lax, both: 'length', lengths: 'first' },
  'prefers chunks': { ...lax, chunked: 'last' },
  'sees chunked anywhere': { ...lax, chunked: 'anywhere', folds: 'own' },
  'knows the word chunked alone': { ...lax, chunked: 'exact', both: 'length' },
  'takes any line end': { ...lax, lineEnds: 'any', afterChunk: 'if-there' },
  'counts chunks with 32 bits': { ...lax, digits: 'wraps', lengths: 'first' },
  'is written in C': { ...lax, endsAtNul: true, afterChunk: 'any-two', folds: 'own' },
  'has no chunks in HTTP/1.0': { ...lax, oldHasChunks: false },
} as const satisfies Readonly<Record<string, Habits>>;

/**
 * Servers of which a load balancer warns in its classification of requests, and which it serves all the same unless it
 * is told to be strict: such a request is the last one on its connection.
 */
export const oddServers = {
  'reads underscores as hyphens': { ...lax, names: 'underscored' },
  'reads no body of GET': { ...lax, getHasBody: false },
} as const satisfies Readonly<Record<string, Habits>>;

export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Name in lower case, value, name, value … */
  readonly fields: readonly string[];
  readonly body: string;
  /** All of it, as it came. */
  readonly raw: string;
}

type SeenHead = Omit<SeenRequest, 'body' | 'raw'>;

/** Reads what comes over one connection; latin1 text, one character for each byte. */
export class PlausibleServer {
  readonly seen: SeenRequest[] = [];
  /** Why it reads no further. */
  complaint: string | undefined;
  readonly #habits: Habits;
  #text = '';
  /** The head of the request whose body is not complete. */
  #open: SeenHead | undefined;
  #bodyStart = 0;

  constructor(habits: Habits) {
    this.#habits = habits;
  }

  /** The request that has begun and is not complete, as far as its head. */
  get open(): SeenHead | undefined {
    return this.#open;
  }

  /** What was not used for any complete request. */
  get rest(): string {
    return this.#text;
  }

  push(text: string): void {
    this.#text += text;
    while (this.complaint === undefined && this.#readOne()) {}
  }

  #readOne(): boolean {
    try {
      if (this.#open === undefined && !this.#readHead()) return false;
      const end = this.#bodyEnd(this.#open!);
      if (end === undefined) return false;
      this.seen.push({ ...this.#open!, body: end.body, raw: this.#text.slice(0, end.at) });
      this.#open = undefined;
      this.#text = this.#text.slice(end.at);
      return true;
    } catch (error) {
      this.complaint = (error as Error).message;
      return false;
    }
  }

  #readHead(): boolean {
    const lines: string[] = [];
    let at = 0;
    for (;;) {
      const line = this.#lineAt(at);
      if (line === undefined) return false;
      at = line.next;
      if (line.text === '') {
        // Empty lines before a request are skipped.
        if (lines.length === 0) continue;
        break;
      }
      lines.push(line.text);
    }
    const [method = '', target = '', version = '', ...more] = lines[0]!.trim().split(/[ \t]+/);
    if (more.length > 0 || !/^HTTP\/\d/.test(version)) throw new Error(`no request line: ${lines[0]}`);
    this.#open = { method, target, version, fields: this.#fieldsOf(lines.slice(1)) };
    this.#bodyStart = at;
    return true;
  }

  /** A line and where the next begins; undefined while it is not complete. */
  #lineAt(at: number): { readonly text: string; readonly next: number } | undefined {
    const { lineEnds } = this.#habits;
    const pattern = lineEnds === 'crlf' ? /\r\n/g : lineEnds === 'lf' ? /\r?\n/g : /\r\n|\n|\r(?=[^\n])/g;
    pattern.lastIndex = at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    return { text: this.#text.slice(at, found.index), next: found.index + found[0].length };
  }

  #fieldsOf(lines: readonly string[]): string[] {
    const { folds, names, endsAtNul } = this.#habits;
    const fields: string[] = [];
    const cut = (text: string) => (endsAtNul && text.includes('\0') ? text.slice(0, text.indexOf('\0')) : text);
    for (const line of lines) {
      if (/^[ \t]/.test(line)) {
        if (folds === 'refuse') throw new Error('a folded line');
        if (folds === 'join' && fields.length > 0) {
          fields.push(`${fields.pop()} ${line.trim()}`);
          continue;
        }
      }
      const colon = line.indexOf(':');
      const raw = colon === -1 ? line : line.slice(0, colon);
      if (names === 'strict' && !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(raw)) throw new Error(`no field name: ${raw}`);
      const name = cut(raw).trim().toLowerCase();
      fields.push(
        names === 'underscored' ? name.replaceAll('_', '-') : name,
        this.#valueOf(cut(line.slice(raw.length + 1))),
      );
    }
    return fields;
  }

  #valueOf(text: string): string {
    if (this.#habits.values === 'trimmed') return text.trim();
    if (/[^\t\x20-\x7e\x80-\xff]/.test(text)) throw new Error('a control character in a value');
    return text.replace(/^[ \t]+|[ \t]+$/g, '');
  }

  #bodyEnd(head: SeenHead): { readonly at: number; readonly body: string } | undefined {
    const { both, lengths: which, getHasBody } = this.#habits;
    const lengths = valuesOf(head, 'content-length');
    const isChunked = this.#isChunked(head);
    const start = this.#bodyStart;
    if (lengths.length > 1 && which === 'refuse') throw new Error('two lengths');
    if (isChunked && lengths.length > 0 && both === 'refuse') throw new Error('both framings');
    if (!getHasBody && /^(?:GET|HEAD)$/.test(head.method)) return { at: start, body: '' };
    if (isChunked && (lengths.length === 0 || both === 'chunked')) return this.#chunks(start);
    if (lengths.length === 0) return { at: start, body: '' };
    const length = this.#number(which === 'last' ? lengths.at(-1)! : lengths[0]!, 10);
    if (this.#text.length < start + length) return undefined;
    return { at: start + length, body: this.#text.slice(start, start + length) };
  }

  #isChunked(head: SeenHead): boolean {
    const { chunked, oldHasChunks } = this.#habits;
    if (!oldHasChunks && head.version === 'HTTP/1.0') return false;
    const value = valuesOf(head, 'transfer-encoding').join(',').toLowerCase();
    switch (chunked) {
      case 'exact':
        return value === 'chunked';
      case 'last':
        return value.split(',').at(-1)!.trim() === 'chunked';
      case 'anywhere':
        return value.includes('chunked');
    }
  }

  #chunks(start: number): { readonly at: number; readonly body: string } | undefined {
    let at = start;
    let body = '';
    for (;;) {
      const line = this.#lineAt(at);
      if (line === undefined) return undefined;
      at = line.next;
      const size = this.#number(line.text.split(';')[0]!, 16);
      if (size === 0) break;
      const end = at + size;
      if (this.#text.length < end + 2) return undefined;
      body += this.#text.slice(at, end);
      at = this.#afterData(end);
    }
    for (;;) {
      const line = this.#lineAt(at);
      if (line === undefined) return undefined;
      at = line.next;
      if (line.text === '') return { at, body };
    }
  }

  #afterData(end: number): number {
    const isCrlf = this.#text.startsWith('\r\n', end);
    switch (this.#habits.afterChunk) {
      case 'crlf':
        if (!isCrlf) throw new Error('no line end behind a chunk');
        return end + 2;
      case 'any-two':
        return end + 2;
      case 'if-there':
        return isCrlf ? end + 2 : this.#text[end] === '\n' || this.#text[end] === '\r' ? end + 1 : end;
    }
  }

  #number(text: string, base: 10 | 16): number {
    const { digits } = this.#habits;
    const isStrict = (base === 10 ? /^\d{1,15}$/ : /^[0-9a-f]{1,12}$/i).test(text);
    if (digits === 'strict') {
      if (!isStrict) throw new Error(`no number: ${text}`);
      return Number.parseInt(text, base);
    }
    const number = Number.parseInt(text, base);
    if (Number.isNaN(number)) return 0;
    return digits === 'wraps' && base === 16 ? Number(BigInt.asUintN(32, BigInt(number))) : Math.max(0, number);
  }
}

function valuesOf({ fields }: SeenHead, name: string): string[] {
  return fields.filter((_, index) => index % 2 === 1 && fields[index - 1] === name);
}
