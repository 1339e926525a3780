import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyLines } from '../../../host/src/config/source/key-lines.ts'

/** A config, a path in it, and the line on which that stands. */
const places: readonly (readonly [
  what: string,
  name: string,
  text: string,
  path: (string | number)[],
  line: number | undefined,
])[] = [
  ['a call of defineConfig', 'ts', `import x from 'x'\nexport default defineConfig({\n  readOnly: 1,\n})`, ['readOnly'], 3],
  ['types', 'ts', `export default {\n  a: <T>(x: T): x is T => true,\n  readOnly: 1,\n} satisfies X`, ['readOnly'], 3],
  ['a constant', 'ts', `const config = {\n  readOnly: 1\n}\nexport default config`, ['readOnly'], 2],
  ['a constant in a list', 'ts', `const a = {\n  use: 1\n}\nexport default { plugins: [a] }`, ['plugins', 0, 'use'], 2],
  ['an item that a constant stands for', 'ts', `const a = 5\nexport default {\n  plugins: [\n    a,\n  ],\n}`, ['plugins', 0], 4],
  ['CommonJS', 'js', `module.exports = {\n  readOnly: 1,\n}`, ['readOnly'], 2],
  ['a key in quotes', 'mjs', `export default {\n  'read-only': 1,\n}`, ['read-only'], 2],
  ['what is awaited', 'mjs', `export default await defineConfig({\n  readOnly: 1 })`, ['readOnly'], 2],
  ['another object with the same key', 'ts', `const b = { readOnly: 2 }\nexport default { readOnly: 1 }`, ['readOnly'], 2],
  [
    'a key behind a spread list',
    'ts',
    `export default {\n  plugins: [...a, { use: 1 }, { use: 2 }],\n}`,
    ['plugins', 1, 'use'],
    undefined,
  ],
  ['a constant that is itself', 'ts', `const a = a\nexport default a`, ['readOnly'], undefined],
  ['a file that does not parse', 'ts', `export default { readOnly: 1`, ['readOnly'], undefined],
  ['JSON', 'json', `{\n  "plugins": [\n    { "use": 1 },\n    { "use": 2 }\n  ]\n}`, ['plugins', 1, 'use'], 4],
  ['an entry that is only a text', 'json', `{\n  "plugins": [\n    "./a",\n    "./a"\n  ]\n}`, ['plugins', 1, 'use'], 4],
  ['a text beside the same key', 'ts', `export default { plugins: [\n  './a',\n  { use: 1 },\n] }`, ['plugins', 0, 'use'], 2],
  ['an entry of YAML that is only a text', 'yaml', `plugins:\n  - ./a\n  - ./a\n`, ['plugins', 1, 'use'], 3],
  ['an entry that is computed', 'ts', `export default { plugins: [\n  make({ ...a }),\n] }`, ['plugins', 0, 'use'], undefined],
  ['YAML', 'yaml', `# config\nplugins:\n  - use: a # use: b\n  - # second\n    use: 2\n`, ['plugins', 1, 'use'], 5],
  ['YAML in brackets', 'yaml', `plugins: [\n  { use: 1 },\n  { use: 2 } ]\n`, ['plugins', 1, 'use'], 3],
  ['a key in a text block of YAML', 'yaml', `server:\n  instructions: |\n    readOnly: yes\nreadOnly: 1\n`, ['readOnly'], 4],
]

for (const [what, extension, text, path, line] of places)
  test(`finds where a value is written with ${what}`, () => {
    assert.equal(keyLines(`mcp.config.${extension}`, text)(path), line)
  })
