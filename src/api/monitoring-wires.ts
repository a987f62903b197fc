/**
 * CloudWatch's clients speak one of three protocols, the newer ones CBOR or JSON, the older ones the query protocol.
 * What a request speaks, it says.
 */
import { type Fault, faults } from '#model/fault.ts';
import { cborWire, speaksCbor } from './cbor-wire.ts';
import { jsonWire, speaksJson } from './json-wire.ts';
import { queryWire } from './query-wire.ts';
import type { ApiDefinition } from './shapes.ts';
import type { DeskRequest, Wire } from './wire.ts';

const service = 'GraniteServiceVersion20100801';

export function monitoringWires(api: ApiDefinition): (request: Pick<DeskRequest, 'headers'>) => Wire {
  const query = queryWire(new Map([[api.version, api]]));
  const json = { ...jsonWire(api, service, '1.0'), refusalHeaders };
  const cbor = { ...cborWire(api, service), refusalHeaders };
  return ({ headers }) => (speaksCbor(headers) ? cbor : speaksJson(headers) ? json : query);
}

/** The code as the query protocol has it, which clients go by that once spoke that alone. */
function refusalHeaders({ code }: Fault): Readonly<Record<string, string>> {
  return { 'x-amzn-query-error': `${code};${faults[code] >= 500 ? 'Receiver' : 'Sender'}` };
}
