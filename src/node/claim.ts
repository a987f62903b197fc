/**
 * A node's claim on its addresses. Workers share listening ports with SO_REUSEPORT, so two nodes on the same addresses
 * would not collide but silently take each other's traffic. The first address of every prefix is therefore never given
 * to a load balancer: whoever serves the prefix holds a port on it exclusively.
 */
import { createServer } from 'node:net';
import { formatAddress, parsePrefix } from '#model/address.ts';

export const claimPort = 8402;

export interface Claim {
  release(): void;
}

/** Takes the claim, or says why it cannot be had. */
export function claimAddresses(prefixText: string): Promise<Claim | { readonly refused: string }> {
  const prefix = parsePrefix(prefixText);
  if (prefix === undefined)
    return Promise.resolve({ refused: `'${prefixText}' is not an address prefix like 127.80.0.0/12` });
  const address = formatAddress(prefix.first);
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ refused: explain(error.code ?? error.message, prefixText, address) });
    });
    server.listen({ host: address, port: claimPort, exclusive: true }, () => {
      server.unref();
      resolve({ release: () => server.close() });
    });
  });
}

function explain(code: string, prefix: string, address: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `the addresses ${prefix} are served by another process (it holds ${address}:${claimPort}); choose others with --addresses`;
    case 'EADDRNOTAVAIL':
      return `the addresses ${prefix} are not this machine's (${address} cannot be bound); choose others with --addresses`;
    default:
      return `the addresses ${prefix} cannot be claimed: ${code} on ${address}:${claimPort}`;
  }
}
