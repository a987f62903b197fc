/** Luck as a port. Ids come from the system's cryptographic source, so that nobody can guess the next one. */
import { randomBytes } from 'node:crypto';

export interface Random {
  /** `length` hexadecimal digits in lower case; `length` is even. */
  hex(length: number): string;
}

export const systemRandom: Random = {
  hex: (length) => randomBytes(length / 2).toString('hex'),
};
