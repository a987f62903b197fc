/**
 * The query protocol (Elastic Load Balancing, IAM, STS): a form goes in, with the operation's name in `Action` and the
 * API's in `Version`, and XML comes out.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Fault, fault } from '#model/fault.ts';
import { type Dialect, decodeInput, type Form, parseForm, shown } from './query.ts';
import type { ApiDefinition } from './shapes.ts';
import type { Asked, DeskRequest, Wire } from './wire.ts';
import { encodeAnswer, encodeError } from './xml.ts';

/** A service whose APIs are told apart by `Version`; the first one's namespace stands in errors about neither. */
export function queryWire(apis: ReadonlyMap<string, ApiDefinition>, dialect: Dialect = 'query'): Wire {
  const [first] = apis.values();
  return {
    contentType: 'text/xml',
    read(request, query) {
      const form = readForm(request, query);
      return form.ok ? findOperation(apis, form.value, dialect) : form;
    },
    answer: ({ api, operation }, output, requestId) => encodeAnswer(api, operation, output, requestId),
    refuse: (refused, requestId, asked) => encodeError((asked?.api ?? first!).namespace, refused, requestId),
  };
}

/** Both APIs of a service have actions of the same name: `Version` decides. */
function findOperation(apis: ReadonlyMap<string, ApiDefinition>, form: Form, dialect: Dialect): Result<Asked, Fault> {
  const [action, version] = [form.get('Action'), form.get('Version')];
  if (action === undefined) return refuse(fault('MissingAction', 'the request names no Action'));
  const api = apis.get(version ?? '');
  const operation = api?.operations.get(action);
  if (api !== undefined && operation !== undefined) {
    return accept({ api, operation, input: () => decodeInput(form, operation.input, dialect) });
  }
  const given = `operation ${shown(action)} for version ${shown(version ?? 'NO_VERSION_SPECIFIED')}`;
  const versions = api === undefined ? `; there are ${[...apis.keys()].join(' and ')}` : '';
  return refuse(fault('InvalidAction', `Could not find ${given}${versions}`));
}

/** Parameters are in the body of a POST, or in the query of a request without a body; never in both. */
export function readForm({ method, headers, body }: DeskRequest, query: Form): Result<Form, Fault> {
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
