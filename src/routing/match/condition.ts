/**
 * Whether a condition holds for a request. Hosts, header values and query strings are compared without regard to case,
 * paths and methods with it. Source: "Condition types for listener rules" in the guide.
 */
import { BlockList, isIPv6 } from 'node:net';
import { compileGlob, type Matches } from '#base/glob.ts';
import { compileRegex, type LinearRegex } from '#model/linear-regex.ts';
import type { RequestFacts } from '#routing/request.ts';
import type { RuleCondition } from '#routing/table.ts';

export type Holds = (request: RequestFacts) => boolean;

/** Compiled once, also over many tables: health changes tables much more often than people change rules. */
const regexes = new Map<string, LinearRegex | undefined>();
const regexesMax = 2_000;

export function compileCondition(condition: RuleCondition): Holds {
  switch (condition.field) {
    case 'host-header': {
      const matches = compileTexts(condition, true);
      return ({ host }) => matches(host);
    }
    case 'path-pattern': {
      const matches = compileTexts(condition, false);
      return ({ path }) => matches(path);
    }
    case 'http-header': {
      const matches = compileTexts(condition, true);
      const name = condition.name.toLowerCase();
      return (request) => request.values(name).some((value) => matches(value.toLowerCase()));
    }
    case 'http-request-method': {
      const methods = new Set(condition.values);
      return ({ method }) => methods.has(method);
    }
    case 'query-string': {
      const pairs = condition.values.map(({ key, value }) => ({
        key: key === undefined ? undefined : compileGlob(key.toLowerCase(), { isEscaping: true }),
        value: compileGlob(value.toLowerCase(), { isEscaping: true }),
      }));
      return ({ query }) =>
        query !== '' &&
        queryParameters(query).some(([key, value]) =>
          pairs.some((pair) => (pair.key?.(key) ?? true) && pair.value(value)),
        );
    }
    case 'source-ip': {
      // One for each family: to a list of both, ::/0 holds every IPv4 address as well.
      const blocks = { ipv4: new BlockList(), ipv6: new BlockList() };
      for (const cidr of condition.values) {
        const [address, bits] = cidr.split('/') as [string, string];
        blocks[familyOf(address)].addSubnet(address, Number(bits), familyOf(address));
      }
      return ({ source }) => blocks[familyOf(source)].check(source, familyOf(source));
    }
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

/** The text is in lower case already where case does not count. */
function compileTexts(
  { values, regexes: sources }: { readonly values: readonly string[]; readonly regexes: readonly string[] },
  ignoresCase: boolean,
): Matches {
  const globs = values.map((value) => compileGlob(ignoresCase ? value.toLowerCase() : value));
  const [only] = globs;
  if (only !== undefined && globs.length === 1) return only;
  return (text) =>
    globs.some((matches) => matches(text)) ||
    sources.some((source) => regexOf(source, ignoresCase)?.test(text) === true);
}

/** Compiled when it is first needed. What is none was accepted by a version that knew more: it is found nowhere. */
function regexOf(source: string, ignoresCase: boolean): LinearRegex | undefined {
  const key = `${ignoresCase ? 'i' : ''}/${source}`;
  const known = regexes.get(key);
  if (known !== undefined || regexes.has(key)) return known;
  const compiled = compileRegex(source, ignoresCase);
  if (regexes.size >= regexesMax) regexes.clear();
  const regex = compiled.ok ? compiled.value : undefined;
  regexes.set(key, regex);
  return regex;
}

type Parameters = readonly (readonly [key: string, value: string])[];
let lastQuery = '';
let lastParameters: Parameters = [];

/** In lower case, as they were sent. Many conditions ask for those of the same query one after the other. */
export function queryParameters(query: string): Parameters {
  if (query === lastQuery) return lastParameters;
  lastQuery = query;
  lastParameters = query
    .toLowerCase()
    .split('&')
    .map((pair) => {
      const at = pair.indexOf('=');
      return at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    });
  return lastParameters;
}
