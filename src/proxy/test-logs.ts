/** Logs of a proxy for its tests: kept in a folder, and read as those read them who use them. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '#io/clock.ts';
import { LogSpool } from '#io/log-spool.ts';
import type { ProxySettings } from './proxy.ts';
import { startProxy, type TableParts, until } from './test-proxy.ts';

const fieldNames = [
  'type',
  'time',
  'elb',
  'client',
  'target',
  'requestTime',
  'targetTime',
  'responseTime',
  'status',
  'targetStatus',
  'received',
  'sent',
  'request',
  'userAgent',
  'cipher',
  'protocol',
  'group',
  'trace',
  'domain',
  'certificate',
  'priority',
  'created',
  'actions',
  'redirect',
  'error',
  'targets',
  'statuses',
  'classification',
  'reason',
  'connection',
  'host',
  'uri',
  'transform',
  'address',
] as const;

export type LogEntry = Record<(typeof fieldNames)[number], string>;

/** Splits an entry as its readers do: by spaces, but for those between quotes. */
function parseEntry(line: string): LogEntry {
  const fields = [...line.matchAll(/"([^"]*)"|[^ ]+/g)].map(([whole, quoted]) => quoted ?? whole);
  assert.equal(fields.length, fieldNames.length, line);
  return Object.fromEntries(fieldNames.map((name, index) => [name, fields[index]!])) as LogEntry;
}

/** A proxy that keeps logs, and what they say so far. */
export async function logging(context: TestContext, parts: TableParts, settings: Partial<ProxySettings> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-proxy-logs-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const spool = new LogSpool({ folder, writer: 'test', intervalMs: 3_600_000, clock: systemClock });
  context.after(() => spool.close());
  const logs = { region: 'eu-test-1', access: 'access', connection: 'connection' };
  const { port, proxy, swap, balancer } = await startProxy(
    context,
    { logs, ...parts },
    { ...settings, logSink: spool },
  );
  const linesOf = async (heading: string): Promise<string[]> => {
    await spool.flush();
    const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1').trimEnd().split('\n'));
    return texts.filter(([first]) => first === heading).flatMap(([, ...lines]) => lines);
  };
  const entries = async (count: number): Promise<LogEntry[]> => {
    let lines: string[] = [];
    await until(() => {
      // One that is still reading when its test is over finds the folder gone.
      void linesOf('access').then(
        (found) => {
          lines = found;
        },
        () => {},
      );
      return lines.length >= count;
    }, `${count} entries are there`);
    assert.equal(lines.length, count);
    return lines.map(parseEntry);
  };
  return { port, proxy, swap, balancer, entries, connections: () => linesOf('connection') };
}
