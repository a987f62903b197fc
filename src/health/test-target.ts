/** Targets for the tests of this folder: real servers on free ports, gone when their test is. */
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { HealthCheckSettings } from '#model/documents.ts';

export interface TestTarget {
  readonly address: string;
  readonly port: number;
}

export const settings: HealthCheckSettings = {
  enabled: true,
  protocol: 'HTTP',
  port: 'traffic-port',
  path: '/health',
  intervalSeconds: 0.02,
  timeoutSeconds: 0.3,
  healthyThresholdCount: 3,
  unhealthyThresholdCount: 2,
  matcher: '200-299',
};

/** A target that speaks HTTP. */
export function httpTarget(context: TestContext, listener: RequestListener): Promise<TestTarget> {
  const server = createServer(listener);
  context.after(() => server.closeAllConnections());
  return listening(context, server);
}

/** A target that speaks HTTP over TLS. */
export function secureTarget(
  context: TestContext,
  credentials: { readonly cert: string; readonly key: string },
  listener: RequestListener,
): Promise<TestTarget> {
  const server = createSecureServer(credentials, listener);
  context.after(() => server.closeAllConnections());
  return listening(context, server);
}

/** A target that answers with bytes of its own choice. */
export function rawTarget(context: TestContext, answer: (socket: Socket) => void): Promise<TestTarget> {
  const sockets = new Set<Socket>();
  context.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    answer(socket);
  });
  return listening(context, server);
}

async function listening(context: TestContext, server: Server): Promise<TestTarget> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  return { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
}
