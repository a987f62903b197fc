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
  const codes = new Map([...api.errorNames].map(([code, name]) => [name, code]));
  /** The code as the query protocol has it, which clients go by that once spoke that alone. */
  const refusalHeaders = ({ code }: Fault) => ({
    'x-amzn-query-error': `${codes.get(code) ?? code};${faults[code] >= 500 ? 'Receiver' : 'Sender'}`,
  });
  const json = { ...jsonWire(api, service, '1.0'), refusalHeaders };
  const cbor = { ...cborWire(api, service), refusalHeaders };
  return ({ headers }) => (speaksCbor(headers) ? cbor : speaksJson(headers) ? json : query);
}
