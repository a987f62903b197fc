import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before, type TestContext } from 'node:test';

/** A project with one dependency that lies in a file, so that a real npm installs it without a network. */
let template: string;

before(() => {
  template = mkdtempSync(join(tmpdir(), 'ballast-ensure-'));
  mkdirSync(join(template, 'leaf'));
  writeFileSync(join(template, 'leaf', 'package.json'), '{ "name": "leaf", "version": "1.0.0" }');
  npm(join(template, 'leaf'), 'pack', '--pack-destination', template);
  mkdirSync(join(template, 'project'));
  copyFileSync(join(template, 'leaf-1.0.0.tgz'), join(template, 'project', 'leaf-1.0.0.tgz'));
  const manifest = { name: 'project', version: '1.0.0', dependencies: { leaf: 'file:leaf-1.0.0.tgz' } };
  writeFileSync(join(template, 'project', 'package.json'), JSON.stringify(manifest));
  npm(join(template, 'project'), 'install', '--package-lock-only', '--offline');
});

after(() => rmSync(template, { recursive: true }));

test('ensure: installs what is missing after saying so, and then has nothing left to do', async (t) => {
  const root = makeProject(t);
  const first = await ensure(root);
  assert.deepEqual(first, { code: 0, text: 'ballast: installing the dependencies (npm ci) ...\n' });
  assert(existsSync(join(root, 'node_modules', 'leaf', 'package.json')));
  assert.deepEqual(await ensure(root), { code: 0, text: '' });
});

test('ensure: installs again when the lock file asks for something else than was installed', async (t) => {
  const root = makeProject(t);
  await ensure(root);
  const record = join(root, 'node_modules', '.package-lock.json');
  const text = readFileSync(record, 'utf8');
  const other = text.replace(/"integrity": "sha512-../, '"integrity": "sha512-!!');
  assert.notEqual(other, text);
  writeFileSync(record, other);
  assert.match((await ensure(root)).text, /installing/);
  assert.deepEqual(await ensure(root), { code: 0, text: '' });
});

test('ensure: what npm itself has installed is not installed again', async (t) => {
  const root = makeProject(t);
  npm(root, 'install', '--offline');
  assert.deepEqual(await ensure(root), { code: 0, text: '' });
});

test('ensure: runs side by side install once', async (t) => {
  const root = makeProject(t);
  const runs = await Promise.all([ensure(root), ensure(root), ensure(root)]);
  assert.deepEqual(
    runs.map(({ code }) => code),
    [0, 0, 0],
  );
  assert.equal(runs.filter(({ text }) => text.includes('installing the dependencies (npm ci)')).length, 1);
  assert(existsSync(join(root, 'node_modules', 'leaf')));
});

test('ensure: waits for a run that lives, and goes on when it is done', async (t) => {
  const root = makeProject(t);
  const lock = plantLock(root, process.pid);
  const run = startEnsure(root);
  await run.said('waiting for another run');
  assert(!existsSync(join(root, 'node_modules')));
  unlinkSync(lock);
  assert.equal(await run.code, 0);
  assert(existsSync(join(root, 'node_modules', 'leaf')));
});

test('ensure: does not wait for a run that died', async (t) => {
  const root = makeProject(t);
  const dead = spawn(process.execPath, ['-e', '0']);
  await once(dead, 'close');
  const lock = plantLock(root, dead.pid!);
  const run = await ensure(root);
  assert.deepEqual(run, { code: 0, text: 'ballast: installing the dependencies (npm ci) ...\n' });
  assert(!existsSync(lock));
});

test('ensure: without an npm it says so', async (t) => {
  const root = makeProject(t);
  const { code, text } = await ensure(root, { PATH: join(root, 'tools') });
  assert.equal(code, 1);
  assert.match(text, /ballast: no npm was found on the PATH\n$/);
});

test('ensure: without a network it passes on what npm says, and says it in one line', async (t) => {
  const root = makeProject(t);
  const lockFile = join(root, 'package-lock.json');
  const lock = JSON.parse(readFileSync(lockFile, 'utf8'));
  const manifest = { name: 'project', version: '1.0.0', dependencies: { leaf: '1.0.0' } };
  lock.packages[''].dependencies = manifest.dependencies;
  lock.packages['node_modules/leaf'].resolved = 'http://127.0.0.1:1/leaf/-/leaf-1.0.0.tgz';
  lock.packages['node_modules/leaf'].integrity = `sha512-${Buffer.alloc(64).toString('base64')}`;
  writeFileSync(lockFile, JSON.stringify(lock));
  writeFileSync(join(root, 'package.json'), JSON.stringify(manifest));
  const { code, text } = await ensure(root, {
    npm_config_registry: 'http://127.0.0.1:1/',
    npm_config_cache: join(root, 'cache'),
    npm_config_fetch_retries: '0',
  });
  assert.equal(code, 1);
  assert.match(text, /ballast: npm says:\n.*ECONNREFUSED/s);
  assert.match(text, /\nballast: the dependencies could not be installed: the package registry cannot be reached\n$/);
});

test('ensure: a damaged lock file stops it before anything is touched', async (t) => {
  const root = makeProject(t);
  writeFileSync(join(root, 'package-lock.json'), '{');
  const { code, text } = await ensure(root);
  assert.equal(code, 1);
  assert.match(text, /^ballast: .*package-lock\.json is missing or damaged\n$/);
  assert(!existsSync(join(root, 'node_modules')));
});

function makeProject(t: TestContext): string {
  const root = mkdtempSync(join(template, 'run-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'tools'));
  copyFileSync(join(import.meta.dirname, 'ensure.mjs'), join(root, 'tools', 'ensure.mjs'));
  for (const name of ['package.json', 'package-lock.json', 'leaf-1.0.0.tgz']) {
    copyFileSync(join(template, 'project', name), join(root, name));
  }
  return root;
}

function plantLock(root: string, holder: number): string {
  mkdirSync(join(root, '.ballast'));
  const lock = join(root, '.ballast', 'installing');
  symlinkSync(String(holder), lock);
  return lock;
}

async function ensure(root: string, environment: NodeJS.ProcessEnv = {}) {
  const run = startEnsure(root, environment);
  return { code: await run.code, text: run.text() };
}

function startEnsure(root: string, environment: NodeJS.ProcessEnv = {}) {
  const child: ChildProcess = spawn(process.execPath, [join(root, 'tools', 'ensure.mjs')], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let text = '';
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const code = once(child, 'close').then(([exitCode]) => exitCode as number);
  return {
    code,
    text: () => text,
    said: async (words: string) => {
      while (!text.includes(words))
        await Promise.race([once(child.stderr!, 'data'), code.then(() => assert.fail(text))]);
    },
  };
}

function npm(folder: string, ...args: string[]): void {
  execFileSync('npm', [...args, '--no-audit', '--no-fund'], { cwd: folder, stdio: 'pipe' });
}
