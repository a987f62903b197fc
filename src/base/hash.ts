/** Numbers drawn from text: the same text gives the same number on every machine and in every version. */
import { hash } from 'node:crypto';

/**
 * The first 48 bits of the text's SHA-256, so the number is exact in a double and close texts (`node-1`, `node-2`) give
 * unrelated ones. For spreading and ranking; nothing here is a secret.
 */
export function hashNumber(text: string): number {
  return Number.parseInt(hash('sha256', text, 'hex').slice(0, 12), 16);
}
