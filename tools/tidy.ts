/**
 * The rules of the house, held by a program: who may import whom, where time and the process may be touched, and what
 * files look like. Each rule is a function from the texts of all files to its breaches; the disk is read in one place.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type ImportedModule, importsOf, scanSource } from './source-scan.ts';

export interface Breach {
  readonly path: string;
  /** From 1; 0 when it is about the whole file. */
  readonly line: number;
  readonly message: string;
}

/** The text of every file by its path from the root; of files that are not text, an empty one. */
export type Files = ReadonlyMap<string, string>;

interface Law {
  readonly imports: readonly string[] | 'all';
  /** From these, types alone. */
  readonly types?: readonly string[];
}

/** Who may import whom: the table in the design, "The house". Its own files, each folder may import of course. */
export const importLaw: Readonly<Record<string, Law>> = {
  base: { imports: [] },
  io: { imports: ['base'] },
  model: { imports: ['base'] },
  journal: { imports: ['base', 'io', 'model'] },
  guard: { imports: ['base', 'model'] },
  control: { imports: ['base', 'io', 'model', 'journal', 'guard'] },
  api: { imports: ['base', 'io', 'model', 'control'] },
  link: { imports: ['base', 'io', 'model'] },
  health: { imports: ['base', 'io', 'model'] },
  routing: { imports: ['base', 'model'] },
  proxy: { imports: ['base', 'io', 'routing'] },
  node: { imports: ['base', 'io', 'model', 'journal', 'guard', 'link', 'health', 'routing', 'proxy'] },
  dns: { imports: ['base', 'io', 'model'] },
  observe: { imports: ['base', 'io', 'model'] },
  drill: { imports: ['base', 'io', 'model'] },
  daemon: { imports: 'all' },
  cli: { imports: ['base'], types: ['model'] },
  console: { imports: ['base'], types: ['model'] },
};

const linesMax = 500;
const columnsMax = 120;
const forbiddenNames = new Set(['index', 'util', 'utils']);
const codePattern = /\.(?:ts|tsx|mjs|js)$|^bin\/[a-z-]+$/;
/** Tests, and what only tests use. */
const testPattern = /\.test\.tsx?$|\/test-[a-z0-9-]+\.ts$/;

/** A long table says so, and why, in a comment of its own: `// tidy: long table, because …`. */
const longTablePattern = /^(?:\/\/| \*) tidy: long table, because \S+/m;

/** Every breach of every rule, by file and line. */
export function tidy(files: Files): Breach[] {
  const breaches = [...files].flatMap(([path, text]) => [
    ...nameBreaches(path),
    ...(codePattern.test(path) ? codeBreaches(path, text) : []),
    ...(path.endsWith('.md') ? linkBreaches(path, text, files) : []),
  ]);
  return [...breaches, ...dependencyBreaches(files)];
}

function codeBreaches(path: string, text: string): Breach[] {
  return [...shapeBreaches(path, text), ...importBreaches(path, text), ...ambientBreaches(path, text)];
}

/** kebab-case, with suffixes behind dots; names that say nothing are refused. */
function nameBreaches(path: string): Breach[] {
  const breaches: Breach[] = [];
  const parts = path.split('/');
  // What lies at the root, and what begins with a dot, is named by custom.
  if (parts.length === 1 || path.startsWith('.')) return breaches;
  for (const part of parts) {
    if (part === 'README.md' || /^\.?[a-z0-9]+(?:[-.][a-z0-9]+)*$/.test(part)) continue;
    breaches.push({ path, line: 0, message: `'${part}' is not kebab-case` });
  }
  const stem = parts.at(-1)!.split('.')[0]!;
  if (codePattern.test(path) && forbiddenNames.has(stem)) {
    breaches.push({ path, line: 0, message: `a file called '${stem}' does not say what is in it` });
  }
  return breaches;
}

