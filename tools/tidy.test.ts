import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { importLaw, tidy } from './tidy.ts';

const header = '/** What this is. */\n';

/** The breaches of one file, as `LINE: message`. */
function breachesOf(path: string, body: string, others: Record<string, string> = {}): string[] {
  const text = path.endsWith('.md') ? body : header + body;
  return tidy(new Map(Object.entries({ ...others, [path]: text }))).map(({ line, message }) => `${line}: ${message}`);
}

/** Built here, so that these tests do not themselves look like the breaches that they plant. */
const from = (module: string, what = '{ A }') => `import ${what} from '${module}';\n`;
const climb = `.${'.'}/`;

test('tidy: finds nothing in a file that keeps every rule', () => {
  const body = `${from('node:fs')}${from('#base/assert.ts')}${from('./view.ts')}export const a = 1;\n`;
  assert.deepEqual(breachesOf('src/model/routing-table.ts', body), []);
});

test('tidy: an import that the law does not allow is a breach, in whatever form it comes', () => {
  const message = 'src/proxy may not import src/model';
  assert.deepEqual(breachesOf('src/proxy/a.ts', from('#model/view.ts')), [`2: ${message}`]);
  assert.deepEqual(breachesOf('src/proxy/a.ts', from('#model/view.ts', '{\n  A,\n  type B,\n}')), [`5: ${message}`]);
  assert.deepEqual(breachesOf('src/proxy/a.ts', from('#model/view.ts', 'type { A }')), [`2: ${message}`]);
  assert.deepEqual(breachesOf('src/proxy/a.ts', "export * from '#model/view.ts';\n"), [`2: ${message}`]);
  assert.deepEqual(breachesOf('src/proxy/a.ts', "import '#model/view.ts';\n"), [`2: ${message}`]);
  assert.deepEqual(breachesOf('src/proxy/a.ts', "const a = await import('#model/view.ts');\n"), [`2: ${message}`]);
  assert.deepEqual(breachesOf('src/proxy/a.ts', "import.meta.resolve('#model/view.ts');\n"), [`2: ${message}`]);
});

test('tidy: an import that stands in a comment or in a text is none', () => {
  const body = `// ${from('#model/view.ts')}const text = \`\n${from('#model/view.ts')}\`;\nconst quote = /['"\`]/;\n`;
  assert.deepEqual(breachesOf('src/proxy/a.ts', body), []);
});

test('tidy: the command line may import types of the model, and nothing that runs', () => {
  assert.deepEqual(breachesOf('src/cli/a.ts', from('#model/status.ts', 'type { A }')), []);
  assert.deepEqual(breachesOf('src/cli/a.ts', from('#model/status.ts', '{ type A, type B }')), []);
  const message = '2: src/cli may import types alone from src/model';
  assert.deepEqual(breachesOf('src/cli/a.ts', from('#model/status.ts', '{ type A, b }')), [message]);
});

test('tidy: a test, and what only tests use, may import from everywhere', () => {
  assert.deepEqual(breachesOf('src/proxy/a.test.ts', from('#model/view.ts')), []);
  assert.deepEqual(breachesOf('src/proxy/test-region.ts', from('#model/view.ts')), []);
});

test('tidy: a folder that the law does not know is a breach, imported or importing', () => {
  const unknown = "2: '#attic/a.ts' is in no folder of the house";
  assert.deepEqual(breachesOf('src/daemon/a.ts', from('#attic/a.ts')), [unknown]);
  const unlisted = '2: src/attic is no folder of the house: tools/tidy.ts does not list it';
  assert.deepEqual(breachesOf('src/attic/a.ts', from('#base/assert.ts')), [unlisted]);
});

test('tidy: a step out of the folder is a breach in src, and from outside when it leads into src', () => {
  const message = (module: string) =>
    `2: '${module}' climbs out of its folder; a folder is entered by '#folder/file.ts'`;
  const found = (path: string, module: string) => breachesOf(path, from(module));
  assert.deepEqual(found('src/proxy/http1/a.ts', `${climb}b.ts`), [message(`${climb}b.ts`)]);
  assert.deepEqual(found('src/proxy/a.test.ts', `${climb}io/b.ts`), [message(`${climb}io/b.ts`)]);
  assert.deepEqual(found('src/proxy/a.ts', `./http1/${climb}b.ts`), [message(`./http1/${climb}b.ts`)]);
  assert.deepEqual(found('test/a.ts', `${climb}src/io/b.ts`), [message(`${climb}src/io/b.ts`)]);
  assert.deepEqual(found('test/a.ts', `${climb}bin/ballast`), []);
  assert.deepEqual(found('bin/ballast', `${climb}src/daemon/main.ts`), []);
});

