/**
 * Regular expressions that take time in proportion to the text, whatever the expression: strangers write the texts, and
 * tenants the expressions. The language is RE2's without Unicode classes, as on an Application Load Balancer: no
 * lookaround, no references back, no atomic groups.
 */
import { RE2JS } from 're2js';
import { accept, type Result, refuse } from '#base/result.ts';

export interface LinearRegex {
  /** Whether it is found anywhere in the text. */
  test(text: string): boolean;
  /** Its first occurrence, from `start` up to `end`, and what its groups found; undefined when there is none. */
  find(text: string): Occurrence | undefined;
  readonly groupsCount: number;
}

export interface Occurrence {
  readonly start: number;
  readonly end: number;
  /** From the first group on; empty for one that found nothing. */
  readonly groups: readonly string[];
}

const unicodeClass = /^(?:[^\\]|\\.)*?\\[pP]/s;

/** Refuses what is no expression of this language with the reason. */
export function compileRegex(source: string, ignoresCase: boolean): Result<LinearRegex, string> {
  if (unicodeClass.test(source)) return refuse('Unicode character classes are not supported');
  try {
    const compiled = RE2JS.compile(source, ignoresCase ? RE2JS.CASE_INSENSITIVE : 0);
    const groupsCount = compiled.groupCount();
    return accept({
      groupsCount,
      test: (text) => compiled.test(text),
      find: (text) => {
        const matcher = compiled.matcher(text);
        if (!matcher.find()) return undefined;
        const groups = Array.from({ length: groupsCount }, (_, index) => matcher.group(index + 1) ?? '');
        return { start: matcher.start(), end: matcher.end(), groups };
      },
    });
  } catch (error) {
    return refuse((error as Error).message.replace(/^error parsing regexp: /, ''));
  }
}
