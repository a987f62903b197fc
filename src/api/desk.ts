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
import { decodeInput, type Form, parseForm, shown } from './query.ts';
import { type ApiDefinition, apis, type OperationShape } from './shapes.ts';
import { type Caller, createSignatureVerifier, type VerifySignature } from './signature-v4.ts';
import { encodeAnswer, encodeError } from './xml.ts';

const service = 'elasticloadbalancing';

export interface DeskOptions {
  readonly region: string;
  readonly execute: Execute;
  /** Whether the operation is there; one that is only in the schema is answered with `InvalidAction`. */
  readonly offers: (version: ApiVersion, action: string) => boolean;
  readonly lookupKey: (accessKeyId: string) => KeyHolder | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ApiStats {
  /** `code` is `OK` or the error's; `action` is empty when it was not found out, so strangers cannot make up names. */
  readonly requests: readonly { readonly action: string; readonly code: string; readonly count: number }[];
  readonly authenticationFailures: Readonly<Record<string, number>>;
}

export interface DeskRequest {
  readonly id: string;
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  /** Names in lower case; one value for each line, as it was sent. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Uint8Array;
}

/** What goes back: an HTTP status, and XML. */
export interface DeskAnswer {
  readonly status: number;
  readonly text: string;
  /** The revision of the past that was asked. */
  readonly revision?: number;
}

/** What is asked for: an operation of one of the APIs. */
interface Target {
  readonly api: ApiDefinition;
  readonly operation: OperationShape;
}

export class Desk {
  readonly #options: DeskOptions;
  readonly #verify: VerifySignature;
  readonly #requests = new Map<string, { action: string; code: string; count: number }>();
  readonly #authenticationFailures = new Map<string, number>();

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#verify = createSignatureVerifier({ region: options.region, service, lookupKey: options.lookupKey });
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
    if (!read.ok) return this.refuse(request.id, read.fault);
    const { caller, form } = read.value;
    const found = findTarget(form);
    if (!found.ok) return this.refuse(request.id, found.fault);
    const target = found.value;
    const { version } = target.api;
    const { name: action } = target.operation;
    if (!this.#options.offers(version, action)) {
      const message = `${action} of version ${version} is part of the API, but this Ballast does not offer it yet`;
      return this.refuse(request.id, fault('InvalidAction', message), target);
    }
    const input = decodeInput(form, target.operation.input);
    if (!input.ok) return this.refuse(request.id, input.fault, target);
    const at = readMoment(request, this.#options.clock.wallMs());
    if (!at.ok) return this.refuse(request.id, at.fault, target);
    try {
      const { principal, account } = caller;
      const past = at.value && { at: at.value };
      const call = { version, action, input: input.value, principal, account, requestId: request.id, ...past };
      const result = await this.#options.execute(call);
      if (!result.ok) return this.refuse(request.id, result.fault, target);
      const { output, revision } = result.value;
      const text = encodeAnswer(target.api, target.operation, output, request.id);
      this.#count(action, 'OK');
      return { status: 200, text, ...(revision !== undefined && { revision }) };
    } catch (bug) {
      // The input stays out of the log: it can hold a customer's secrets.
      this.#options.log.error(`request ${request.id} (${action} by ${caller.principal}) met a bug: ${stackOf(bug)}`);
      const message = `the request failed inside Ballast; its log says more under ${request.id}`;
      return this.refuse(request.id, fault('InternalFailure', message), target);
    }
  }

  /** Counts and encodes a refusal. */
  refuse(requestId: string, refused: Fault, target?: Target): DeskAnswer {
    this.#count(target?.operation.name ?? '', refused.code);
    const { namespace } = target?.api ?? apis.get('2015-12-01')!;
    return { status: faults[refused.code], text: encodeError(namespace, refused, requestId) };
  }

  #read(request: DeskRequest): Result<{ readonly caller: Caller; readonly form: Form }, Fault> {
    const { method, url, headers, body } = request;
    if (method !== 'POST' && method !== 'GET') {
      return refuse(fault('InvalidAction', `${method} is not a method of this API; POST and GET are`));
    }
    const [path, ...queries] = url.split('?');
    if (path !== '/') return refuse(fault('InvalidAction', `there is no ${shown(path!)}; the API is at '/'`));
    const query = parseForm(queries.join('?'));
    if (!query.ok) return query;
    const caller = this.#verify({ method, query: query.value, headers, body }, this.#options.clock.wallMs());
    if (!caller.ok) {
      const { code } = caller.fault;
      this.#authenticationFailures.set(code, (this.#authenticationFailures.get(code) ?? 0) + 1);
      return caller;
    }
    const form = readForm(request, query.value);
    return form.ok ? accept({ caller: caller.value, form: form.value }) : form;
  }

  #count(action: string, code: string): void {
    const counted = this.#requests.get(`${action} ${code}`);
    if (counted === undefined) this.#requests.set(`${action} ${code}`, { action, code, count: 1 });
    else counted.count += 1;
  }
}

/** Both APIs have actions of the same name: `Version` decides. */
function findTarget(form: Form): Result<Target, Fault> {
  const [action, version] = [form.get('Action'), form.get('Version')];
  if (action === undefined) return refuse(fault('MissingAction', 'the request names no Action'));
  const api = apis.get(version ?? '');
  const operation = api?.operations.get(action);
  if (api !== undefined && operation !== undefined) return accept({ api, operation });
  const given = `operation ${shown(action)} for version ${shown(version ?? 'NO_VERSION_SPECIFIED')}`;
  const versions = api === undefined ? `; there are ${[...apis.keys()].join(' and ')}` : '';
  return refuse(fault('InvalidAction', `Could not find ${given}${versions}`));
}

/** Parameters are in the body of a POST, or in the query of a request without a body; never in both. */
function readForm({ method, headers, body }: DeskRequest, query: Form): Result<Form, Fault> {
  if (body.length === 0) return accept(query);
  if (method === 'GET') return refuse(fault('MalformedInput', 'a GET request has no body; its query is the form'));
  const stray = [...query.keys()].find((name) => !name.startsWith('X-Amz-'));
  if (stray !== undefined) {
    return refuse(fault('MalformedInput', `the parameters are in the body; the query has ${shown(stray)} besides`));
  }
  const contentType = headers.get('content-type')?.join(', ') ?? '';
  if (contentType.split(';', 1)[0]!.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    const message = `the body must be application/x-www-form-urlencoded; found ${shown(contentType)}`;
    return refuse(fault('MalformedInput', message));
  }
  try {
    return parseForm(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    return refuse(fault('MalformedInput', 'the body is not UTF-8'));
  }
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
