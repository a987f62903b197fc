/**
 * From a request to its answer: who asks, what for and with what; then the decision, then its XML. Who asks comes
 * first, so whoever did not sign learns nothing. Knows nothing of sockets.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import type { ApiVersion, Execute } from '#control/execute.ts';
import type { KeyHolder } from '#control/keys.ts';
import type { Clock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';
import { type Fault, fault, faults } from '#model/fault.ts';
import { type Moment, parseMoment } from '#model/moment.ts';
import { cborError, cborHeaders, isCborPath, speaksCbor } from './cbor-wire.ts';
import { jsonContentType, jsonError, speaksJson } from './json-wire.ts';
import { type Form, parseForm, shown } from './query.ts';
import { RefusalLog } from './refusal-log.ts';
import { mainWire, services } from './services.ts';
import { type Caller, createSignatureVerifier, type VerifySignature } from './signature-v4.ts';
import { Throttle } from './throttle.ts';
import type { Asked, DeskRequest, Wire } from './wire.ts';

export interface DeskOptions {
  readonly region: string;
  readonly execute: Execute;
  /** Whether the operation is there; one that is only in the schema is answered with `InvalidAction`. */
  readonly offers: (version: ApiVersion, action: string) => boolean;
  readonly lookupKey: (accessKeyId: string) => KeyHolder | undefined;
  /** Of the usual request rates; 0 for none. */
  readonly requestRatePercent: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ApiStats {
  /** `code` is `OK` or the error's; `action` is empty when it was not found out, so strangers cannot make up names. */
  readonly requests: readonly { readonly action: string; readonly code: string; readonly count: number }[];
  readonly authenticationFailures: Readonly<Record<string, number>>;
}

/** What goes back: an HTTP status, and XML, JSON or CBOR. */
export interface DeskAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text: string | Uint8Array;
  /** The revision of the past that was asked. */
  readonly revision?: number;
}

