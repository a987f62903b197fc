import assert from 'node:assert/strict';
import test from 'node:test';
import { accept, refuse } from '#base/result.ts';
import { type Machine, readSettings, type Settings, settingFlags, settingsPage } from './settings.ts';
import { nodePlans } from './slices.ts';

const defaults = {
  data: '/home/ada/.ballast',
  api: { host: '127.0.0.1', port: 8400 },
  operator: { host: '127.0.0.1', port: 8401 },
  dns: { host: '127.0.0.1', port: 5380 },
  addresses: '127.80.0.0/12',
  nodes: 1,
  workers: 6,
  account: '000000000000',
  region: 'us-east-1',
  zones: ['us-east-1a', 'us-east-1b', 'us-east-1c'],
  domain: 'ballast.internal',
  environment: 'development',
  holdAddressesDays: 30,
  vault: '/home/ada/.ballast/vault',
  alarmWebhook: undefined,
  maintenance: undefined,
  inventory: undefined,
  ec2Endpoint: undefined,
  s3Folder: undefined,
  s3Endpoint: undefined,
  logIntervalSeconds: 300,
  metricsIntervalSeconds: 20,
  requestRatePercent: 100,
  without: undefined,
  readyFile: undefined,
};

interface Given {
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, unknown>>;
  readonly coresCount?: number;
}

/** The settings, or the refusal. A file is given as its text, or as what its JSON holds. */
function read({ args = [], environment = {}, files = {}, coresCount = 6 }: Given = {}) {
  const machine: Machine = {
    homeFolder: '/home/ada',
    workingFolder: '/here',
    coresCount,
    readFile: (path) => {
      const file = files[path];
      return accept(file === undefined || typeof file === 'string' ? file : JSON.stringify(file));
    },
  };
  const settings = readSettings(args, environment, machine);
  return settings.ok ? settings.value : settings.fault;
}

test('settings: without anything said, the defaults hold', () => {
  assert.deepEqual(read(), defaults);
});

test('settings: the default zones follow the region, and the default workers the cores', () => {
  const { zones } = read({ args: ['--region', 'home-1'] }) as Settings;
  assert.deepEqual(zones, ['home-1a', 'home-1b', 'home-1c']);
  assert.equal((read({ coresCount: 500 }) as Settings).workers, 128);
});

/** A value for each setting: as text, and what it is read as. */
const samples: Record<string, [string, unknown]> = {
  data: ['state', '/here/state'],
  api: ['[::1]:0', { host: '::1', port: 0 }],
  operator: ['0.0.0.0:65535', { host: '0.0.0.0', port: 65_535 }],
  dns: ['127.0.0.2:53', { host: '127.0.0.2', port: 53 }],
  addresses: ['127.64.0.0/10', '127.64.0.0/10'],
  nodes: ['64', 64],
  workers: ['1', 1],
  account: ['123456789012', '123456789012'],
  region: ['eu-central-1', 'eu-central-1'],
  zones: ['b, a', ['b', 'a']],
  domain: ['lb.example.org', 'lb.example.org'],
  environment: ['production', 'production'],
  holdAddressesDays: ['7', 7],
  vault: ['/mnt/share', '/mnt/share'],
  alarmWebhook: ['https://alarms.example/x', 'https://alarms.example/x'],
  inventory: ['inventory.json', '/here/inventory.json'],
  ec2Endpoint: ['http://127.0.0.1:4566', 'http://127.0.0.1:4566'],
  s3Folder: ['buckets', '/here/buckets'],
  s3Endpoint: ['http://127.0.0.1:9000', 'http://127.0.0.1:9000'],
  logIntervalSeconds: ['60', 60],
  metricsIntervalSeconds: ['10', 10],
  requestRatePercent: ['250', 250],
  maintenance: ['processes', '/here/processes'],
  without: ['guard, vault', ['guard', 'vault']],
  readyFile: ['run/ready.json', '/here/run/ready.json'],
};

