import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../../fixtures/plugins/reloading.ts'

interface Mistake {
  readonly head: string
  readonly files?: Readonly<Record<string, string>>
  readonly advice: RegExp
}

const mistakes: Readonly<Record<string, Mistake>> = {
  paths: {
    head: `import { x } from '@/lib.ts'`,
    files: {
      'tsconfig.json': `{ // paths\n "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }`,
      'src/lib.ts': '',
      'package.json': '{"type":"module"}',
    },
    advice:
      /does not read "paths" of tsconfig\.json: add to \S+\/paths\/package\.json: "imports": \{ "#\*": "\.\/src\/\*" \}, and write '#lib\.ts'/,
  },
  base: {
    head: `import { x } from 'app/lib'`,
    files: {
      'tsconfig.json': `{ "compilerOptions": { "baseUrl": "./src", "paths": { "app/*": ["app/*"] } } }`,
      'package.json': '{}',
    },
    advice: /"imports": \{ "#\*": "\.\/src\/app\/\*" \}, and write '#lib\.ts'/,
  },
  tilde: {
    head: `import { x } from '~/lib'`,
    advice: /Node knows no alias ~\/: add to .+"imports": \{ "#\*": "\.\/\*" \}, and write '#lib\.ts'/,
  },
  ending: { head: `import { x } from './lib'`, files: { 'lib.ts': '' }, advice: /as Node guesses none: '\.\/lib\.ts'/ },
  above: {
    head: `import { x } from '../../shared/lib'`,
    files: { '../../shared/lib.mts': '' },
    advice: /guesses none: '\.\.\/\.\.\/shared\/lib\.mts'/,
  },
  folder: { head: `import { x } from './lib'`, files: { 'lib/index.ts': '' }, advice: /guesses none: '\.\/lib\/index\.ts'/ },
  nowhere: { head: `import { x } from './nowhere.ts'`, advice: /^Correct the path of the import/ },
  json: {
    head: `import x from './data.json'`,
    files: { 'data.json': '{}' },
    advice: /import data from '\.\/data\.json' with \{ type: 'json' \}/,
  },
  tsx: {
    head: `import x from './card.tsx'`,
    files: { 'card.tsx': '' },
    advice: /JSX needs a compiler: write card\.tsx without it/,
  },
  text: {
    head: `import x from './prompt.md' with { type: 'text' }`,
    files: { 'prompt.md': '' },
    advice: /readFileSync\(new URL\('\.\/prompt\.md', import\.meta\.url\), 'utf8'\)/,
  },
  own: {
    head: `import x from '#lib'`,
    files: { 'package.json': '{"type":"module"}' },
    advice: /^Add it to \S+\/own\/package\.json: "imports": \{ "#lib":/,
  },
  subpath: { head: `import x from '@acme/missing/deep/x.js'`, advice: /npm install --save-exact @acme\/missing$/ },
  dirname: { head: `console.error(__dirname)`, advice: /^Write import\.meta\.dirname instead of __dirname$/ },
  requiring: { head: `const fs = require('node:fs')`, advice: /createRequire\(import\.meta\.url\)/ },
}

test('each common mistake in an import has its own advice', async (t) => {
  const files = Object.entries(mistakes).flatMap(([name, { head, files: own = {} }]) => [
    [`plugins/${name}/index.ts`, revisionPlugin(name, 1, { head: `${head}\n` })] as const,
    ...Object.entries(own).map(([path, content]) => [`plugins/${name}/${path}`, content] as const),
  ])
  const at = await reloading(
    t,
    {
      ...Object.fromEntries(files),
      'plugins/exporting/package.json': '{"type":"module"}',
      'plugins/exporting/index.js': `module.exports = {}`,
    },
    { watch: false },
  )
  const fixes = new Map(at.host.list().plugins.map(({ name, reason }) => [name, reason?.fix.join('\n') ?? 'it serves']))
  for (const [name, { advice }] of Object.entries(mistakes)) assert.match(fixes.get(name) ?? '', advice, name)
  assert.match(
    fixes.get('exporting') ?? '',
    /index\.js is an ES module: \S+\/exporting\/package\.json says "type": "module": write export default/,
  )
})
