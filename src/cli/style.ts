/** How text looks for people: colour only where a person looks at it, and columns that stand under each other. */
import { stripVTControlCharacters } from 'node:util';
import type { TextOutput } from '#base/text-output.ts';

export interface Style {
  readonly strong: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
}

/** Colours for a terminal, unless `NO_COLOR` is set to anything (https://no-color.org). */
export function styleFor(output: TextOutput, environment: Readonly<Record<string, string | undefined>>): Style {
  const hasColour = output.isTerminal && (environment.NO_COLOR ?? '') === '';
  const paint = (code: number) => (text: string) => (hasColour ? `\x1b[${code}m${text}\x1b[0m` : text);
  return { strong: paint(1), good: paint(32), bad: paint(31) };
}

/** Rows of cells as indented lines, each column as wide as its widest cell. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, shownWidth(cell));
    });
  }
  return rows
    .map((row) => `  ${row.map((cell, column) => pad(cell, widths[column]!)).join('  ')}`.trimEnd())
    .join('\n');
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(width - shownWidth(cell));
}

function shownWidth(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
