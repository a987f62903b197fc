/**
 * The parsers of setting values. Each takes the text that a person wrote, gives the value, or says what is allowed; a
 * value that passed needs no further check.
 */
import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { accept, type Result, refuse } from '#base/result.ts';
import { formatPrefix, parseAddress, parsePrefix } from '#model/address.ts';
import { type Endpoint, type Layer, layers } from './messages.ts';

/** What is allowed stands in the fault, as `a whole number from 1 to 64`. */
export type ParseSetting<Value> = (text: string, workingFolder: string) => Result<Value, string>;

const zonesCountMax = 8;
/** A load balancer's `NAME-ID.REGION.elb.DOMAIN` must fit into the 253 letters of a DNS name (RFC 1035, 2.3.4). */
const domainLettersMax = 128;

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';

export const parseWholeNumber =
  (limits: { readonly min: number; readonly max: number }): ParseSetting<number> =>
  (text) => {
    const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
    return number >= limits.min && number <= limits.max
      ? accept(number)
      : refuse(`a whole number from ${limits.min} to ${limits.max}`);
  };

/** `127.0.0.1:8400` or `[::1]:8400`. Names are refused: one name can mean several addresses. */
export const parseEndpoint: ParseSetting<Endpoint> = (text) => {
  const match = /^(?:\[([^\]]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text);
  const [, ipv6, ipv4, port] = match ?? [];
  const hasHost = ipv6 === undefined ? ipv4 !== undefined && parseAddress(ipv4) !== undefined : isIPv6(ipv6);
  return hasHost && Number(port) <= 65_535
    ? accept({ host: (ipv6 ?? ipv4)!, port: Number(port) })
    : refuse('ADDRESS:PORT, as 127.0.0.1:8400 or [::1]:8400; port 0 picks a free one');
};

export const parsePrefixText: ParseSetting<string> = (text) => {
  const prefix = parsePrefix(text);
  return prefix === undefined
    ? refuse('an IPv4 prefix without bits behind its length, as 127.80.0.0/12')
    : accept(formatPrefix(prefix));
};

/** Relative to the folder in which the command was started. */
export const parsePath: ParseSetting<string> = (text, workingFolder) =>
  text.includes('\0') ? refuse('a path') : accept(resolve(workingFolder, text));

export const parseAccount: ParseSetting<string> = (text) =>
  /^\d{12}$/.test(text) ? accept(text) : refuse('twelve digits');

/** Becomes part of ARNs, DNS names and signatures. */
export const parseRegion: ParseSetting<string> = (text) =>
  /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(text)
    ? accept(text)
    : refuse('at most 32 lower-case letters, digits and inner hyphens, beginning with a letter, as us-east-1');

export const parseZones: ParseSetting<readonly string[]> = (text) => {
  const zones = text.split(',').map((zone) => zone.trim());
  const areNames = zones.every((zone) => /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(zone));
  return areNames && zones.length <= zonesCountMax && new Set(zones).size === zones.length
    ? accept(zones)
    : refuse(`1 to ${zonesCountMax} different zone names with commas between them, as us-east-1a,us-east-1b`);
};

export const parseDomain: ParseSetting<string> = (text) =>
  text.length <= domainLettersMax && new RegExp(`^${label}(?:\\.${label})*$`).test(text)
    ? accept(text)
    : refuse(`a DNS name in lower case with at most ${domainLettersMax} letters, as ballast.internal`);

export const parseEnvironment: ParseSetting<string> = (text) =>
  /^[a-z0-9-]{1,32}$/.test(text)
    ? accept(text)
    : refuse('1 to 32 lower-case letters, digits and hyphens, as production, staging or development');

export const parseWebhook: ParseSetting<string> = (text) => {
  const url = URL.parse(text);
  const isFit = url !== null && ['http:', 'https:'].includes(url.protocol) && text.length <= 2_000;
  return isFit ? accept(text) : refuse('an address, as https://alarms.example/ballast');
};

export const parseLayers: ParseSetting<readonly Layer[]> = (text) => {
  const names = text.split(',').map((name) => name.trim());
  const known = names.filter((name) => layers.includes(name as Layer)) as Layer[];
  return known.length === names.length ? accept(known) : refuse(`${layers.join(', ')}, with commas between them`);
};
