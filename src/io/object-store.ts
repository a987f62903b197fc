/**
 * Objects that AWS would keep in S3: in a folder that stands for it, or behind an S3 endpoint. Names come from
 * strangers, so nothing outside of the folder is read or written, and nothing is read that is larger than it may be.
 */
import { constants } from 'node:fs';
import { mkdir, open, realpath, rename } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { accept, type Result, refuse } from '#base/result.ts';

export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
  /** The latest one when undefined. */
  readonly version: string | undefined;
}

/** Reads one object; refuses, in a sentence, when it cannot be had. */
export type ReadObject = (name: ObjectName, sizeBytesMax: number) => Promise<Result<Uint8Array, string>>;

/** Writes one object whole, or not at all; refuses, in a sentence, when it cannot. */
export type WriteObject = (name: Omit<ObjectName, 'version'>, bytes: Uint8Array) => Promise<Result<void, string>>;

/** Where objects are: the folder, where there is one, else the endpoint. */
export interface ObjectStoreOptions {
  readonly s3Folder: string | undefined;
  readonly s3Endpoint: string | undefined;
  readonly region: string;
}

/** Undefined: nowhere. */
export function objectReader({ s3Folder, s3Endpoint, region }: ObjectStoreOptions): ReadObject | undefined {
  if (s3Folder !== undefined) return readFromFolder(s3Folder);
  return s3Endpoint === undefined ? undefined : readFromS3(s3Endpoint, region);
}

/** Undefined: nowhere. */
export function objectWriter({ s3Folder, s3Endpoint, region }: ObjectStoreOptions): WriteObject | undefined {
  if (s3Folder !== undefined) return writeToFolder(s3Folder);
  return s3Endpoint === undefined ? undefined : writeToS3(s3Endpoint, region);
}

/** The names of buckets: "Bucket naming rules". */
const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const keyLengthMax = 1_024;
const timeoutMs = 10_000;

/** From `FOLDER/BUCKET/KEY`. */
export function readFromFolder(folder: string): ReadObject {
  return async ({ bucket, key, version }, sizeBytesMax) => {
    const wrong = wrongName(bucket, key);
    if (wrong !== undefined) return refuse(wrong);
    if (version !== undefined) return refuse('a folder keeps no versions; leave the version out');
    try {
      const root = join(await realpath(folder), bucket);
      const path = await realpath(join(root, key));
      // Links may lead within the bucket, and nowhere else.
      if (!path.startsWith(root + sep)) return refuse('there is no such object');
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        const status = await file.stat();
        if (!status.isFile()) return refuse('there is no such object');
        if (status.size > sizeBytesMax) return refuse(`it has ${status.size} bytes; at most ${sizeBytesMax} are read`);
        const bytes = Buffer.alloc(status.size);
        await file.read(bytes, 0, status.size, 0);
        return accept(bytes);
      } finally {
        await file.close();
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const isMissing = code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP';
      return refuse(isMissing ? 'there is no such object' : `it cannot be read: ${message}`);
    }
  };
}

/** From an S3 endpoint, with the credentials of the AWS environment where there are any. */
export function readFromS3(endpoint: string, region: string): ReadObject {
  return async ({ bucket, key, version }, sizeBytesMax) => {
    const wrong = wrongName(bucket, key);
    if (wrong !== undefined) return refuse(wrong);
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    const client = await s3Client(endpoint, region);
    try {
      const input = { Bucket: bucket, Key: key, ...(version !== undefined && { VersionId: version }) };
      const abortSignal = AbortSignal.timeout(timeoutMs);
      const { Body: body, ContentLength: length = 0 } = await client.send(new GetObjectCommand(input), { abortSignal });
      if (body === undefined) return refuse('there is no such object');
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        size += chunk.length;
        if (Math.max(size, length) > sizeBytesMax) {
          return refuse(`it has ${Math.max(size, length)} bytes; at most ${sizeBytesMax} are read`);
        }
        chunks.push(chunk);
      }
      return accept(Buffer.concat(chunks));
    } catch (error) {
      const { name, message } = error as Error;
      const isMissing = ['NoSuchKey', 'NoSuchBucket', 'NotFound', 'NoSuchVersion'].includes(name);
      return refuse(isMissing ? 'there is no such object' : `the S3 endpoint does not give it: ${message || name}`);
    } finally {
      client.destroy();
    }
  };
}

/** To `FOLDER/BUCKET/KEY`; the folder of a bucket is not made, as no bucket is made by writing to it. */
export function writeToFolder(folder: string): WriteObject {
  return async ({ bucket, key }, bytes) => {
    const wrong = wrongName(bucket, key);
    if (wrong !== undefined) return refuse(wrong);
    try {
      const root = await realpath(join(await realpath(folder), bucket));
      const path = join(root, key);
      await mkdir(dirname(path), { recursive: true });
      const parent = await realpath(dirname(path));
      if (parent !== root && !parent.startsWith(root + sep)) return refuse('the key leads out of the bucket');
      const temporary = `${path}.${process.pid}.new`;
      const file = await open(temporary, 'w');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
      return accept(undefined);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return refuse(code === 'ENOENT' ? 'there is no such bucket' : `it cannot be written: ${message}`);
    }
  };
}

/** To an S3 endpoint, with the credentials of the AWS environment where there are any. */
export function writeToS3(endpoint: string, region: string): WriteObject {
  return async ({ bucket, key }, bytes) => {
    const wrong = wrongName(bucket, key);
    if (wrong !== undefined) return refuse(wrong);
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    const client = await s3Client(endpoint, region);
    try {
      const input: PutObjectCommandInput = { Bucket: bucket, Key: key, Body: bytes };
      await client.send(new PutObjectCommand(input), { abortSignal: AbortSignal.timeout(timeoutMs) });
      return accept(undefined);
    } catch (error) {
      const { name, message } = error as Error;
      return refuse(
        name === 'NoSuchBucket' ? 'there is no such bucket' : `the S3 endpoint refuses it: ${message || name}`,
      );
    } finally {
      client.destroy();
    }
  };
}

async function s3Client(endpoint: string, region: string): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  const isKnown = process.env.AWS_ACCESS_KEY_ID !== undefined || process.env.AWS_PROFILE !== undefined;
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    maxAttempts: 2,
    // Without credentials it asks as anybody may.
    ...(!isKnown && {
      credentials: { accessKeyId: 'anonymous', secretAccessKey: 'anonymous' },
      signer: { sign: async (request) => request },
    }),
  });
}

function wrongName(bucket: string, key: string): string | undefined {
  if (!bucketPattern.test(bucket) || bucket.includes('..')) return 'the bucket has a name that no bucket can have';
  const parts = key.split('/');
  const leaves =
    key.length > keyLengthMax || key.includes('\0') || parts.some((part) => ['', '.', '..'].includes(part));
  return leaves ? 'the key is none that can be read here' : undefined;
}