test('tidy: timers, the process and the console are touched in io alone', () => {
  const touches = ['setTimeout(a, 1);', 'setInterval(a, 1);', 'setImmediate(a);', 'process.exit();', 'console.log(a);'];
  for (const touch of touches) {
    const name = /^\w+/.exec(touch)![0];
    assert.deepEqual(breachesOf('src/node/a.ts', `${touch}\n`), [`2: ${name} is touched in src/io alone`]);
    for (const path of ['src/io/a.ts', 'src/node/a.test.ts', 'tools/a.ts', 'bench/a.ts', 'test/a.ts']) {
      assert.deepEqual(breachesOf(path, `${touch}\n`), [], path);
    }
  }
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the template is planted.
  assert.deepEqual(breachesOf('src/node/a.ts', 'const a = `${process.pid}`;\n'), [
    '2: process is touched in src/io alone',
  ]);
  assert.deepEqual(breachesOf('src/node/a.ts', from('node:timers/promises')), [
    '2: node:timers/promises is imported in src/io alone',
  ]);
});

test('tidy: words in comments, texts and names of members are not taken for the process', () => {
  const body = "// No process. No console.\nconst a = 'process.exit';\nit.process.pid;\nit.setTimeout(1);\n";
  assert.deepEqual(breachesOf('src/node/a.ts', body), []);
});

test('tidy: a file of more than 500 lines is a breach, unless it says why it is a long table', () => {
  const lines = 'a;\n'.repeat(500);
  assert.deepEqual(breachesOf('src/model/a.ts', lines), ['0: 501 lines, at most 500 are readable']);
  assert.deepEqual(breachesOf('src/model/a.ts', `// tidy: long table, because AWS has many codes\n${lines}`), []);
  const unexplained = breachesOf('src/model/a.ts', `// tidy: long table, because\n${lines}`);
  assert.deepEqual(unexplained, ['0: 502 lines, at most 500 are readable']);
});

test('tidy: a comment of more than 120 columns is a breach, code is the formatter to judge', () => {
  const text = `// ${'é'.repeat(117)}\n// ${'a'.repeat(118)}\nexport const a = '${'a'.repeat(118)}';\n`;
  assert.deepEqual(breachesOf('src/model/a.ts', text), ['3: 121 columns, over 120']);
});

test('tidy: a source without a header is a breach, a test without one is not', () => {
  const bare = (path: string) => tidy(new Map([[path, 'export const a = 1;\n']])).map(({ message }) => message);
  assert.deepEqual(bare('src/model/a.ts'), ['no header comment that says what this is']);
  assert.deepEqual(bare('bin/ballast'), ['no header comment that says what this is']);
  assert.deepEqual(bare('src/model/a.test.ts'), []);
});

test('tidy: names are kebab-case and say what is in the file', () => {
  assert.deepEqual(breachesOf('src/model/routingTable.ts', ''), ["0: 'routingTable.ts' is not kebab-case"]);
  assert.deepEqual(breachesOf('docs/My Page.md', ''), ["0: 'My Page.md' is not kebab-case"]);
  assert.deepEqual(breachesOf('src/Model/a.ts', ''), ["0: 'Model' is not kebab-case"]);
  for (const stem of ['utils', 'index']) {
    const message = `0: a file called '${stem}' does not say what is in it`;
    assert.deepEqual(breachesOf(`src/model/${stem}.ts`, ''), [message]);
  }
  assert.deepEqual(breachesOf('examples/quickstart/README.md', ''), []);
  assert.deepEqual(breachesOf('docs/decisions/0001-one-journal.md', ''), []);
});

test('tidy: a dependency without a line in the page on dependencies is a breach', () => {
  const manifest = JSON.stringify({ dependencies: { ws: '1', pg: '1' }, devDependencies: { typescript: '1' } });
  assert.deepEqual(breachesOf('docs/dependencies.md', '| `ws` |', { 'package.json': manifest }), [
    '0: pg has no line in docs/dependencies.md',
    '0: typescript has no line in docs/dependencies.md',
  ]);
});

test('tidy: a relative link in a page that points nowhere is a breach', () => {
  const others = { 'docs/settings.md': '', 'examples/quickstart/README.md': '' };
  const found = (page: string) => breachesOf('docs/tour.md', page, others);
  assert.deepEqual(found('[a](settings.md) [b](./settings.md#flags) [c](../examples/quickstart/) [d](#here)'), []);
  assert.deepEqual(found('[a](https://example.org/x.md) `[b](gone.md)`\n```\n[c](gone.md)\n```\n'), []);
  assert.deepEqual(found('first\n[a](gone.md)'), ['2: the link gone.md points nowhere']);
  assert.deepEqual(found('![a](../gone.png)'), ['1: the link ../gone.png points nowhere']);
});

test('tidy: every folder in src has its row in the law', () => {
  const folders = readdirSync(join(import.meta.dirname, '..', 'src'));
  assert.deepEqual(
    folders.filter((folder) => !Object.hasOwn(importLaw, folder)),
    [],
  );
});
