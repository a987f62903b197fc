/**
 * Transforms of rules: what targets get differently from what came. Source: `RuleTransform` in the ELB API reference;
 * "Transforms for listener rules" in the guide.
 */
import type { RuleTransform as ApiTransform } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { RuleTransform } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { compileRegex } from '#model/linear-regex.ts';
import { checkChoice, shown } from './checks.ts';
import type { Decoded } from './shape.ts';

const members = { 'host-header-rewrite': 'HostHeaderRewriteConfig', 'url-rewrite': 'UrlRewriteConfig' } as const;
const textLengthMax = 1_024;
const groupReference = /\$(\d+)/g;
/** It goes into a request's head. */
const replacementPattern = /^[!-~]*$/;

/** Reads transforms: at most one of each type, each with one rewrite whose groups are there. */
export function decodeTransforms(given: readonly Decoded<ApiTransform>[]): Result<readonly RuleTransform[], Fault> {
  const transforms: RuleTransform[] = [];
  for (const transform of given) {
    const wrong = checkChoice('Transform type', transform.Type, Object.keys(members));
    if (wrong !== undefined) return refuse(wrong);
    const kind = transform.Type as RuleTransform['kind'];
    if (transforms.some((other) => other.kind === kind)) return invalid(`A rule can only have one '${kind}' transform`);
    const decoded = decodeTransform(kind, transform);
    if (!decoded.ok) return decoded;
    transforms.push(decoded.value);
  }
  return accept(transforms);
}

export function encodeTransforms(transforms: readonly RuleTransform[]): ApiTransform[] {
  return transforms.map(({ kind, regex, replacement }) => ({
    Type: kind,
    [members[kind]]: { Rewrites: [{ Regex: regex, Replace: replacement }] },
  }));
}

function decodeTransform(kind: RuleTransform['kind'], transform: Decoded<ApiTransform>): Result<RuleTransform, Fault> {
  for (const [owner, member] of Object.entries(members)) {
    if (owner === kind || transform[member] === undefined) continue;
    return invalid(`${member} cannot be specified for a transform of type '${kind}'`);
  }
  const rewrites = transform[members[kind]]?.Rewrites ?? [];
  const [rewrite] = rewrites;
  if (rewrite === undefined || rewrites.length > 1) {
    return invalid(`${members[kind]} has ${rewrites.length} rewrites; exactly one must be specified`);
  }
  const { Regex: regex, Replace: replacement } = rewrite;
  if (regex.length < 1 || regex.length > textLengthMax || replacement.length > textLengthMax) {
    return invalid(
      `Regex and Replace of '${kind}' can have at most '${textLengthMax}' characters, and Regex at least one`,
    );
  }
  const compiled = compileRegex(regex, false);
  if (!compiled.ok) {
    return invalid(`Regex '${shown(regex)}' is not a regular expression that is supported: ${compiled.fault}`);
  }
  if (!replacementPattern.test(replacement)) {
    return invalid(`Replace '${shown(replacement)}' can hold only printable ASCII characters without spaces`);
  }
  const missing = replacement.matchAll(groupReference).find(([, group]) => Number(group) > compiled.value.groupsCount);
  if (missing !== undefined) {
    return invalid(`Replace names ${missing[0]}, and Regex has ${compiled.value.groupsCount} groups`);
  }
  return accept({ kind, regex, replacement });
}

function invalid(message: string): Result<never, Fault> {
  return refuse(fault('ValidationError', message));
}
