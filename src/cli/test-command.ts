/** For tests: runs a command as the command line does, and is the operator API that it asks. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { accept } from '#base/result.ts';
import type { TextOutput } from '#base/text-output.ts';
import { paths } from '#daemon/paths.ts';
import { systemClock } from '#io/clock.ts';
import { every } from '#io/timers.ts';
import type { Command } from './command.ts';

/** The key that the data folders below hold. */
export const operatorKey = 'the-operator-key';

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly isTerminal?: boolean;
}

/** Runs a command with these words behind its name; a terminal's colours are in what it writes. */
export async function runCommand(command: Command, args: readonly string[], options: RunOptions = {}) {
  const { environment = {}, isTerminal = false } = options;
  const output = textOutput(isTerminal);
  const errors = textOutput(isTerminal);
  const code = await command.run({
    args,
    environment,
    homeFolder: '/nowhere/home',
    workingFolder: '/nowhere',
    readFile: (path) => {
      try {
        return accept(readFileSync(path, 'utf8'));
      } catch {
        return accept(undefined);
      }
    },
    writeSecretFile: (path, text) => {
      mkdirSync(dirname(path), { recursive: true });
      return accept(writeFileSync(path, text, { mode: 0o600 }));
    },
    output,
    errors,
    monotonicMs: systemClock.monotonicMs,
    every,
  });
  return { code, output: output.text(), errors: errors.text() };
}

export function textOutput(isTerminal: boolean): TextOutput & { readonly text: () => string } {
  const written: string[] = [];
  return {
    isTerminal,
    write: (text) => written.push(text),
    flushed: async () => true,
    text: () => written.join(''),
  };
}

/** A data folder of a Ballast whose operator API answers as given. */
export async function startOperator(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return makeDataFolder(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

/** Of the Ballast with this data folder. */
export function operatorEndpointOf(data: string): string {
  return (JSON.parse(readFileSync(paths.running(data), 'utf8')) as { operatorEndpoint: string }).operatorEndpoint;
}

export function makeDataFolder(t: TestContext, operatorEndpoint: string): string {
  const data = makeFolder(t, 'data');
  mkdirSync(dirname(paths.running(data)), { recursive: true });
  writeFileSync(paths.running(data), JSON.stringify({ operatorEndpoint }));
  writeFileSync(paths.operatorKey(data), `${operatorKey}\n`);
  return data;
}

export function makeFolder(t: TestContext, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-command-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, name));
  return join(folder, name);
}
