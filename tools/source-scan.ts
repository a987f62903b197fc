/**
 * Tells code from comments and strings in a source file, and finds what the file imports. Not a parser: it knows where
 * comments, strings, templates and regular expressions begin and end, and every rule that needs no more can use it.
 */

export interface ScannedSource {
  /** The source with comments, strings and regular expressions blanked; every character stays where it was. */
  readonly code: string;
  readonly strings: readonly { readonly at: number; readonly value: string }[];
}

export interface ImportedModule {
  /** As it is written: `#base/result.ts`, `./table.ts`, `node:fs`. */
  readonly module: string;
  /** From 1. */
  readonly line: number;
  readonly typesOnly: boolean;
}

/** A slash begins a regular expression where a value may begin; behind a value it divides. */
const tokenPattern = new RegExp(
  [
    String.raw`(?<comment>\/\*[^]*?\*\/|\/\/[^\n]*)`,
    String.raw`(?<text>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")`,
    String.raw`(?<template>${'`'}(?:\\[^]|[^${'`'}\\])*${'`'})`,
    String.raw`(?<=(?:^|[(,=:[!&|?{};>]|\breturn)\s*)(?<pattern>\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*)`,
  ].join('|'),
  'g',
);

export function scanSource(source: string): ScannedSource {
  const strings: { at: number; value: string }[] = [];
  const code = source.replace(tokenPattern, (token: string, ...rest: unknown[]) => {
    const { text, template } = rest.at(-1) as { text?: string; template?: string };
    const at = rest.at(-3) as number;
    if (text !== undefined) strings.push({ at, value: text.slice(1, -1) });
    return template === undefined ? blank(token) : blankTemplate(token);
  });
  return { code, strings };
}

/** Everything that the file imports, exports from, or names as a module of its own to load. */
export function importsOf({ code, strings }: ScannedSource): ImportedModule[] {
  return strings.flatMap(({ at, value }) => {
    const before = code.slice(Math.max(0, at - 2000), at);
    if (!/(?:\bfrom|\bimport|\bimport\s*\(|\bimport\.meta\.resolve\s*\(|\bnew\s+URL\s*\()\s*$/.test(before)) return [];
    // Of an address that is no file: `new URL('http://…')`.
    if (/^[a-z][a-z0-9+.-]*:\/\//.test(value)) return [];
    return [{ module: value, line: code.slice(0, at).split('\n').length, typesOnly: isTypesOnly(before) }];
  });
}

/** `import type { A } from`, `export type { A } from`, `import { type A, type B } from`. */
function isTypesOnly(before: string): boolean {
  const statement = /\b(?:import|export)\b(?![\s\S]*\b(?:import|export)\b)([\s\S]*)\bfrom\s*$/.exec(before)?.[1];
  if (statement === undefined) return false;
  if (/^\s*type\b/.test(statement)) return true;
  const names = /^\s*\{([^}]*)\}\s*$/.exec(statement)?.[1];
  return names?.split(',').every((name) => name.trim() === '' || /^\s*type\s/.test(name)) ?? false;
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

/** What stands in `${…}` is code. */
function blankTemplate(template: string): string {
  return template.replace(/\$\{([^}]*)\}|[^\n]/g, (_, inner: string | undefined) =>
    inner === undefined ? ' ' : `  ${inner} `,
  );
}
