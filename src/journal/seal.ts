/**
 * Secrets at rest. A history that never forgets must not hold them in the clear, so they are sealed with AES-256-GCM
 * under keys that live beside the store, not in it. The place where a secret stands is authenticated with it: a sealed
 * text copied to another document does not open. A key never leaves its ring, for what it sealed stays in the history.
 *
 *   file   = a key of 32 bytes as 64 hexadecimal digits on each line, the newest first
 *   sealed = "v2." id of its key "." base64url(nonce, ciphertext, tag)
 *   sealed = "v1." base64url(nonce, ciphertext, tag)                       by one of the keys; no longer written
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { accept, type Result, refuse } from '#base/result.ts';
import { readFileIfThere, writeFileWhole } from '#io/files.ts';

const nonceBytes = 12;
const tagBytes = 16;
/** One a day for a century. */
const keysMax = 36_525;

export interface Sealer {
  /** Seals with the newest key. */
  seal(secret: string, place: string): string;
  /** Throws `SealFailure` when no key of the ring opens it, it was sealed for another place, or it was changed. */
  unseal(sealed: string, place: string): string;
}

/** A sealed text does not open. The message names the key file and never holds what was sealed. */
export class SealFailure extends Error {
  override readonly name = 'SealFailure';
}

interface Key {
  /** The first 8 hexadecimal digits of its SHA-256: it tells keys apart and tells nothing about them. */
  readonly id: string;
  readonly bytes: Buffer;
}

/**
 * Opens the key file, and makes it with one key when it is not there and `mayMake` allows. Refuses, in one sentence
 * that says what to do, a file that is missing, cannot be read, or holds anything but keys; nothing is written then.
 */
export function openKeyRing(path: string, mayMake: boolean): Result<KeyRing, string> {
  const found = readKeys(path);
  if (!found.ok) return found;
  if (found.value !== undefined) return accept(new KeyRing(path, found.value));
  if (!mayMake) {
    return refuse(
      `${path} is missing: the secrets in the state store cannot be opened without it; put back your copy of it`,
    );
  }
  const ring = new KeyRing(path, []);
  const added = ring.addKey();
  return added.ok ? accept(ring) : added;
}

export class KeyRing implements Sealer {
  readonly path: string;
  #keys: readonly Key[];

  constructor(path: string, keys: readonly Key[]) {
    this.path = path;
    this.#keys = keys;
  }

  /** Names the newest key. */
  get keyId(): string {
    return this.#keys[0]!.id;
  }

  /** Whether the text was sealed with the newest key. */
  isNewest(sealed: string): boolean {
    return sealed.startsWith(`v2.${this.keyId}.`);
  }

  /** Seals with a new key from now on. It is on the disk before it seals anything, and every older key stays. */
  addKey(): Result<undefined, string> {
    const present = readKeys(this.path);
    if (!present.ok) return present;
    const keys = [keyOf(randomBytes(32)), ...this.#keys];
    // Somebody may have put an older key back while this process was running.
    for (const key of present.value ?? []) if (keys.every(({ id }) => id !== key.id)) keys.push(key);
    if (keys.length > keysMax) return refuse(`${this.path} holds ${keysMax} keys: that is as many as it may`);
    try {
      writeFileWhole(this.path, keys.map(({ bytes }) => `${bytes.toString('hex')}\n`).join(''), 0o600);
    } catch (error) {
      return refuse(`${this.path} cannot be written (${(error as NodeJS.ErrnoException).code}): nothing was changed`);
    }
    this.#keys = keys;
    return accept(undefined);
  }

  seal(secret: string, place: string): string {
    const { id, bytes } = this.#keys[0]!;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', bytes, nonce).setAAD(Buffer.from(place));
    const sealed = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `v2.${id}.${sealed.toString('base64url')}`;
  }

  unseal(sealed: string, place: string): string {
    const [, id, text] = /^(?:v1|v2\.([0-9a-f]{8}))\.([A-Za-z0-9_-]+)$/.exec(sealed) ?? [];
    const bytes = Buffer.from(text ?? '', 'base64url');
    if (bytes.length < nonceBytes + tagBytes) throw new SealFailure(`the sealed secret of ${place} is damaged`);
    const keys = this.#keys.filter((key) => id === undefined || key.id === id);
    if (keys.length === 0) {
      throw new SealFailure(
        `the secret of ${place} is sealed with key ${id}, which ${this.path} does not hold; put back the copy that does`,
      );
    }
    for (const key of keys) {
      const secret = open(bytes, key, place);
      if (secret !== undefined) return secret;
    }
    throw new SealFailure(
      id === undefined
        ? `no key in ${this.path} opens the secret of ${place}; put back the copy that belongs to this state store`
        : `the sealed secret of ${place} was changed: its key ${id} is in ${this.path} and does not open it`,
    );
  }
}

function open(sealed: Buffer, { bytes }: Key, place: string): string | undefined {
  const decipher = createDecipheriv('aes-256-gcm', bytes, sealed.subarray(0, nonceBytes)).setAAD(Buffer.from(place));
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  try {
    const secret = [decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()];
    return Buffer.concat(secret).toString('utf8');
  } catch {
    return undefined;
  }
}

/** The keys of the file; undefined when it is not there. */
function readKeys(path: string): Result<readonly Key[] | undefined, string> {
  let text: string | undefined;
  try {
    text = readFileIfThere(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return refuse(
      `${path} cannot be read (${code}): the secrets in the state store are opened with it; make it readable`,
    );
  }
  if (text === undefined) return accept(undefined);
  const lines = text.split('\n').map((line) => line.trim());
  const wrong = lines.findIndex((line) => line !== '' && !/^[0-9a-f]{64}$/i.test(line));
  const place = wrong === -1 ? '' : `, line ${wrong + 1}`;
  if (wrong !== -1 || lines.every((line) => line === '')) {
    return refuse(
      `${path}${place} does not hold a key of 32 bytes (64 hexadecimal digits): put back your copy of the file`,
    );
  }
  return accept(lines.filter((line) => line !== '').map((line) => keyOf(Buffer.from(line, 'hex'))));
}

function keyOf(bytes: Buffer): Key {
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), bytes };
}
