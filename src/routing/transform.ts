/**
 * What a rule's transforms make of a request: another URL or another host for its targets. Where an expression is not
 * found, the request goes on as it came; what would not be a request any more is a failure. Source: "Transforms for
 * listener rules" in the guide.
 */
import { compileRegex, type LinearRegex } from '#model/linear-regex.ts';
import type { RuleTransform } from './table.ts';

/** What becomes of a request; a member that is not there stays as it came. */
export interface Transformed {
  /** The path with its query. */
  readonly url?: string;
  readonly host?: string;
}

export type Transform = (request: { readonly url: string; readonly authority: string }) => Transformed | 'failed';

const urlPattern = /^\/[!-~]*$/;
const urlLengthMax = 8 * 1024;
const hostPattern = /^[A-Za-z0-9._~-]+(?::\d{1,5})?$/;
const hostLengthMax = 255;

/** Undefined when there is nothing to transform. */
export function compileTransforms(transforms: readonly RuleTransform[]): Transform | undefined {
  if (transforms.length === 0) return undefined;
  const [url, host] = (['url-rewrite', 'host-header-rewrite'] as const).map((kind) =>
    rewriter(transforms.find((transform) => transform.kind === kind)),
  );
  return (request) => {
    const newUrl = url?.(request.url);
    const newHost = host?.(request.authority);
    if (newUrl !== undefined && (newUrl.length > urlLengthMax || !urlPattern.test(newUrl))) return 'failed';
    if (newHost !== undefined && (newHost.length > hostLengthMax || !hostPattern.test(newHost))) return 'failed';
    return { ...(newUrl !== undefined && { url: newUrl }), ...(newHost !== undefined && { host: newHost }) };
  };
}

/** Gives undefined for a text that stays as it is. */
function rewriter(transform: RuleTransform | undefined): ((text: string) => string | undefined) | undefined {
  if (transform === undefined) return undefined;
  const { regex, replacement, kind } = transform;
  let compiled: LinearRegex | undefined;
  return (text) => {
    if (compiled === undefined) {
      const result = compileRegex(regex, kind === 'host-header-rewrite');
      if (!result.ok) return undefined;
      compiled = result.value;
    }
    const found = compiled.find(text);
    if (found === undefined) return undefined;
    const filled = replacement.replace(/\$(\d+)/g, (_, group: string) => found.groups[Number(group) - 1] ?? '');
    return text.slice(0, found.start) + filled + text.slice(found.end);
  };
}
