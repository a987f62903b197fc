/**
 * The query protocol's requests: a form whose keys are paths (`Targets.member.1.Port`) becomes the operation's input.
 * Every value is checked against its shape; nothing is guessed, and what the shapes do not know is passed over, as the
 * real service does.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { Shape } from './shapes.ts';

export const parametersMax = 20_000;
const depthMax = 16;
const listLengthMax = 5_000;
const shownMax = 100;

/** A form: names and values as they were meant, each name once. */
export type Form = ReadonlyMap<string, string>;

/** Reads `a=b&c=d`. Refuses broken percent-encoding, bytes that are not UTF-8, a name given twice, and too many. */
export function parseForm(text: string): Result<Form, Fault> {
  const form = new Map<string, string>();
  if (text === '') return accept(form);
  const pairs = text.split('&', parametersMax + 1);
  if (pairs.length > parametersMax) {
    return refuse(
      fault('MalformedInput', `the request has more than the ${parametersMax} parameters that are allowed`),
    );
  }
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decodeText(equals < 0 ? pair : pair.slice(0, equals));
    const value = decodeText(equals < 0 ? '' : pair.slice(equals + 1));
    if (name === undefined || value === undefined) {
      return refuse(fault('MalformedInput', `the parameter ${shown(pair)} is not percent-encoded UTF-8`));
    }
    if (form.has(name)) return refuse(fault('MalformedInput', `the parameter ${shown(name)} is given twice`));
    form.set(name, value);
  }
  return accept(form);
}

/** EC2 has names of its own, and numbers the entries of lists without a word between. */
export type Dialect = 'query' | 'ec2';

/** Decodes the operation's input from the form. */
export function decodeInput(form: Form, shape: Shape, dialect: Dialect = 'query'): Result<unknown, Fault> {
  const root = newNode();
  // Of a long list neighbours are named alike but for their last part: what leads there is looked up once.
  let lastPath = '';
  let lastParent = root;
  for (const [name, value] of form) {
    const path = name.slice(0, name.lastIndexOf('.') + 1);
    if (path !== lastPath) {
      const parent = plant(root, name);
      if (parent === undefined) {
        return refuse(fault('MalformedInput', `the parameter ${shown(name)} is nested too deeply`));
      }
      lastPath = path;
      lastParent = parent;
    }
    childOf(lastParent, name.slice(path.length)).value = value;
  }
  return decode(root, shape, '', dialect);
}

/** The form as a tree: `a.b=1` is a value below `b` below `a`. Maps, so that no name can reach a prototype. */
interface Node {
  value: string | undefined;
  /** `noChildren` until the first comes. */
  children: Map<string, Node>;
}

const noChildren: Map<string, Node> = new Map();

function newNode(): Node {
  return { value: undefined, children: noChildren };
}

/** The node below which the last part of the name belongs; undefined when that is nested too deeply. */
function plant(root: Node, name: string): Node | undefined {
  const parts = name.split('.', depthMax + 1);
  if (parts.length > depthMax) return undefined;
  let node = root;
  for (const part of parts.slice(0, -1)) node = childOf(node, part);
  return node;
}

function childOf(node: Node, part: string): Node {
  if (node.children === noChildren) node.children = new Map();
  let child = node.children.get(part);
  if (child === undefined) {
    child = newNode();
    node.children.set(part, child);
  }
  return child;
}

type ScalarKind = Exclude<Shape['kind'], 'structure' | 'list' | 'map'>;
type Decoded = Result<unknown, Fault>;

function decode(node: Node, shape: Shape, path: string, dialect: Dialect): Decoded {
  switch (shape.kind) {
    case 'structure':
      return decodeStructure(node, shape, path, dialect);
    case 'list':
      return decodeList(node, shape, path, dialect);
    case 'map':
      return decodeMap(node, shape, path, dialect);
    default: {
      if (node.children.size > 0 || node.value === undefined) {
        const below = [...node.children.keys()][0] ?? '';
        return refuse(fault('MalformedInput', `${path} is a single value; found ${shown(`${path}.${below}`)}`));
      }
      return decodeScalar(node.value, shape.kind, path);
    }
  }
}

function decodeStructure(
  node: Node,
  shape: Extract<Shape, { kind: 'structure' }>,
  path: string,
  dialect: Dialect,
): Decoded {
  if (node.value !== undefined && node.value !== '') {
    return refuse(fault('MalformedInput', `${path} is a structure; found the value ${shown(node.value)}`));
  }
  const structure: Record<string, unknown> = {};
  for (const { name, askedName, isRequired, shape: memberShape } of shape.members) {
    const asked = dialect === 'ec2' ? (askedName ?? name) : name;
    const child = node.children.get(asked);
    const childPath = path === '' ? asked : `${path}.${asked}`;
    if (child === undefined) {
      if (isRequired) return refuse(fault('ValidationError', `${childPath} is required and was not given`));
      continue;
    }
    const value = decode(child, memberShape(), childPath, dialect);
    if (!value.ok) return value;
    structure[name] = value.value;
  }
  return accept(structure);
}

