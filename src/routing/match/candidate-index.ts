/**
 * Finds the first of many rules that holds, without trying them all: what a rule asks for in so many words (a header
 * field with a value, a method, a range of addresses, the beginning of a path, the end of a host) is its key, and only
 * rules whose key the request has are tried, with those that have none. The rule that keeps it true: a key may let in
 * too many, never too few, since each rule found by it is still tried as a whole.
 */
import type { RequestFacts } from '#routing/request.ts';
import type { RuleCondition } from '#routing/table.ts';
import { queryParameters } from './condition.ts';
import { literalPrefix } from './literal-prefix.ts';

export interface Tried {
  /** Its place among all rules. */
  readonly order: number;
  readonly conditions: readonly RuleCondition[];
  holds(request: RequestFacts): boolean;
}

/** So few are tried faster than looked up. */
const triedMax = 4;
/** A longer path or host has more parts than any rule can name. */
const partsMax = 128;

type Bucket<Rule> = Map<string, Rule[]>;
/** Gives each key of the request, until it is told to stop. */
type KeysOf = (request: RequestFacts, visit: (key: string) => void) => void;

interface Dimension<Rule> {
  readonly keysOf: KeysOf;
  readonly rules: Bucket<Rule>;
}

/** What a rule is found by: in a dimension, which its name tells from others, under any of its keys. */
interface Place {
  readonly dimension: string;
  readonly keysOf: KeysOf;
  readonly keys: readonly string[];
}

export class CandidateIndex<Rule extends Tried> {
  /** In their order. */
  readonly #others: readonly Rule[];
  readonly #dimensions: readonly Dimension<Rule>[];

  /** `rules` in their order. */
  constructor(rules: readonly Rule[]) {
    const others: Rule[] = [];
    const dimensions = new Map<string, Dimension<Rule>>();
    for (const rule of rules) {
      const place = rules.length <= triedMax ? undefined : placeOf(rule.conditions);
      if (place === undefined) {
        others.push(rule);
        continue;
      }
      let dimension = dimensions.get(place.dimension);
      if (dimension === undefined) {
        dimension = { keysOf: place.keysOf, rules: new Map() };
        dimensions.set(place.dimension, dimension);
      }
      for (const key of place.keys) {
        const bucket = dimension.rules.get(key);
        if (bucket === undefined) dimension.rules.set(key, [rule]);
        else bucket.push(rule);
      }
    }
    this.#others = others;
    this.#dimensions = [...dimensions.values()];
  }

