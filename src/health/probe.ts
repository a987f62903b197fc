/**
 * One probe: a GET on a connection of its own, in the clear or by TLS, or the connection alone, with one limit on its
 * whole duration. It never throws.
 */
import { type ClientRequest, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import { after } from '#io/timers.ts';
import type { HealthCheckSettings } from '#model/documents.ts';
import { parseMatcher } from './matcher.ts';
import type { ProbeOutcome } from './streak.ts';

/** More of a body than this is not read: the status code has said all. */
const bodyBytesMax = 64 * 1024;

/** Asks the target once. `signal` ends it early; its outcome is then of no interest. */
export function probe(
  target: { readonly address: string; readonly port: number },
  settings: HealthCheckSettings,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const port = settings.port === 'traffic-port' ? target.port : Number(settings.port);
  if (settings.protocol === 'TCP') return connectOnce(target.address, port, settings, signal);
  const isSecure = settings.protocol === 'HTTPS';
  const host = target.address.includes(':') ? `[${target.address}]` : target.address;
  const matches = parseMatcher(settings.matcher);
  return new Promise((resolve) => {
    let outgoing: ClientRequest;
    try {
      outgoing = (isSecure ? secureRequest : request)({
        host: target.address,
        port,
        path: settings.path,
        method: 'GET',
        agent: false,
        signal,
        // Targets are known by their addresses, so their certificates are not looked at, as with AWS.
        ...(isSecure && { rejectUnauthorized: false }),
        headers: { host: `${host}:${port}`, 'user-agent': 'ELB-HealthChecker/2.0', connection: 'close' },
      });
    } catch {
      // A path that cannot stand in a request is the settings' fault, and no reason to end the node.
      return resolve(failure('Target.FailedHealthChecks', 'Health checks failed'));
    }
    const finish = (outcome: ProbeOutcome) => {
      timer.stop();
      outgoing.destroy();
      resolve(outcome);
    };
    const timer = after(settings.timeoutSeconds * 1000, () => finish(failure('Target.Timeout', 'Request timed out')));
    outgoing.on('error', () => finish(failure('Target.FailedHealthChecks', 'Health checks failed')));
    outgoing.on('response', (response) => {
      const statusCode = response.statusCode ?? 0;
      const mismatch = `Health checks failed with these codes: [${statusCode}]`;
      const outcome = matches?.(statusCode) ? success : failure('Target.ResponseCodeMismatch', mismatch);
      const answered = { ...outcome, statusCode };
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > bodyBytesMax) finish(answered);
      });
      // An answer that breaks off is no answer.
      response.on('error', () => finish(failure('Target.FailedHealthChecks', 'Health checks failed')));
      response.on('end', () => finish(answered));
    });
    // A target that switches protocols instead of answering has not answered.
    outgoing.on('upgrade', () => finish(failure('Target.FailedHealthChecks', 'Health checks failed')));
    outgoing.end();
    return undefined;
  });
}

/** Healthy is who accepts a connection. */
function connectOnce(
  host: string,
  port: number,
  { timeoutSeconds }: HealthCheckSettings,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal });
    const finish = (outcome: ProbeOutcome) => {
      timer.stop();
      socket.resetAndDestroy();
      resolve(outcome);
    };
    const timer = after(timeoutSeconds * 1000, () => finish(failure('Target.Timeout', 'Request timed out')));
    socket.on('connect', () => finish(success));
    socket.on('error', () => finish(failure('Target.FailedHealthChecks', 'Health checks failed')));
  });
}

const success: ProbeOutcome = { kind: 'success' };

function failure(
  reason: 'Target.ResponseCodeMismatch' | 'Target.Timeout' | 'Target.FailedHealthChecks',
  description: string,
): ProbeOutcome {
  return { kind: 'failure', verdict: { kind: 'unhealthy', reason, description } };
}
