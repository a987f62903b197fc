/**
 * A document as its members: the unit in which documents are compared, merged and shown. Attributes and tags are
 * members each (`attributes.NAME`, `tags.KEY`); any other value is one as a whole, since its parts belong together.
 */
import type { Documents, Kind, Tag } from './documents.ts';
import type { MemberChange } from './history.ts';
import { sealedMembers } from './sealed.ts';

type AnyDocument = Documents[Kind];
type Members = ReadonlyMap<string, unknown>;

/** What is shown in place of a sealed secret. */
const sealedText = '(sealed)';
const sealedNames: ReadonlySet<string> = new Set(Object.values(sealedMembers).flat());

/** The members of a document, in its order. A member whose value is undefined is not there. */
export function membersOf(document: AnyDocument): Map<string, unknown> {
  const members = new Map<string, unknown>();
  for (const [name, value] of Object.entries(document)) {
    if (name === 'attributes') {
      for (const [key, text] of Object.entries(value as object)) members.set(`attributes.${key}`, text);
    } else if (name === 'tags') {
      for (const { key, value: text } of value as readonly Tag[]) members.set(`tags.${key}`, text);
    } else if (value !== undefined) {
      members.set(name, value);
    }
  }
  return members;
}

/** The document with other values for some of its members; undefined takes a member out. Tags keep their order. */
export function withMembers<D extends AnyDocument>(document: D, values: Members): D {
  const next: Record<string, unknown> = { ...document };
  for (const [member, value] of values) {
    const dot = member.indexOf('.');
    const key = member.slice(dot + 1);
    if (dot === -1) setMember(next, member, value);
    else if (member.startsWith('tags.')) next.tags = withTag(next.tags as readonly Tag[], key, value as string);
    else {
      const attributes = { ...(next.attributes as Record<string, unknown>) };
      setMember(attributes, key, value);
      next.attributes = attributes;
    }
  }
  return next as unknown as D;
}

/**
 * The members in which the two differ, those of `before` first; null is a document that is not there. Objects are
 * walked into (`healthCheck.path`), lists are not. Secrets are shown as sealed, and differ when they were sealed anew.
 */
export function memberChanges(before: AnyDocument | null, after: AnyDocument | null): MemberChange[] {
  const was = before === null ? new Map() : pathsOf(membersOf(before));
  const is = after === null ? new Map() : pathsOf(membersOf(after));
  const changes: MemberChange[] = [];
  for (const member of new Set([...was.keys(), ...is.keys()])) {
    if (was.has(member) && is.has(member) && sameValue(was.get(member), is.get(member))) continue;
    changes.push({
      member,
      ...(was.has(member) && { before: shownValue(member, was.get(member)) }),
      ...(is.has(member) && { after: shownValue(member, is.get(member)) }),
    });
  }
  return changes;
}

/** The members and what is in them, by path: as far as objects go. */
export function pathsOf(members: Members): Map<string, unknown> {
  const paths = new Map<string, unknown>();
  for (const [member, value] of members) addPaths(paths, member, value);
  return paths;
}

/** The value of a member, as it may be shown to people. */
export function shownValue(member: string, value: unknown): unknown {
  return sealedNames.has(member) ? sealedText : value;
}

/** A document as it may be shown to people. */
export function shownDocument(document: AnyDocument): unknown {
  return Object.fromEntries(Object.entries(document).map(([name, value]) => [name, shownValue(name, value)]));
}

/** Whether two values of documents say the same: the order of members does not count, and undefined is not there. */
export function sameValue(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [some, others] = [one as Record<string, unknown>, other as Record<string, unknown>];
  for (const name in some) if (!sameValue(some[name], others[name])) return false;
  for (const name in others) if (others[name] !== undefined && some[name] === undefined) return false;
  return true;
}

function addPaths(paths: Map<string, unknown>, path: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    paths.set(path, value);
    return;
  }
  for (const [name, inner] of Object.entries(value)) if (inner !== undefined) addPaths(paths, `${path}.${name}`, inner);
}

function setMember(record: Record<string, unknown>, name: string, value: unknown): void {
  if (value === undefined) delete record[name];
  else record[name] = value;
}

function withTag(tags: readonly Tag[], key: string, value: string | undefined): readonly Tag[] {
  if (value === undefined) return tags.filter((tag) => tag.key !== key);
  if (!tags.some((tag) => tag.key === key)) return [...tags, { key, value }];
  return tags.map((tag) => (tag.key === key ? { key, value } : tag));
}