  /** The first that holds. */
  find(request: RequestFacts): Rule | undefined {
    let found: Rule | undefined;
    for (const { keysOf, rules } of this.#dimensions) {
      keysOf(request, (key) => {
        found = firstBefore(found, rules.get(key), request);
      });
    }
    return firstBefore(found, this.#others, request);
  }
}

/** The first of `rules` that holds and comes before `found`, else that. */
function firstBefore<Rule extends Tried>(
  found: Rule | undefined,
  rules: readonly Rule[] | undefined,
  request: RequestFacts,
): Rule | undefined {
  if (rules === undefined) return found;
  for (const rule of rules) {
    if (found !== undefined && rule.order >= found.order) break;
    if (rule.holds(request)) return rule;
  }
  return found;
}

function placeOf(conditions: readonly RuleCondition[]): Place | undefined {
  // A field with a value usually tells rules apart better than a method does.
  const places = conditions.flatMap((condition) => placeOfCondition(condition) ?? []);
  return places.find(({ dimension }) => dimension !== 'method') ?? places[0];
}

function placeOfCondition(condition: RuleCondition): Place | undefined {
  switch (condition.field) {
    case 'http-request-method':
      return { dimension: 'method', keysOf: ({ method }, visit) => visit(method), keys: condition.values };
    case 'http-header': {
      if (condition.regexes.length > 0 || !condition.values.every(isLiteral)) return undefined;
      const name = condition.name.toLowerCase();
      const keysOf: KeysOf = (request, visit) => {
        for (const value of request.values(name)) visit(value.toLowerCase());
      };
      return { dimension: `header ${name}`, keysOf, keys: lowered(condition.values) };
    }
    case 'query-string': {
      const isKeyed = condition.values.every(({ key = '*', value }) => isPlain(key) && isPlain(value));
      const keys = condition.values.map(({ key, value }) => `${key}=${value}`);
      return isKeyed ? { dimension: 'query', keysOf: parametersOf, keys: lowered(keys) } : undefined;
    }
    case 'path-pattern': {
      const beginnings = [...condition.values.map(beginningOf), ...condition.regexes.map(beginningOfRegex)];
      return keyed('path', beginningsOf, beginnings);
    }
    case 'host-header':
      return condition.regexes.length > 0 ? undefined : keyed('host', endingsOf, condition.values.map(endingOf));
    case 'source-ip':
      return keyed('source', networksOf, condition.values.map(networkOf));
  }
}

function keyed(dimension: string, keysOf: KeysOf, keys: readonly (string | undefined)[]): Place | undefined {
  const known = keys.filter((key) => key !== undefined);
  return known.length === keys.length && keys.length > 0 ? { dimension, keysOf, keys: known } : undefined;
}

function isLiteral(value: string): boolean {
  return !/[*?]/.test(value);
}

/** Also without the character that takes the meaning from a wildcard. */
function isPlain(value: string): boolean {
  return !/[*?\\]/.test(value);
}

function lowered(texts: readonly string[]): string[] {
  return texts.map((text) => text.toLowerCase());
}

const parametersOf: KeysOf = ({ query }, visit) => {
  if (query === '') return;
  for (const [key, value] of queryParameters(query)) visit(`${key}=${value}`);
};

/** The whole of a path without wildcards, else what it says up to the last slash before them. */
function beginningOf(pattern: string): string | undefined {
  return isLiteral(pattern) ? pattern : folderOf(pattern.slice(0, pattern.search(/[*?]/)));
}

function beginningOfRegex(source: string): string | undefined {
  return folderOf(literalPrefix(source));
}

/** `/` alone tells no rule from another. */
function folderOf(path: string): string | undefined {
  const end = path.lastIndexOf('/');
  return end > 0 && path.startsWith('/') ? path.slice(0, end + 1) : undefined;
}

/** `/a/`, `/a/b/` and `/a/b/c` of the last. */
const beginningsOf: KeysOf = ({ path }, visit) => {
  for (let end = path.indexOf('/', 1), parts = 0; end !== -1 && parts < partsMax; parts += 1) {
    visit(path.slice(0, end + 1));
    end = path.indexOf('/', end + 1);
  }
  if (!path.endsWith('/') || path.length === 1) visit(path);
};

/** `.example.com` of `*.example.com` and `a*b.example.com`; a host without wildcards as a whole. */
function endingOf(pattern: string): string | undefined {
  const host = pattern.toLowerCase();
  if (isLiteral(host)) return host;
  const rest = host.slice(Math.max(host.lastIndexOf('*'), host.lastIndexOf('?')) + 1);
  const dot = rest.indexOf('.');
  return dot === -1 ? undefined : rest.slice(dot);
}

const endingsOf: KeysOf = ({ host }, visit) => {
  visit(host);
  for (let dot = host.indexOf('.'), parts = 0; dot !== -1 && parts < partsMax; parts += 1) {
    visit(host.slice(dot));
    dot = host.indexOf('.', dot + 1);
  }
};

/** `10.1.` of 10.1.0.0/16 and 10.1.128.0/17; undefined where it begins within the first number, and of IPv6. */
function networkOf(cidr: string): string | undefined {
  const [address = '', bits] = cidr.split('/');
  const numbers = Math.min(3, Math.floor(Number(bits) / 8));
  return address.includes(':') || numbers === 0 ? undefined : `${address.split('.').slice(0, numbers).join('.')}.`;
}

const networksOf: KeysOf = ({ source }, visit) => {
  const address = source.replace(/^::ffff:/i, '');
  for (let dot = address.indexOf('.'); dot !== -1; dot = address.indexOf('.', dot + 1))
    visit(address.slice(0, dot + 1));
};