function decodeList(node: Node, shape: Extract<Shape, { kind: 'list' }>, path: string, dialect: Dialect): Decoded {
  const numbered =
    dialect === 'ec2' ? numberedEntries(node.children, path, path) : numberedChildren(node, 'member', path);
  if (!numbered.ok) return numbered;
  const list: unknown[] = [];
  for (const [index, child] of numbered.value) {
    const place = dialect === 'ec2' ? `${path}.${index}` : `${path}.member.${index}`;
    const value = decode(child, shape.member(), place, dialect);
    if (!value.ok) return value;
    list.push(value.value);
  }
  return accept(list);
}

function decodeMap(node: Node, shape: Extract<Shape, { kind: 'map' }>, path: string, dialect: Dialect): Decoded {
  const numbered = numberedChildren(node, 'entry', path);
  if (!numbered.ok) return numbered;
  // Defined as own properties: a key named __proto__ is a key like any other.
  const map: Record<string, unknown> = {};
  for (const [index, child] of numbered.value) {
    const entryPath = `${path}.entry.${index}`;
    const [key, value] = [child.children.get('key'), child.children.get('value')];
    if (key?.value === undefined || value === undefined) {
      return refuse(fault('MalformedInput', `${entryPath} needs both a key and a value`));
    }
    if (Object.hasOwn(map, key.value)) {
      return refuse(fault('MalformedInput', `${path} has the key ${shown(key.value)} twice`));
    }
    const decoded = decode(value, shape.value(), `${entryPath}.value`, dialect);
    if (!decoded.ok) return decoded;
    Object.defineProperty(map, key.value, {
      value: decoded.value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return accept(map);
}

/** The children `PATH.member.1`, `PATH.member.2` … in their order. An empty list arrives as `PATH=`. */
function numberedChildren(node: Node, word: 'member' | 'entry', path: string): Result<[number, Node][], Fault> {
  if (node.value !== undefined && node.value !== '') {
    return refuse(fault('MalformedInput', `${path} is a list; found the value ${shown(node.value)}`));
  }
  const stranger = node.children.keys().find((name) => name !== word);
  if (stranger !== undefined) {
    return refuse(
      fault('MalformedInput', `${path} is a list of ${path}.${word}.N; found ${shown(`${path}.${stranger}`)}`),
    );
  }
  return numberedEntries(node.children.get(word)?.children ?? noChildren, path, `${path}.${word}`);
}

/** The entries `ENTRYPATH.1`, `ENTRYPATH.2` … in their order. */
function numberedEntries(
  children: ReadonlyMap<string, Node>,
  path: string,
  entryPath: string,
): Result<[number, Node][], Fault> {
  if (children.size > listLengthMax) {
    return refuse(
      fault('ValidationError', `${path} has ${children.size} entries; at most ${listLengthMax} are allowed`),
    );
  }
  const numbered: [number, Node][] = [];
  for (const [text, child] of children) {
    if (!/^[1-9]\d{0,8}$/.test(text)) {
      return refuse(fault('MalformedInput', `${entryPath}.${shown(text)} is not numbered from 1`));
    }
    numbered.push([Number(text), child]);
  }
  return accept(numbered.sort(([a], [b]) => a - b));
}

function decodeScalar(text: string, kind: ScalarKind, path: string): Decoded {
  const wrong = (allowed: string) =>
    refuse(fault('MalformedInput', `${path} must be ${allowed}; found ${shown(text)}`));
  switch (kind) {
    case 'text':
      return accept(text);
    case 'blob': {
      const bytes = decodeBase64(text);
      return bytes === undefined ? wrong('base64') : accept(bytes);
    }
    case 'boolean':
      return text === 'true' || text === 'false' ? accept(text === 'true') : wrong('true or false');
    // Every number that the API takes is a whole one; fractions are only in answers.
    case 'number':
      return /^(?:0|-?[1-9]\d{0,14})$/.test(text) ? accept(Number(text)) : wrong('a whole number');
    case 'timestamp': {
      const time = new Date(text);
      const isDate = /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(time.getTime());
      return isDate ? accept(time) : wrong('a time like 2026-01-31T12:00:00Z');
    }
  }
}

function decodeText(encoded: string): string | undefined {
  // Most names and values are plain, and are what they say.
  if (!encoded.includes('%') && !encoded.includes('+')) return encoded;
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** The bytes; undefined when the text is not base64 in the one way it can be written (RFC 4648, section 4). */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** A stranger's text, quoted and cut short, for messages. */
export function shown(text: string): string {
  return `'${text.length > shownMax ? `${text.slice(0, shownMax)}…` : text}'`;
}
