/** The credentials file: the first access key, in the form that AWS tools read. */
import type { Credentials } from '#control/keys.ts';
import { readFileIfThere, writeFileWhole } from '#io/files.ts';

/** Writes the file, for its owner only; it is left alone when it already holds these credentials. */
export function writeCredentials(path: string, { accessKeyId, secretAccessKey }: Credentials, region: string): void {
  const text = `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\nregion = ${region}\n`;
  if (readFileIfThere(path) !== text) writeFileWhole(path, text, 0o600);
}

/** What `writeCredentials` wrote; undefined when there is nothing of the kind. Throws when the file cannot be read. */
export function readCredentials(path: string): Credentials | undefined {
  const text = readFileIfThere(path) ?? '';
  const accessKeyId = /^aws_access_key_id = (\w{16,128})$/m.exec(text)?.[1];
  const secretAccessKey = /^aws_secret_access_key = (\S{16,256})$/m.exec(text)?.[1];
  return accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey };
}
