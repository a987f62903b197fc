/**
 * The key of an operator, on the operator's own machine: made here, kept here, readable by its owner only. Whatever is
 * asked or approved under that name is signed with it.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { join } from 'node:path';
import { accept, type Result, refuse } from '#base/result.ts';
import type { CommandContext } from './command.ts';

export interface OperatorKey {
  readonly name: string;
  /** As operators are known by: SPKI, base64url. */
  readonly publicKey: string;
  /** Ed25519, base64url. */
  readonly sign: (text: string) => string;
}

/** Where the key lies unless it is said. */
export function keyPath(name: string, homeFolder: string): string {
  return join(homeFolder, '.config', 'ballast', `${name}.key`);
}

export function readOperatorKey(name: string, path: string, context: CommandContext): Result<OperatorKey, string> {
  const file = context.readFile(path);
  if (!file.ok) return file;
  if (file.value === undefined) {
    return refuse(`there is no key of operator ${name} in ${path}: 'ballast operators key ${name}' makes one`);
  }
  try {
    return accept(keyOf(name, createPrivateKey(file.value)));
  } catch {
    return refuse(`${path} holds no private key`);
  }
}

/** Makes a key; never over one that is there. */
export function makeOperatorKey(name: string, path: string, context: CommandContext): Result<OperatorKey, string> {
  const known = context.readFile(path);
  if (!known.ok) return known;
  if (known.value !== undefined) return refuse(`${path} is there already, and is left as it is`);
  const { privateKey } = generateKeyPairSync('ed25519');
  const written = context.writeSecretFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  return written.ok ? accept(keyOf(name, privateKey)) : written;
}

function keyOf(name: string, privateKey: KeyObject): OperatorKey {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).toString('base64url');
  return { name, publicKey, sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64url') };
}

/** The headers by which an operator shows who sends a request; `url` is its path with the query. */
export function signatureHeaders(
  key: OperatorKey,
  { method, url, body }: { readonly method: string; readonly url: string; readonly body: string },
  timeMs: number,
): Record<string, string> {
  const bodyHash = createHash('sha256').update(body).digest('hex');
  return {
    'x-ballast-operator': key.name,
    'x-ballast-time': `${timeMs}`,
    'x-ballast-signature': key.sign(`ballast-request\n${method}\n${url}\n${timeMs}\n${bodyHash}\n`),
  };
}