/** The words by which each setting is known, as the reference page has them. */
const words = [...settingsPage().matchAll(/^\| `--([a-z0-9-]+) [^`]*` \| `([A-Z0-9_]+)` \| (?:`(\w+)`)? ?\|/gm)].map(
  ([, flag, variable, key]) => ({ flag: flag!, variable: variable!, key }),
);

test('settings: a flag goes before the environment, that before the file, that before the default', () => {
  const settings = words.filter(({ flag }) => flag !== 'config');
  assert.equal(settings.length, Object.keys(defaults).length);
  for (const { flag, variable, key } of settings) {
    const name = flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    const [text, value] = samples[name]!;
    // Nothing may be left out anywhere but in a drill.
    const place: Record<string, string> = name === 'without' ? { BALLAST_ENVIRONMENT: 'drill' } : {};
    const found = (given: Given) =>
      (read({ ...given, environment: { ...place, ...given.environment } }) as unknown as Record<string, unknown>)[name];
    const wrong = { [variable]: 'not: a value' };
    assert.deepEqual(found({ args: [`--${flag}=${text}`], environment: name === 'data' ? {} : wrong }), value);
    assert.deepEqual(found({ environment: { [variable]: text } }), value);
    assert.deepEqual(found({ environment: { [variable]: '' } }), defaults[name as keyof typeof defaults]);
    if (key === undefined) continue;
    const files = { '/home/ada/.ballast/config.json': { [key]: text } };
    assert.deepEqual(found({ files }), value);
    assert.deepEqual(found({ files, environment: { [variable]: text } }), value);
    const wrongFiles = { '/home/ada/.ballast/config.json': { [key]: 'not: a value' } };
    assert.deepEqual(found({ files: wrongFiles, environment: { [variable]: text } }), value);
  }
});

test('settings: the configuration file is in the data folder, unless a flag or the environment names another', () => {
  const files = {
    '/data/config.json': { nodes: 2 },
    '/here/other.json': { nodes: 3 },
    '/etc/ballast.json': { nodes: 4 },
  };
  const nodes = (given: Given) => (read({ ...given, files }) as Settings).nodes;
  const environment = { BALLAST_DATA: '/data' };
  assert.equal(nodes({ environment }), 2);
  assert.equal(nodes({ environment: { ...environment, BALLAST_CONFIG: '/etc/ballast.json' } }), 4);
  const both = { ...environment, BALLAST_CONFIG: '/etc/ballast.json' };
  assert.equal(nodes({ environment: both, args: ['--config', 'other.json'] }), 3);
});

test('settings: layers of safety may be left out in a drill, and nowhere else', () => {
  assert.match(String(read({ args: ['--without', 'guard'] })), /in environment 'development'; allowed only in 'drill'/);
  assert.match(String(read({ args: ['--without', 'guards', '--environment', 'drill'] })), /allowed: guard, brake/);
});

test('settings: a file may hold numbers and lists where they fit', () => {
  const file = { nodes: 3, workers: '2', zones: ['x', 'y'], account: '000000000001' };
  const settings = read({ files: { '/home/ada/.ballast/config.json': file } });
  assert.deepEqual(settings, { ...defaults, nodes: 3, workers: 2, zones: ['x', 'y'], account: '000000000001' });
});

const endpoint = 'ADDRESS:PORT, as 127.0.0.1:8400 or [::1]:8400; port 0 picks a free one';
const prefix = 'an IPv4 prefix without bits behind its length, as 127.80.0.0/12';
const region = 'at most 32 lower-case letters, digits and inner hyphens, beginning with a letter, as us-east-1';
const zones = '1 to 8 different zone names with commas between them, as us-east-1a,us-east-1b';
const domain = 'a DNS name in lower case with at most 128 letters, as ballast.internal';
const environments = '1 to 32 lower-case letters, digits and hyphens, as production, staging or development';
const endpoints = [
  '8400',
  ':8400',
  'localhost:8400',
  '::1:8400',
  '[::g]:1',
  '127.0.0.1:65536',
  '127.1:8400',
  '1.2.3.4:',
];
const refused: [string, readonly string[], string][] = [
  ['api', endpoints, endpoint],
  ['operator', endpoints, endpoint],
  ['dns', endpoints, endpoint],
  ['addresses', ['127.80.0.0', '127.80.0.1/12', '127.80.0.0/33', '::/8'], prefix],
  ['nodes', ['0', '65', '1.5', '-1', '1e1', 'two', ' 1', '0x1'], 'a whole number from 1 to 64'],
  ['workers', ['0', '129', 'auto'], 'a whole number from 1 to 128'],
  ['account', ['1234', '1234567890123', 'abcdefghijkl'], 'twelve digits'],
  ['region', ['US-EAST-1', '1-east', 'us_east', 'us-', 'a'.repeat(33)], region],
  ['zones', [',', 'a,,b', 'a,a', 'A', 'a,b,c,d,e,f,g,h,i'], zones],
  ['domain', ['.internal', 'a..b', '-a.b', 'a-.b', 'Ballast', 'a b', `${'a'.repeat(64)}.b`, 'a.'.repeat(65)], domain],
  ['hold-addresses-days', ['-1', '1.5', '36501', 'for ever'], 'a whole number from 0 to 36500'],
  ['environment', ['Production', 'a b', 'a'.repeat(33)], environments],
];
for (const [flag, texts, allowed] of refused) {
  test(`settings: a wrong value of ${flag} is refused with what was found, where, and what is allowed`, () => {
    const { variable, key } = words.find((each) => each.flag === flag)!;
    for (const text of texts) {
      const sentence = `found '${text}'; allowed: ${allowed}`;
      assert.equal(read({ args: [`--${flag}=${text}`] }), `--${flag}: ${sentence}`);
      assert.equal(read({ environment: { [variable]: text } }), `${variable}: ${sentence}`);
      const files = { '/home/ada/.ballast/config.json': { [key!]: text } };
      assert.equal(read({ files }), `${key} in /home/ada/.ballast/config.json: ${sentence}`);
    }
  });
}

test('settings: a configuration file that cannot be understood is refused', () => {
  const path = '/home/ada/.ballast/config.json';
  const keys = words.flatMap(({ key }) => (key === undefined ? [] : [key])).join(', ');
  const unknown = (key: string, hint = '') => `${path}: unknown key '${key}'${hint}; allowed: ${keys}`;
  assert.equal(read({ files: { [path]: { node: 1 } } }), unknown('node', ' (did you mean nodes?)'));
  assert.equal(read({ files: { [path]: { data: '/x' } } }), unknown('data'));
  assert.equal(read({ files: { [path]: '{ "__proto__": 1 }' } }), unknown('__proto__'));
  assert.match(read({ files: { [path]: '{ nodes: 1 }' } }) as string, /config\.json is not JSON: /);
  for (const text of ['[]', 'null', '3']) {
    assert.equal(read({ files: { [path]: text } }), `${path} holds something other than one JSON object`);
  }
  for (const found of [true, null, '', { a: 1 }, [1]]) {
    const sentence = `nodes in ${path}: found ${JSON.stringify(found)}; allowed: a text`;
    assert.equal(read({ files: { [path]: { nodes: found } } }), sentence);
  }
});

test('settings: a configuration file that is named must be there', () => {
  const missing = 'the configuration file /here/gone.json is not there';
  assert.equal(read({ args: ['--config', 'gone.json'] }), missing);
  assert.equal(read({ environment: { BALLAST_CONFIG: 'gone.json' } }), missing);
});

test('settings: a configuration file that cannot be read says why', () => {
  const machine = { homeFolder: '/', workingFolder: '/', coresCount: 1, readFile: () => refuse('it is a folder') };
  assert.deepEqual(readSettings([], {}, machine), refuse('it is a folder'));
});

test('settings: one address for both APIs is refused, unless the system picks the ports', () => {
  const found = read({ args: ['--operator=127.0.0.1:8400'] });
  assert.equal(found, "--operator: found '127.0.0.1:8400', which --api has; allowed: another port");
  assert.equal(typeof read({ args: ['--operator=127.0.0.1:0', '--api=127.0.0.1:0'] }), 'object');
});

test('settings: unknown flags and stray words are refused', () => {
  const allowed = `allowed: ${settingFlags.map(({ name }) => `--${name}`).join(', ')}`;
  assert.equal(read({ args: ['--node=1'] }), `unknown flag --node (did you mean --nodes?); ${allowed}`);
  assert.equal(read({ args: ['now'] }), `unexpected argument 'now'; ${allowed}`);
});

test('settings: the defaults are enough for nodes to be planned', () => {
  const plans = nodePlans(read({ args: ['--nodes=64'] }) as Settings);
  assert('nodes' in plans && plans.nodes.length === 64);
});
