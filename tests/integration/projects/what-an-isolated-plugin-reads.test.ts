import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../../fixtures/plugins/reloading.ts'

const isReplaced = ({ outcome }: { readonly outcome: string }) => outcome === 'replaced'
const config = { plugins: [{ use: './plugins/a', isolation: 'process' }] }

test('files and folders that an isolated plugin reads with fs, and modules that a call imports, are followed', async (t) => {
  const plugin = revisionPlugin('a', 1, {
    head: `import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
const here = (path) => join(import.meta.dirname, path)
const prompts = readdirSync(here('prompts')).toSorted().map((name) => readFileSync(here('prompts/' + name), 'utf8'))
const template = await readFile(new URL('./template.html', import.meta.url), 'utf8')`,
    rest: `description: [...prompts, template].join(' '),`,
  }).replace(`run: () => "1"`, `run: async () => (await import('./late.ts')).late`)
  const at = await reloading(
    t,
    {
      'plugins/a/index.ts': plugin,
      'plugins/a/prompts/one.md': 'one',
      'plugins/a/template.html': '<p>',
      'plugins/a/late.ts': `export const late = 'late'`,
    },
    { config },
  )
  const said = async () => (await at.reloads.next(isReplaced)).after?.surface?.description
  at.write('plugins/a/prompts/one.md', 'uno')
  assert.equal(await said(), 'uno <p>')
  at.write('plugins/a/prompts/two.md', 'due')
  assert.equal(await said(), 'uno due <p>')
  at.remove('plugins/a/prompts/two.md')
  assert.equal(await said(), 'uno <p>')
  at.write('plugins/a/template.html', '<div>')
  assert.equal(await said(), 'uno <div>')

  assert.equal(await at.call('a_rev'), 'late')
  at.write('plugins/a/late.ts', `export const late = 'later'`)
  await at.reloads.next(isReplaced)
  assert.equal(await at.call('a_rev'), 'later')
})

test('what calls read, and what an isolated plugin may write, reloads nothing', async (t) => {
  const plugin = revisionPlugin('a', 1, {
    head: `import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
const state = join(import.meta.dirname, 'state/count')
const count = () => Number(readFileSync(state, 'utf8'))
count()`,
  }).replace(
    `run: () => "1"`,
    `run: () => (writeFileSync(state, String(count() + 1)), readFileSync(join(import.meta.dirname, 'data.txt'), 'utf8'))`,
  )
  const at = await reloading(
    t,
    {
      'plugins/a/index.ts': plugin,
      'plugins/a/state/count': '0',
      'plugins/a/data.txt': 'one',
      'plugins/b/index.ts': revisionPlugin('b', 1),
    },
    { config: { plugins: [{ ...config.plugins[0], capabilities: { fs: { write: ['./plugins/a/state'] } } }] } },
  )
  await at.call('a_rev')
  at.write('plugins/a/data.txt', 'two')
  assert.equal(await at.call('a_rev'), 'two')
  at.write('plugins/b/index.ts', revisionPlugin('b', 2))
  await at.reloads.next()
  assert.deepEqual(
    at.reloads.all.map(({ instance }) => instance),
    ['b'],
  )
})
