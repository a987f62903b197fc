/** How text looks for people: colour only where a person looks at it, and columns that stand under each other. */
import { stripVTControlCharacters } from 'node:util';
import type { TextOutput } from '#base/text-output.ts';

export interface Style {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly changed: (text: string) => string;
  readonly bad: (text: string) => string;
  /** What nobody may overlook. */
  readonly alarm: (text: string) => string;
}

/** Colours for a terminal, unless `NO_COLOR` is set to anything (https://no-color.org). */
export function styleFor(output: TextOutput, environment: Readonly<Record<string, string | undefined>>): Style {
  const hasColour = output.isTerminal && (environment.NO_COLOR ?? '') === '';
  const paint = (code: string) => (text: string) => (hasColour ? `\x1b[${code}m${text}\x1b[0m` : text);
  return {
    strong: paint('1'),
    faint: paint('2'),
    good: paint('32'),
    changed: paint('33'),
    bad: paint('31'),
    alarm: paint('1;31'),
  };
}

/** Rows of cells as indented lines, each column as wide as its widest cell. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  return new Columns('  ').format(rows);
}

/** Columns that come in batches: each is as wide as the widest cell so far. */
export class Columns {
  readonly #indent: string;
  readonly #widths: number[];

  constructor(indent: string, widthsMin: readonly number[] = []) {
    this.#indent = indent;
    this.#widths = [...widthsMin];
  }

  format(rows: readonly (readonly string[])[]): string {
    for (const row of rows) {
      row.forEach((cell, column) => {
        this.#widths[column] = Math.max(this.#widths[column] ?? 0, shownWidth(cell));
      });
    }
    return rows
      .map((row) => `${this.#indent}${row.map((cell, column) => this.#pad(cell, column)).join('  ')}`.trimEnd())
      .join('\n');
  }

  #pad(cell: string, column: number): string {
    return cell + ' '.repeat(this.#widths[column]! - shownWidth(cell));
  }
}

/** `12,000`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 listener`, `2 listeners`, `3 registrations`. */
export function counted(count: number, noun: string): string {
  const many = /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${formatCount(count)} ${count === 1 ? noun : many}`;
}

function shownWidth(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