export class Desk {
  readonly #options: DeskOptions;
  readonly #verify: VerifySignature;
  readonly #throttle: Throttle;
  readonly #refusals: RefusalLog;
  readonly #requests = new Map<string, { action: string; code: string; count: number }>();
  readonly #authenticationFailures = new Map<string, number>();

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#throttle = new Throttle(options.requestRatePercent);
    this.#refusals = new RefusalLog(options.clock, options.log);
    this.#verify = createSignatureVerifier({ region: options.region, services, lookupKey: options.lookupKey });
  }

  stats(): ApiStats {
    return {
      requests: [...this.#requests.values()].map((counted) => ({ ...counted })),
      authenticationFailures: Object.fromEntries(this.#authenticationFailures),
    };
  }

  /** Never rejects: a bug in the decision is logged, and answered with `InternalFailure`. */
  async answer(request: DeskRequest): Promise<DeskAnswer> {
    const read = this.#read(request);
    if (!read.ok) return this.refuse(request, read.fault);
    const { caller, path, query } = read.value;
    const wire = await services.get(caller.service)!.wire(request);
    if (path !== '/' && wire.hasPath !== true) return this.#refuse(wire, noSuchPath(path), request.id);
    const found = wire.read(request, query);
    if (!found.ok) return this.#refuse(wire, found.fault, request.id);
    const asked = found.value;
    const { version } = asked.api;
    const { name: action } = asked.operation;
    if (!this.#options.offers(version, action)) {
      const message = `${action} of version ${version} is part of the API, but this Ballast does not offer it yet`;
      return this.#refuse(wire, fault('InvalidAction', message), request.id, asked);
    }
    // Before anything is read that costs more than the signature.
    const throttled = this.#throttle.take(caller, action, this.#options.clock.monotonicMs());
    if (throttled !== undefined) return this.#refuse(wire, throttled, request.id, asked);
    const input = asked.input();
    if (!input.ok) return this.#refuse(wire, input.fault, request.id, asked);
    const at = readMoment(request, this.#options.clock.wallMs());
    if (!at.ok) return this.#refuse(wire, at.fault, request.id, asked);
    try {
      const { principal, account } = caller;
      const past = at.value && { at: at.value };
      const call = { version, action, input: input.value, principal, account, requestId: request.id, ...past };
      const result = await this.#options.execute(call);
      if (!result.ok) return this.#refuse(wire, result.fault, request.id, asked);
      const { output, revision } = result.value;
      const text = wire.answer(asked, output, request.id);
      this.#count(action, 'OK');
      const { contentType, headers = {} } = wire;
      return { status: 200, contentType, headers, text, ...(revision !== undefined && { revision }) };
    } catch (bug) {
      // The input stays out of the log: it can hold a customer's secrets.
      this.#options.log.error(`request ${request.id} (${action} by ${caller.principal}) met a bug: ${stackOf(bug)}`);
      const message = `the request failed inside Ballast; its log says more under ${request.id}`;
      return this.#refuse(wire, fault('InternalFailure', message), request.id, asked);
    }
  }

  /** Counts and encodes a refusal of what nobody has signed. */
  refuse({ id, headers }: Pick<DeskRequest, 'id' | 'headers'>, refused: Fault): DeskAnswer {
    const status = faults[refused.code];
    if (speaksCbor(headers)) {
      this.#count('', refused.code);
      return { status, contentType: 'application/cbor', headers: cborHeaders, text: cborError(refused) };
    }
    if (!speaksJson(headers)) return this.#refuse(mainWire, refused, id);
    this.#count('', refused.code);
    return { status, contentType: jsonContentType, text: jsonError(refused) };
  }

  #refuse(wire: Wire, refused: Fault, requestId: string, asked?: Asked): DeskAnswer {
    this.#count(asked?.operation.name ?? '', refused.code);
    const { contentType } = wire;
    const headers = { ...wire.headers, ...wire.refusalHeaders?.(refused) };
    return { status: faults[refused.code], contentType, headers, text: wire.refuse(refused, requestId, asked) };
  }

  #read(request: DeskRequest): Result<{ readonly caller: Caller; readonly path: string; readonly query: Form }, Fault> {
    const { method, url, headers, body } = request;
    if (method !== 'POST' && method !== 'GET') {
      return refuse(fault('InvalidAction', `${method} is not a method of this API; POST and GET are`));
    }
    const [path = '', ...queries] = url.split('?');
    if (path !== '/' && !isCborPath(path)) return refuse(noSuchPath(path));
    const query = parseForm(queries.join('?'));
    if (!query.ok) return query;
    const caller = this.#verify({ method, path, query: query.value, headers, body }, this.#options.clock.wallMs());
    if (!caller.ok) {
      const { code } = caller.fault;
      this.#authenticationFailures.set(code, (this.#authenticationFailures.get(code) ?? 0) + 1);
      this.#refusals.note({ code, accessKeyId: claimedKey(request, query.value), from: request.clientAddress });
      return caller;
    }
    return accept({ caller: caller.value, path, query: query.value });
  }

  #count(action: string, code: string): void {
    const counted = this.#requests.get(`${action} ${code}`);
    if (counted === undefined) this.#requests.set(`${action} ${code}`, { action, code, count: 1 });
    else counted.count += 1;
  }
}

function noSuchPath(path: string): Fault {
  return fault('InvalidAction', `there is no ${shown(path)}; the API is at '/'`);
}

/** The access key id that the request claims, believed or not. */
function claimedKey({ headers }: DeskRequest, query: Form): string | undefined {
  const credential =
    query.get('X-Amz-Credential') ?? /Credential=([^,/]*)/.exec(headers.get('authorization')?.[0] ?? '')?.[1];
  return credential?.split('/', 1)[0];
}

/** The moment that a call asks about, in the header `x-ballast-at`. */
function readMoment({ headers }: DeskRequest, nowMs: number): Result<Moment | undefined, Fault> {
  const values = headers.get('x-ballast-at');
  if (values === undefined) return accept(undefined);
  if (values.length > 1) {
    return refuse(fault('ValidationError', `x-ballast-at: found ${values.length} times; allowed: once`));
  }
  const moment = parseMoment(values[0]!.trim(), nowMs);
  return moment.ok ? moment : refuse(fault('ValidationError', `x-ballast-at: ${moment.fault}`));
}

function stackOf(bug: unknown): string {
  return bug instanceof Error ? (bug.stack ?? bug.message) : String(bug);
}
