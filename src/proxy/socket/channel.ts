/**
 * One connection, as bytes: what was read is handed to the owner, what is written is either with the kernel at once or
 * the owner hears when it is. The rule that keeps it fast and right: bytes given to `write` belong to the channel until
 * it is flushed, and a buffer that is read into again belongs to nobody else meanwhile.
 */

export interface ChannelOwner {
  /** `bytes` [0, length) arrived; returning false stops reading until `resume`. */
  onBytes(bytes: Buffer, length: number): boolean;
  /** The other side sends no more. */
  onEnd(): void;
  /** Everything written is with the kernel, after `write` had returned false. */
  onFlushed(): void;
  /** The connection is gone; nothing follows. `isClean`: without an error. Never called from within another call. */
  onClosed(isClean: boolean): void;
}

export interface ConnectingOwner extends ChannelOwner {
  onConnected(): void;
}

/** It closes by itself when both sides have ended. */
export interface Channel {
  /** Of the other side; empty when it was gone before anybody asked. Asked for with every request. */
  readonly clientAddress: string;
  readonly clientPort: number;
  /** Whether nothing written waits to be taken by the kernel. */
  readonly isFlushed: boolean;
  /** Reads after the present one go into `buffer`. Takes effect when a read ends. */
  readInto(buffer: Buffer): void;
  /** Whether everything is with the kernel; when not, the bytes must stay as they are, and `onFlushed` follows. */
  write(bytes: Buffer): boolean;
  resume(): void;
  /** Says that nothing more is sent, once everything written is. */
  end(): void;
  destroy(): void;
  /** Destroys after everything written is sent. */
  destroySoon(): void;
  /** Destroys so that the other side sees a failure, never a regular end. */
  reset(): void;
}

/** An IP address, not a name, and a port. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/**
 * Two ways to have a connection. `public` is what Node documents; `fast` takes the handles below its sockets, and is
 * `public` where this Node has others.
 */
export type SocketPath = 'fast' | 'public';
