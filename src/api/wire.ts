/**
 * How one service's calls and answers travel: what is asked for is found in a request, and what comes of it becomes the
 * text that goes back. A wire knows its protocol and nothing of what operations do.
 */
import type { Result } from '#base/result.ts';
import type { Fault } from '#model/fault.ts';
import type { Form } from './query.ts';
import type { ApiDefinition, OperationShape } from './shapes.ts';

export interface DeskRequest {
  readonly id: string;
  readonly clientAddress: string;
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  /** Names in lower case; one value for each line, as it was sent. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Uint8Array;
}

/** An operation of an API, and what was sent with it. */
export interface Asked {
  readonly api: ApiDefinition;
  readonly operation: OperationShape;
  /** Decodes what was sent by the operation's schema. */
  readonly input: () => Result<unknown, Fault>;
}

export interface Wire {
  readonly contentType: string;
  /** What is asked for stands in the path; others know `/` alone. */
  readonly hasPath?: true;
  /** Header fields of every answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `query` is what stands in the URL, and was signed. */
  read(request: DeskRequest, query: Form): Result<Asked, Fault>;
  answer(asked: Asked, output: unknown, requestId: string): string | Uint8Array;
  /** `asked` is undefined where it was not found out what was asked for. */
  refuse(refused: Fault, requestId: string, asked?: Asked): string | Uint8Array;
  /** Header fields of a refusal, besides. */
  refusalHeaders?(refused: Fault): Readonly<Record<string, string>>;
}