function shapeBreaches(path: string, text: string): Breach[] {
  const breaches: Breach[] = [];
  const lines = text.replace(/\n$/, '').split('\n');
  if (lines.length > linesMax && !longTablePattern.test(text)) {
    breaches.push({ path, line: 0, message: `${lines.length} lines, at most ${linesMax} are readable` });
  }
  lines.forEach((line, index) => {
    const columns = [...line].length;
    // The formatter breaks code, and what it leaves long is a text in one piece; comments it does not touch.
    if (columns > columnsMax && /^\s*(?:\/[/*]|\*)/.test(line))
      breaches.push({ path, line: index + 1, message: `${columns} columns, over ${columnsMax}` });
  });
  const hasHeader = /^(?:#!.*\n)?\/[*/]/.test(text);
  if (!hasHeader && !testPattern.test(path)) {
    breaches.push({ path, line: 1, message: 'no header comment that says what this is' });
  }
  return breaches;
}

function importBreaches(path: string, text: string): Breach[] {
  const folder = /^src\/([^/]+)\//.exec(path)?.[1];
  return importsOf(scanSource(text)).flatMap((imported) => {
    const message = importFault(path, folder, imported);
    return message === undefined ? [] : [{ path, line: imported.line, message }];
  });
}

function importFault(
  path: string,
  folder: string | undefined,
  { module, typesOnly }: ImportedModule,
): string | undefined {
  if (module.startsWith('.')) return climbFault(path, module);
  if (!module.startsWith('#') || module === '#package.json') return undefined;
  const target = /^#([^/]+)\//.exec(module)?.[1];
  if (target === undefined || !Object.hasOwn(importLaw, target)) return `'${module}' is in no folder of the house`;
  // Tests, and what is not in src, may import everything.
  if (folder === undefined || folder === target || testPattern.test(path)) return undefined;
  if (!Object.hasOwn(importLaw, folder))
    return `src/${folder} is no folder of the house: tools/tidy.ts does not list it`;
  const law = importLaw[folder]!;
  if (law.imports === 'all' || law.imports.includes(target)) return undefined;
  if (law.types?.includes(target)) {
    return typesOnly ? undefined : `src/${folder} may import types alone from src/${target}`;
  }
  return `src/${folder} may not import src/${target}`;
}

/** Inside src every border that is crossed shows a `#`, and from outside every step into src does. */
function climbFault(path: string, module: string): string | undefined {
  if (!/(?:^|\/)\.\.(?:\/|$)/.test(module)) return undefined;
  const staysOutside = !posix.join(posix.dirname(path), module).startsWith('src/');
  const mayClimb = staysOutside && (!path.startsWith('src/') || testPattern.test(path));
  // The programs in bin run before there is anything that knows the names with `#`.
  return mayClimb || path.startsWith('bin/')
    ? undefined
    : `'${module}' climbs out of its folder; a folder is entered by '#folder/file.ts'`;
}

/** Time, the process and the console are behind ports, so that everything else can be run in a made-up world. */
function ambientBreaches(path: string, text: string): Breach[] {
  if (!path.startsWith('src/') || path.startsWith('src/io/') || testPattern.test(path)) return [];
  const scanned = scanSource(text);
  const breaches: Breach[] = [];
  scanned.code.split('\n').forEach((line, index) => {
    for (const [found] of line.matchAll(
      /(?<![.\w$#])(?:setTimeout|setInterval|setImmediate)\b|(?<![.\w$#])(?:process|console)(?=\s*(?:\.|\?\.|\[))/g,
    )) {
      breaches.push({ path, line: index + 1, message: `${found} is touched in src/io alone` });
    }
  });
  for (const { module, line } of importsOf(scanned)) {
    if (/^(?:node:)?(?:timers|process|console)(?:\/|$)/.test(module)) {
      breaches.push({ path, line, message: `${module} is imported in src/io alone` });
    }
  }
  return breaches;
}

/** Relative links point at files that are there. */
function linkBreaches(path: string, text: string, files: Files): Breach[] {
  const breaches: Breach[] = [];
  const folders = new Set([...files.keys()].flatMap((file) => [...foldersOf(file)]));
  let isCode = false;
  text.split('\n').forEach((line, index) => {
    if (/^\s*(?:```|~~~)/.test(line)) isCode = !isCode;
    if (isCode) return;
    for (const [, link] of line.replace(/`[^`]*`/g, '').matchAll(/\]\(<?([^()<>\s]+)>?(?:\s+"[^"]*")?\)/g)) {
      if (/^(?:[a-z][a-z0-9+.-]*:|#)/i.test(link!)) continue;
      const target = posix.join(posix.dirname(path), decodeURI(link!.split('#')[0]!)).replace(/\/$/, '');
      if (files.has(target) || folders.has(target) || target === '.') continue;
      breaches.push({ path, line: index + 1, message: `the link ${link} points nowhere` });
    }
  });
  return breaches;
}

function* foldersOf(path: string): Iterable<string> {
  for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) yield folder;
}

/** Every dependency has a line that says what it is for. */
function dependencyBreaches(files: Files): Breach[] {
  const manifest = JSON.parse(files.get('package.json') ?? '{}') as Record<string, Record<string, string> | undefined>;
  const page = files.get('docs/dependencies.md') ?? '';
  const names = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((part) =>
    Object.keys(manifest[part] ?? {}),
  );
  return names
    .filter((name) => !page.includes(`\`${name}\``))
    .map((name) => ({ path: 'package.json', line: 0, message: `${name} has no line in docs/dependencies.md` }));
}

const skippedFolders = new Set(['node_modules', '.git', '.ballast']);
const textPattern = /\.(?:ts|tsx|mjs|js|md|json)$|^bin\//;

function readTree(root: string): Files {
  const files = new Map<string, string>();
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory() && !skippedFolders.has(entry.name)) walk(path);
      else if (entry.isFile()) files.set(path, textPattern.test(path) ? readFileSync(join(root, path), 'utf8') : '');
    }
  };
  walk('');
  return files;
}

if (import.meta.main) {
  const breaches = tidy(readTree(join(import.meta.dirname, '..')));
  for (const { path, line, message } of breaches) console.log(`${path}${line === 0 ? '' : `:${line}`}: ${message}`);
  console.log(breaches.length === 0 ? 'tidy: the house is in order' : `tidy: ${breaches.length} breaches`);
  process.exitCode = breaches.length === 0 ? 0 : 1;
}
