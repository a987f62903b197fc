/**
 * Conditions of rules, from the API's form to a rule's and back. What is accepted here can be compared by every worker:
 * values stay within the characters and lengths of the service, and each regular expression has been compiled once.
 * Source: `RuleCondition` in the ELB API reference; "Condition types for listener rules" in the guide.
 */
import { isIP } from 'node:net';
import type { RuleCondition as ApiCondition } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { QueryPair, RuleCondition } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { compileRegex } from '#model/linear-regex.ts';
import { checkChoice, shown } from './checks.ts';
import { quotas } from './quotas.ts';
import type { Decoded } from './shape.ts';

type ConditionInput = Decoded<ApiCondition>;
type Field = RuleCondition['field'];
type Texts = readonly string[] | undefined;

const fields = [
  'host-header',
  'http-header',
  'http-request-method',
  'path-pattern',
  'query-string',
  'source-ip',
] as const satisfies readonly Field[];

/** Which members go with which field; `Values` and `RegexValues` stand beside the first three. */
const configs = {
  HostHeaderConfig: 'host-header',
  HttpHeaderConfig: 'http-header',
  HttpRequestMethodConfig: 'http-request-method',
  PathPatternConfig: 'path-pattern',
  QueryStringConfig: 'query-string',
  SourceIpConfig: 'source-ip',
} as const satisfies Partial<Record<keyof ConditionInput, Field>>;

/** A rule may have several of these. */
const repeatable: readonly Field[] = ['http-header', 'query-string'];

