/** Opens connections to targets, in one of the two ways. */
import { streamHandles } from '#io/stream-handles.ts';
import type { Channel, ConnectingOwner, Place, SocketPath } from './channel.ts';
import { HandleChannel } from './handle-channel.ts';
import { connectSocket } from './socket-channel.ts';

/** Opens a connection; `onConnected` or `onClosed` of its owner follows. */
export type Connect = (owner: ConnectingOwner, readBuffer: Buffer, to: Place) => Channel;

export function connectBy(path: SocketPath): Connect {
  const handles = path === 'fast' ? streamHandles() : undefined;
  if (handles === undefined) return connectSocket;
  return (owner, readBuffer, to) => HandleChannel.connect(owner, readBuffer, to, handles);
}
