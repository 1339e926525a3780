import assert from 'node:assert/strict'
import { renameSync, utimesSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../../fixtures/plugins/reloading.ts'

const two = { 'plugins/a/index.ts': revisionPlugin('a', 1), 'plugins/b/index.ts': revisionPlugin('b', 1) }

test('serves what was saved, in one publish that names only the plugin that changed', async (t) => {
  const at = await reloading(t, two)
  const { generation } = at.host.snapshot
  at.write('plugins/a/index.ts', revisionPlugin('a', 2, { tools: ['rev', 'more'] }))
  const report = await at.reloads.next()
  assert.deepEqual(
    [report.instance, report.outcome, report.generation, report.previous, report.changes],
    ['a', 'replaced', generation + 1, generation, { added: 1, changed: 0, removed: 0 }],
  )
  assert.deepEqual([await at.call('a_rev'), await at.call('b_rev')], ['2', '1'])
  const line = await at.lines.next(({ event }) => event === 'plugin_reloaded')
  assert.deepEqual(
    [line['plugin'], line['generation'], line['added'], line['changed'], line['removed']],
    ['a', generation + 1, 1, 0, 0],
  )
})

test('takes over a file that an editor replaced by renaming', async (t) => {
  const at = await reloading(t, two)
  renameSync(at.write('plugins/a/.index.ts.tmp', revisionPlugin('a', 2)), at.path('plugins/a/index.ts'))
  await at.reloads.next()
  assert.equal(await at.call('a_rev'), '2')
  assert.equal(at.reloads.all.length, 1)
})

test('takes over a file that an editor moved away and wrote again, without a failed attempt', async (t) => {
  const at = await reloading(t, two)
  renameSync(at.path('plugins/a/index.ts'), at.path('plugins/a/index.ts~'))
  at.write('plugins/a/index.ts', revisionPlugin('a', 2))
  const { outcome } = await at.reloads.next()
  assert.deepEqual([outcome, await at.call('a_rev'), at.reloads.all.length], ['replaced', '2', 1])
})

test('goes on with the old version of a plugin whose folder is away, until it is back', async (t) => {
  const at = await reloading(t, { 'p/index.ts': revisionPlugin('p', 1) }, { config: { plugins: ['./p'], pluginDirs: [] } })
  renameSync(at.path('p'), at.path('elsewhere'))
  const kept = await at.reloads.next()
  assert.deepEqual([kept.outcome, kept.after?.reason?.code, await at.call('p_rev')], ['kept', 'PLUGIN_NOT_FOUND', '1'])
  at.write('elsewhere/index.ts', revisionPlugin('p', 2))
  renameSync(at.path('elsewhere'), at.path('p'))
  await at.reloads.next(({ outcome }) => outcome === 'replaced')
  assert.equal(await at.call('p_rev'), '2')
})

test('builds nothing for a touched file and a save without a change', async (t) => {
  const at = await reloading(t, two)
  const { generation } = at.host.snapshot
  utimesSync(at.path('plugins/a/index.ts'), new Date(), new Date())
  at.write('plugins/a/index.ts', revisionPlugin('a', 1))
  await at.host.apply({ changed: new Set([at.path('plugins/a/index.ts')]) })
  at.write('plugins/b/index.ts', revisionPlugin('b', 2))
  await at.reloads.next()
  assert.deepEqual(
    at.reloads.all.map(({ instance, generation: published }) => [instance, published]),
    [['b', generation + 1]],
  )
})

test('reloads exactly the two plugins that share a changed helper, at once', async (t) => {
  const using = (name: string) => ({
    [`plugins/${name}/index.ts`]: revisionPlugin(name, 1, {
      head: `import { shared } from '../../lib/shared.ts'`,
      rest: `description: shared,`,
    }),
  })
  const at = await reloading(t, {
    ...using('a'),
    ...using('b'),
    ...two,
    ...using('a'),
    ...using('b'),
    'plugins/c/index.ts': revisionPlugin('c', 1),
    'lib/shared.ts': `export const shared = 'one'`,
  })
  const { generation } = at.host.snapshot
  at.write('lib/shared.ts', `export const shared = 'two'`)
  await at.reloads.next()
  assert.deepEqual(
    at.reloads.all.map(({ instance, generation: published, after }) => [instance, published, after?.surface?.description]),
    [
      ['a', generation + 1, 'two'],
      ['b', generation + 1, 'two'],
    ],
  )
})

test('follows a plugin through a link to where it really is', async (t) => {
  const at = await reloading(t, { 'elsewhere/p/index.ts': revisionPlugin('p', 1), 'plugins/.keep': '' })
  at.link('elsewhere/p', 'plugins/p')
  await at.reloads.next(({ outcome }) => outcome === 'added')
  at.write('elsewhere/p/index.ts', revisionPlugin('p', 2))
  await at.reloads.next(({ outcome }) => outcome === 'replaced')
  assert.equal(await at.call('p_rev'), '2')
})

test('follows a linked npm package by its real path', async (t) => {
  const at = await reloading(t, {
    'work/jira/package.json': JSON.stringify({ name: 'mcp-jira', version: '1.0.0', type: 'module', exports: './index.js' }),
    'work/jira/index.js': revisionPlugin('jira', 1),
    'node_modules/.keep': '',
    'mcp.config.json': JSON.stringify({ plugins: [] }),
  })
  at.link('work/jira', 'node_modules/mcp-jira')
  at.write('mcp.config.json', JSON.stringify({ plugins: [{ use: 'mcp-jira', as: 'jira', isolation: 'inline' }] }))
  await at.reloads.next(({ outcome }) => outcome === 'added')
  at.write('work/jira/index.js', revisionPlugin('jira', 2))
  await at.reloads.next(({ outcome }) => outcome === 'replaced')
  assert.equal(await at.call('jira_rev'), '2')
})

for (const [kind, path, before, after] of [
  ['a JSON import', 'data.json', '{ "v": 1 }', '{ "v": 2 }'],
  ['a CommonJS helper', 'common.cjs', 'module.exports = { v: 1 }', 'module.exports = { v: 2 }'],
  ['a module with top-level await', 'late.mjs', 'export const v = await 1', 'export const v = await 2'],
] as const)
  test(`sees an edit of ${kind}`, async (t) => {
    const from =
      path === 'data.json'
        ? `import data from './data.json' with { type: 'json' }\nconst { v } = data`
        : path === 'common.cjs'
          ? `import data from './common.cjs'\nconst { v } = data`
          : `import { v } from './late.mjs'`
    const at = await reloading(t, {
      'plugins/a/index.ts': revisionPlugin('a', 1, { head: from, rest: 'description: String(v),' }),
      [`plugins/a/${path}`]: before,
    })
    at.write(`plugins/a/${path}`, after)
    assert.equal((await at.reloads.next()).after?.surface?.description, '2')
  })

test('sees an edit of a module that a call imported lazily', async (t) => {
  const lazy = revisionPlugin('a', 1).replace('run: () => "1"', `run: async () => (await import('./lazy.ts')).text`)
  const at = await reloading(t, { 'plugins/a/index.ts': lazy, 'plugins/a/lazy.ts': `export const text = 'one'` })
  assert.equal(await at.call('a_rev'), 'one')
  at.write('plugins/a/lazy.ts', `export const text = 'two'`)
  await at.reloads.next()
  assert.equal(await at.call('a_rev'), 'two')
})

test('takes a burst of saves as a few reloads that end with the last one', async (t) => {
  const at = await reloading(t, two)
  for (let revision = 2; revision <= 51; revision++) {
    at.write('plugins/a/index.ts', revisionPlugin('a', revision))
    await new Promise((resolve) => setImmediate(resolve)) // the watcher hears of each save
  }
  while ((await at.call('a_rev')) !== '51') await at.reloads.next()
  assert.ok(at.reloads.all.length <= 25, `${at.reloads.all.length} reloads`)
  assert.ok(at.reloads.all.every(({ outcome }) => outcome === 'replaced'))
})

test('never serves half a file, and takes the rest when it comes', async (t) => {
  const at = await reloading(t, two)
  const whole = revisionPlugin('a', 2)
  at.write('plugins/a/index.ts', whole.slice(0, whole.length / 2))
  const half = await at.reloads.next()
  assert.deepEqual([half.outcome, await at.call('a_rev')], ['kept', '1'])
  at.write('plugins/a/index.ts', whole)
  await at.reloads.next(({ outcome }) => outcome === 'replaced')
  assert.deepEqual([await at.call('a_rev'), (await at.ready()).degraded], ['2', []])
})

test('does not report a half-written file whose other half follows at once', async (t) => {
  const at = await reloading(t, two)
  const whole = revisionPlugin('a', 2)
  const file = at.path('plugins/a/index.ts')
  writeFileSync(file, whole.slice(0, 100))
  // The first attempt has failed, and is not believed yet.
  await new Promise<void>((resolve) => {
    const look = () => (at.host.watched().open.size > 0 ? resolve() : setImmediate(look))
    look()
  })
  writeFileSync(file, whole)
  await at.reloads.next()
  assert.deepEqual([at.reloads.all.map(({ outcome }) => outcome), await at.call('a_rev')], [['replaced'], '2'])
})

test('takes a checkout of 400 files over ten plugins in three reloads of each at most, without a failure', async (t) => {
  const files = (branch: string): Record<string, string> => {
    const all: Record<string, string> = {}
    for (let plugin = 0; plugin < 10; plugin++) {
      const imports: string[] = []
      for (let file = 0; file < 39; file++) {
        all[`plugins/p${plugin}/f${file}.ts`] = `export const f${file} = '${branch}'\n`
        imports.push(`import { f${file} } from './f${file}.ts'`)
      }
      const same = `if (new Set([${imports.map((_, file) => `f${file}`).join(', ')}]).size !== 1) throw new Error('two branches at once')`
      all[`plugins/p${plugin}/index.ts`] = revisionPlugin(`p${plugin}`, branch, { head: `${imports.join('\n')}\n${same}` })
    }
    return all
  }
  const at = await reloading(t, files('main'))
  for (const [path, content] of Object.entries(files('feature'))) at.write(path, content)
  const isDone = async () => {
    for (let plugin = 0; plugin < 10; plugin++) if ((await at.call(`p${plugin}_rev`)) !== 'feature') return false
    return true
  }
  while (!(await isDone())) await at.reloads.next()
  const swaps = Map.groupBy(at.reloads.all, ({ instance }) => instance)
  for (const [instance, reports] of swaps) assert.ok(reports.length <= 3, `${instance}: ${reports.length}`)
  assert.deepEqual(
    at.reloads.all.filter(({ outcome }) => outcome !== 'replaced'),
    [],
  )
})
