/** Sends a request to a target: its head as the target gets it, with as much of its body as has come, in one write. */
import type { Transformed } from '#routing/transform.ts';
import type { RequestHead } from './request-head.ts';
import { type Client, headGrowthBytes, type RewriteSettings, writeRequestHead } from './request-rewrite.ts';
import type { TargetConnection } from './target-connection.ts';

/** A request whose head lies at `base`, and its body behind it up to `bodyEnd`. */
export interface ReadRequest {
  readonly head: RequestHead;
  readonly bytes: Buffer;
  readonly base: number;
  readonly bodyEnd: number;
  readonly changed: Transformed | undefined;
}

/** False when the target has not taken it yet. */
export function sendRequest(
  connection: TargetConnection,
  { head, bytes, base, bodyEnd, changed }: ReadRequest,
  settings: RewriteSettings,
  client: Client,
): boolean {
  const bodyStart = base + head.fields.end;
  const room = connection.requestRoom(head.fields.end + headGrowthBytes(changed) + bodyEnd - bodyStart);
  const length = writeRequestHead(head, bytes, base, settings, client, room, changed);
  connection.headLength = length;
  if (bodyEnd > bodyStart) bytes.copy(room, length, bodyStart, bodyEnd);
  return connection.send(length + bodyEnd - bodyStart);
}

/** Sends the same bytes over another connection. */
export function repeatRequest(connection: TargetConnection, { request, headLength }: TargetConnection): boolean {
  connection.headLength = headLength;
  request.copy(connection.requestRoom(request.length));
  return connection.send(request.length);
}
