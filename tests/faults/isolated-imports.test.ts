import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createHost, type Host } from 'mcp-patchbay'
import { pluginPids, until } from '../fixtures/plugins/plugin-processes.ts'
import { revisionPlugin, textOf } from '../fixtures/plugins/reloading.ts'
import { sourceTree, type SourceTree } from '../fixtures/plugins/source-tree.ts'

/** A good plugin `good` in the host, which no busy machine keeps from starting in time, and others, each in its own process. */
async function hostWith(
  t: TestContext,
  others: Readonly<Record<string, string>>,
  limits: object,
): Promise<{ host: Host; tree: SourceTree }> {
  const sources = { good: revisionPlugin('good', 1), ...others }
  const tree = sourceTree(Object.fromEntries(Object.entries(sources).map(([name, source]) => [`${name}/index.ts`, source])))
  const plugins = Object.keys(sources).map((name) => ({
    use: `./${name}`,
    isolation: name === 'good' ? ('inline' as const) : ('process' as const),
  }))
  const host = await createHost({ plugins, limits }, { file: tree.path('mcp.config.ts'), env: {}, patienceMs: Infinity })
  t.after(async () => {
    await host.close({ graceMs: 0 })
    await until(() => pluginPids().length === 0)
    tree[Symbol.dispose]()
  })
  return { host, tree }
}

async function assertFailedAlone(host: Host, problems: Readonly<Record<string, RegExp>>): Promise<void> {
  for (const [name, problem] of Object.entries(problems)) {
    const listed = host.list().plugins.find((plugin) => plugin.name === name)
    assert.equal(listed?.state, 'failed', name)
    assert.match(JSON.stringify(listed), problem)
  }
  assert.equal(textOf(await host.call('good_rev')), '1')
  await until(() => pluginPids().length === 0)
}

test('plugins that never finish to import or to start fail when their time is up, and leave no process', async (t) => {
  const sources = {
    waits: `await new Promise(() => {})\n${revisionPlugin('waits', 1)}`,
    loops: `for (;;);\n${revisionPlugin('loops', 1)}`,
    start_waits: revisionPlugin('start_waits', 1, { rest: 'start: () => new Promise(() => {}),' }),
    start_loops: revisionPlugin('start_loops', 1, { rest: 'start() { for (;;); },' }),
  }
  const late = /within 3000 ms/
  const { host } = await hostWith(t, sources, { loadTimeoutMs: 3_000 })
  await assertFailedAlone(host, { waits: late, loops: late, start_waits: late, start_loops: late })
})

test('plugins that break their process while they are loaded fail with what happened, and leave no process', async (t) => {
  const broken: Readonly<Record<string, readonly [string, RegExp]>> = {
    exits: ['process.exit(0)', /exited with code 0/],
    throws: [`throw new Error('not today')`, /not today/],
    throws_nothing: ['throw null', /null/],
    fills: ['const all = []; for (;;) all.push(Array(1_000).fill(1))', /out of memory/],
    writes: [`import { writeSync } from 'node:fs'\nwriteSync(3, 'x'.repeat(64))`, /sent a message of \d+ bytes/],
    closes: [`import { closeSync } from 'node:fs'\ncloseSync(3)`, /The process of plugin .* failed/],
  }
  const sources = Object.entries(broken).map(([name, [head]]) => [name, `${head}\n${revisionPlugin(name, 1)}`])
  const ends = revisionPlugin('start_exits', 1, { rest: 'start() { process.exit(0) },' })
  const { host } = await hostWith(
    t,
    { ...Object.fromEntries(sources), start_exits: ends },
    { loadTimeoutMs: 120_000, pluginHeapMb: 48 },
  )
  const problems = Object.entries(broken).map(([name, [, problem]]) => [name, problem])
  await assertFailedAlone(host, { ...Object.fromEntries(problems), start_exits: /exited with code 0/ })
})

test('a plugin that dies whenever it is back is given up with one announcement, and a new version is taken', async (t) => {
  const dying = revisionPlugin('b', 1, { rest: 'start() { setTimeout(() => process.exit(9), 150) },' })
  const { host, tree } = await hostWith(t, { b: dying }, { loadTimeoutMs: 120_000 })
  const gone = Promise.withResolvers<void>()
  const states: unknown[] = []
  host.on('generation', ({ plugins }) => {
    const state = plugins.find(({ instance }) => instance === 'b')?.state
    states.push(state)
    if (state === 'failed') gone.resolve()
  })
  const announced = gone.promise.then(() => '')
  const answers: string[] = []
  // A call that finds it away waits for it: so there are as many as there are processes.
  while (!states.includes('failed'))
    answers.push(await Promise.race([host.call('b_rev').then(textOf, String), announced]), await turn())
  assert.deepEqual(states, ['failed'])
  for (const answer of answers) assert.match(answer, /^1?$|was restarted during this call|stays down|Unknown tool/)
  assert.match(JSON.stringify(host.list().plugins[1]), /PLUGIN_CRASHED[^]*exited five times within a minute/)
  assert.ok(![...host.snapshot.tools.keys()].some((name) => name.startsWith('b_')))
  assert.equal(textOf(await host.call('good_rev')), '1')
  await host.apply({ changed: new Set([tree.write('b/index.ts', revisionPlugin('b', 2))]) })
  assert.equal(textOf(await host.call('b_rev')), '2')
})

async function turn(): Promise<string> {
  await new Promise((resolve) => setImmediate(resolve))
  return ''
}