const valueLengthMax = 128;
const nameLengthMax = 40;
const hostPattern = /^[A-Za-z0-9._*?-]*\.[A-Za-z*?]+$/;
const pathPattern = /^[A-Za-z0-9_.$/~"'@:+&;*?-]+$/;
const printablePattern = /^[ -~]+$/;
const methodPattern = /^[A-Z_-]+$/;
const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Reads the conditions of a rule other than the default one: at least one, and each within the limits. */
export function decodeConditions(given: readonly ConditionInput[]): Result<readonly RuleCondition[], Fault> {
  if (given.length === 0) return invalid('Conditions is empty; at least one condition must be specified');
  const conditions: RuleCondition[] = [];
  for (const condition of given) {
    const decoded = decodeCondition(condition);
    if (!decoded.ok) return decoded;
    const { field } = decoded.value;
    if (!repeatable.includes(field) && conditions.some((other) => other.field === field)) {
      return invalid(`A rule can only have one '${field}' condition`);
    }
    conditions.push(decoded.value);
  }
  const texts = conditions.flatMap(textsOf);
  if (texts.length > quotas.conditionValuesPerRule) {
    return invalid(
      `A rule can only have '${quotas.conditionValuesPerRule}' condition values; it has '${texts.length}'`,
    );
  }
  const wildcards = texts.join('').replace(/\\./gs, '').replace(/[^*?]/g, '').length;
  if (wildcards > quotas.conditionWildcardsPerRule) {
    return invalid(`A rule can only have '${quotas.conditionWildcardsPerRule}' wildcards; it has '${wildcards}'`);
  }
  return accept(conditions);
}

/** The conditions as the API answers them: hosts and paths in both of their forms. */
export function encodeConditions(conditions: readonly RuleCondition[]): ApiCondition[] {
  return conditions.map((condition) => ({ Field: condition.field, ...encodeCondition(condition) }));
}

function encodeCondition(condition: RuleCondition): ApiCondition {
  const list = (values: readonly string[]) => (values.length === 0 ? undefined : [...values]);
  switch (condition.field) {
    case 'host-header': {
      const config = { Values: list(condition.values), RegexValues: list(condition.regexes) };
      return { ...config, HostHeaderConfig: config };
    }
    case 'path-pattern': {
      const config = { Values: list(condition.values), RegexValues: list(condition.regexes) };
      return { ...config, PathPatternConfig: config };
    }
    case 'http-header': {
      const { name, values, regexes } = condition;
      const config = { HttpHeaderName: name, Values: list(values), RegexValues: list(regexes) };
      return { RegexValues: list(regexes), HttpHeaderConfig: config };
    }
    case 'http-request-method':
      return { HttpRequestMethodConfig: { Values: [...condition.values] } };
    case 'query-string': {
      const pairs = condition.values.map(({ key, value }) => ({
        ...(key !== undefined && { Key: key }),
        Value: value,
      }));
      return { QueryStringConfig: { Values: pairs } };
    }
    case 'source-ip':
      return { SourceIpConfig: { Values: [...condition.values] } };
  }
}

function decodeCondition(given: ConditionInput): Result<RuleCondition, Fault> {
  const { Field: field } = given;
  if (field === undefined) return invalid('A condition field must be specified');
  const wrong = checkChoice('Condition field', field, fields);
  if (wrong !== undefined) return refuse(wrong);
  for (const [member, owner] of Object.entries(configs)) {
    if (given[member as keyof ConditionInput] === undefined || owner === field) continue;
    return invalid(`${member} cannot be specified for a condition of field '${field}'`);
  }
  switch (field as Field) {
    case 'host-header':
      return decodeTexts(given, 'host-header', given.HostHeaderConfig, checkHost);
    case 'path-pattern':
      return decodeTexts(given, 'path-pattern', given.PathPatternConfig, checkPath);
    case 'http-header':
      return decodeHeader(given);
    case 'http-request-method':
      return decodeMethods(given);
    case 'query-string':
      return decodeQuery(given);
    case 'source-ip':
      return decodeSources(given);
  }
}

type Check = (value: string) => string | undefined;

/** Hosts and paths: one value beside the field, or several in the field's own member. */
function decodeTexts(
  given: ConditionInput,
  field: 'host-header' | 'path-pattern',
  config: { readonly Values?: Texts; readonly RegexValues?: Texts } | undefined,
  check: Check,
): Result<RuleCondition, Fault> {
  if (given.Values !== undefined && given.Values.length > 1) {
    return invalid(`The '${field}' condition has too many values; the limit is '1' (its own member takes more)`);
  }
  const values = either(field, 'Values', given.Values, config?.Values);
  if (!values.ok) return values;
  const regexes = either(field, 'RegexValues', given.RegexValues, config?.RegexValues);
  if (!regexes.ok) return regexes;
  const wrong = checkTexts(field, { values: values.value, regexes: regexes.value }, check);
  return wrong === undefined ? accept({ field, values: values.value, regexes: regexes.value }) : refuse(wrong);
}

function decodeHeader({ Values, RegexValues, HttpHeaderConfig }: ConditionInput): Result<RuleCondition, Fault> {
  const field = 'http-header';
  if (Values !== undefined) return invalid(`Values cannot be specified for a condition of field '${field}'`);
  const name = HttpHeaderConfig?.HttpHeaderName;
  if (name === undefined) return invalid('HttpHeaderName must be specified for an http-header condition');
  if (name.length > nameLengthMax || !tokenPattern.test(name)) {
    return invalid(
      `HttpHeaderName '${shown(name)}' must be a header name (RFC 7230) of at most '${nameLengthMax}' characters`,
    );
  }
  if (name.toLowerCase() === 'host') return invalid("HttpHeaderName 'host': use a host-header condition instead");
  const regexes = either(field, 'RegexValues', RegexValues, HttpHeaderConfig?.RegexValues);
  if (!regexes.ok) return regexes;
  const values = HttpHeaderConfig?.Values ?? [];
  const wrong = checkTexts(field, { values, regexes: regexes.value }, checkPrintable);
  return wrong === undefined ? accept({ field, name, values, regexes: regexes.value }) : refuse(wrong);
}

function decodeMethods(given: ConditionInput): Result<RuleCondition, Fault> {
  const field = 'http-request-method';
  const values = given.HttpRequestMethodConfig?.Values ?? [];
  const check = (value: string) =>
    value.length <= nameLengthMax && methodPattern.test(value)
      ? undefined
      : `must have at most '${nameLengthMax}' of the characters A-Z, hyphen and underscore`;
  const wrong = checkPlain(given, field) ?? checkTexts(field, { values, regexes: [] }, check);
  return wrong === undefined ? accept({ field, values }) : refuse(wrong);
}

function decodeQuery(given: ConditionInput): Result<RuleCondition, Fault> {
  const field = 'query-string';
  const pairs = given.QueryStringConfig?.Values ?? [];
  const plain = checkPlain(given, field);
  if (plain !== undefined) return refuse(plain);
  const values: QueryPair[] = [];
  for (const { Key: key, Value: value } of pairs) {
    if (value === undefined) return invalid('A query-string condition needs a Value in each of its pairs');
    values.push({ ...(key !== undefined && { key }), value });
  }
  const texts = values.flatMap(({ key, value }) => (key === undefined ? [value] : [key, value]));
  const wrong =
    checkCountOf(field, values.length) ??
    texts.map((text) => checkText(field, text, checkPrintable)).find((each) => each !== undefined);
  return wrong === undefined ? accept({ field, values }) : refuse(wrong);
}

function decodeSources(given: ConditionInput): Result<RuleCondition, Fault> {
  const field = 'source-ip';
  if (given.SourceIpConfig?.IpAddressType !== undefined) {
    return invalid('IpAddressType is for rules of Network Load Balancers; specify Values in CIDR format');
  }
  const values = given.SourceIpConfig?.Values ?? [];
  const check = (value: string) =>
    isCidr(value) ? undefined : 'must be an address block in CIDR format, such as 192.0.2.0/24';
  const wrong = checkPlain(given, field) ?? checkTexts(field, { values, regexes: [] }, check);
  return wrong === undefined ? accept({ field, values }) : refuse(wrong);
}

/** What stands beside the field, or in its own member; when it is in both, they must say the same. */
function either(field: Field, member: string, beside: Texts, inside: Texts): Result<readonly string[], Fault> {
  if (beside !== undefined && inside !== undefined && JSON.stringify(beside) !== JSON.stringify(inside)) {
    return invalid(`The '${field}' condition has two different ${member}; specify them once`);
  }
  return accept(inside ?? beside ?? []);
}

function checkPlain({ Values, RegexValues }: ConditionInput, field: Field): Fault | undefined {
  const member = Values !== undefined ? 'Values' : RegexValues !== undefined ? 'RegexValues' : undefined;
  if (member === undefined) return undefined;
  return fault('ValidationError', `${member} cannot be specified for a condition of field '${field}'`);
}

function checkTexts(
  field: Field,
  { values, regexes }: { readonly values: readonly string[]; readonly regexes: readonly string[] },
  check: Check,
): Fault | undefined {
  if (values.length > 0 && regexes.length > 0) {
    return fault('ValidationError', `The '${field}' condition can have either Values or RegexValues, not both`);
  }
  return (
    checkCountOf(field, values.length + regexes.length) ??
    values.map((value) => checkText(field, value, check)).find((wrong) => wrong !== undefined) ??
    regexes.map((regex) => checkText(field, regex, checkRegex)).find((wrong) => wrong !== undefined)
  );
}

function checkCountOf(field: Field, count: number): Fault | undefined {
  const max = quotas.valuesPerCondition;
  if (count >= 1 && count <= max) return undefined;
  const message =
    count === 0
      ? `The '${field}' condition must have a value`
      : `The '${field}' condition has too many values; the limit is '${max}'`;
  return fault('ValidationError', message);
}

function checkText(field: Field, text: string, check: Check): Fault | undefined {
  const why =
    text.length >= 1 && text.length <= valueLengthMax
      ? check(text)
      : `must be between '1' and '${valueLengthMax}' characters long`;
  return why === undefined
    ? undefined
    : fault('ValidationError', `Condition value '${shown(text)}' of '${field}' ${why}`);
}

const checkHost: Check = (value) =>
  hostPattern.test(value)
    ? undefined
    : "must hold a '.', only letters behind the last one, and otherwise only letters, digits, '-', '_', '.', '*' and '?'";

const checkPath: Check = (value) =>
  pathPattern.test(value)
    ? undefined
    : `can hold only letters, digits and the characters _ - . $ / ~ " ' @ : + & ; * ?`;

const checkPrintable: Check = (value) =>
  printablePattern.test(value) ? undefined : 'can hold only printable ASCII characters';

const checkRegex: Check = (source) => {
  const compiled = compileRegex(source, false);
  return compiled.ok ? undefined : `is not a regular expression that is supported: ${compiled.fault}`;
};

function isCidr(text: string): boolean {
  const [, address = '', bits = ''] = /^([0-9A-Fa-f:.]{2,45})\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits) <= (version === 4 ? 32 : 128);
}

/** Every value that is compared with the request, as text. */
function textsOf(condition: RuleCondition): readonly string[] {
  if (condition.field === 'query-string') return condition.values.map(({ key = '', value }) => key + value);
  // What is a wildcard elsewhere is none in an expression.
  const regexes = 'regexes' in condition ? condition.regexes.map(() => '') : [];
  return [...condition.values, ...regexes];
}

function invalid(message: string): Result<never, Fault> {
  return refuse(fault('ValidationError', message));
}
