/**
 * Secrets at rest. A history that never forgets must not hold them in the clear, so they are sealed with AES-256-GCM
 * under a key that lives beside the store, not in it. The place where a secret stands is authenticated with it: a
 * sealed text copied to another document does not open.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readOrMakeSecretFile } from '#io/files.ts';

const nonceBytes = 12;
const tagBytes = 16;

export interface Sealer {
  /** `v1.` and the base64url of nonce, ciphertext and tag. */
  seal(secret: string, place: string): string;
  /** Throws when the text was sealed under another key, for another place, or was changed. */
  unseal(sealed: string, place: string): string;
}

/** Opens the key file (32 bytes as hex, mode 0600), and makes it when it is not there and `mayMake` allows. */
export function openSealer(keyPath: string, mayMake: boolean): Sealer {
  const key = Buffer.from(
    readOrMakeSecretFile(keyPath, mayMake, () => randomBytes(32).toString('hex')),
    'hex',
  );
  if (key.length !== 32)
    throw new Error(`${keyPath} does not hold a key of 32 bytes: the sealed secrets cannot be opened`);
  return {
    seal: (secret, place) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place));
      const sealed = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `v1.${sealed.toString('base64url')}`;
    },
    unseal: (sealed, place) => {
      const bytes = Buffer.from(sealed.startsWith('v1.') ? sealed.slice(3) : '', 'base64url');
      if (bytes.length < nonceBytes + tagBytes) throw new Error(`the sealed secret of ${place} is not readable`);
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes)).setAAD(Buffer.from(place));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString(
          'utf8',
        );
      } catch {
        throw new Error(`the sealed secret of ${place} does not open with the key in ${keyPath}`);
      }
    },
  };
}
