import assert from 'node:assert/strict'
import { renameSync, statSync, utimesSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { createHost } from 'mcp-patchbay'
import { pluginPids, until } from '../fixtures/plugins/plugin-processes.ts'
import { openHandles } from '../fixtures/projects/open-handles.ts'
import { reloading, revisionPlugin, textOf, type Reloading } from '../fixtures/plugins/reloading.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

const entry = 'plugins/a/index.ts'
const good = revisionPlugin('a', 1)
const config = {
  pluginDirs: [],
  plugins: [
    { use: './plugins/a', isolation: 'process' },
    { use: './plugins/b', isolation: 'process' },
  ],
}
/** What a plugin that never finishes waits for, and no start of one that does may take, however busy the machine. */
const LATE_MS = 8_000

/** With both plugins there, however long they took. */
async function start(t: TestContext, { watch = false, loadTimeoutMs = 60_000 } = {}): Promise<Reloading> {
  const files = { [entry]: good, 'plugins/b/index.ts': revisionPlugin('b', 1) }
  const at = await reloading(t, files, { config: { ...config, limits: { loadTimeoutMs } }, watch })
  await until(() => at.host.list().plugins.every(({ state }) => state === 'active'))
  return at
}

/** Resolves when the edit is served, or refused. */
async function edit(at: Reloading, content: string): Promise<string> {
  const done = at.reloads.all.length
  await at.edit(entry, content)
  await until(() => at.reloads.all.length > done)
  return at.reloads.all.at(-1)?.outcome ?? ''
}

/** Says its revision and, as soon as there is a file to say so, what it found before. */
const slow = (revision: number) => `
import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { helper } from './helper.ts'
const released = async () => { while (!existsSync(join(import.meta.dirname, 'release'))) await new Promise((resolve) => setTimeout(resolve, 20)) }
const tool = (name, run) => defineTool({ name, description: 'Of this version.', access: 'read', input: Type.Object({}), run })
export default definePlugin({
  name: 'a', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [
    tool('rev', () => '${revision}'),
    tool('slow', async () => { globalThis.isSlow = true; await released(); return '${revision} ' + helper }),
    tool('begun', () => String(globalThis.isSlow === true)),
  ],
})
`

test('serves the last of thirty saves in a row, and never half a file', async (t) => {
  const at = await start(t, { watch: true })
  const answers = new Set<string>()
  for (let revision = 2; revision <= 30; revision++) {
    at.write(entry, revision % 5 === 0 ? revisionPlugin('a', revision).slice(0, 120) : revisionPlugin('a', revision))
    answers.add(await at.call('a_rev'))
  }
  at.write(entry, revisionPlugin('a', 'last'))
  await until(() => at.reloads.all.some(({ outcome, after }) => outcome === 'replaced' && after?.state === 'active'))
  for (let answer = ''; answer !== 'last'; answer = await at.call('a_rev')) answers.add(answer)
  for (const answer of answers) assert.match(answer, /^\d*$/)
  assert.ok(at.reloads.all.length < 30, `${at.reloads.all.length} reloads`)
  // Beside the two there may be a spare one, for the next save.
  await until(() => pluginPids().length <= 3)
})

test('takes over what an editor saved in halves, by renaming, and with the time of the file before', async (t) => {
  const at = await start(t, { watch: true })
  const whole = revisionPlugin('a', 2)
  at.write(entry, whole.slice(0, whole.length / 2))
  const half = await at.reloads.next(({ outcome }) => outcome !== 'added')
  assert.deepEqual([half.outcome, await at.call('a_rev')], ['kept', '1'])
  at.write(entry, whole)
  await at.reloads.next(({ outcome }) => outcome === 'replaced')
  assert.equal(await at.call('a_rev'), '2')

  const { atime, mtime } = statSync(at.path(entry))
  renameSync(at.write('plugins/a/.index.ts.tmp', revisionPlugin('a', 3)), at.path(entry))
  utimesSync(at.path(entry), atime, mtime)
  await at.reloads.next(({ outcome }) => outcome === 'replaced')
  assert.equal(await at.call('a_rev'), '3')

  renameSync(at.path(entry), at.path(`${entry}~`))
  at.write(entry, revisionPlugin('a', 4))
  while ((await at.call('a_rev')) !== '4') await at.reloads.next()
})

test('keeps the process that serves when an edit is no good, and takes the next good one', async (t) => {
  const at = await start(t, { loadTimeoutMs: LATE_MS })
  const tools = [...at.host.snapshot.tools.keys()]
  let serving = '1'
  for (const [what, broken, code] of [
    ['does not parse', `${good}\nconst broken = {\n`, 'PLUGIN_IMPORT'],
    ['throws while it is imported', `throw new Error('not today')\n${good}`, 'PLUGIN_IMPORT'],
    ['ends its process while it is imported', `process.exit(1)\n${good}`, 'PLUGIN_PROCESS'],
    ['never finishes to import', `await new Promise(() => {})\n${good}`, 'PLUGIN_TIMEOUT'],
    ['ends its process while it starts', revisionPlugin('a', 2, { rest: 'start() { process.exit(1) },' }), 'PLUGIN_START'],
    ['is no plugin', 'export default { name: 1 }', 'PLUGIN_CONTRACT'],
    ['has two tools of one name', revisionPlugin('a', 2, { tools: ['rev', 'rev'] }), 'PLUGIN_CONTRACT'],
    ['has a schema out of bounds', good.replace('input: Type.Object({})', 'input: Type.String()'), 'PLUGIN_CONTRACT'],
    ['claims the name of another plugin', revisionPlugin('b', 2), 'PLUGIN_COLLISION'],
  ] as const)
    await t.test(what, async () => {
      assert.equal(await edit(at, broken), 'kept')
      assert.equal(at.host.list().plugins[0]?.reloadError?.code, code)
      assert.deepEqual(
        [[...at.host.snapshot.tools.keys()], await at.call('a_rev'), await at.call('b_rev')],
        [tools, serving, '1'],
      )
      await until(() => pluginPids().length === 2)
      serving = `after what ${what}`
      await edit(at, revisionPlugin('a', serving))
      assert.deepEqual([await at.call('a_rev'), at.host.list().plugins[0]?.reloadError], [serving, null])
    })
})

test('a call in flight ends in the process it began in, which ends after it', async (t) => {
  const at = await start(t)
  at.write('plugins/a/helper.ts', `export const helper = 'one'\n`)
  await edit(at, slow(2))
  const old = at.call('a_slow')
  while ((await at.call('a_begun')) !== 'true');
  const [first] = pluginPids().toReversed()
  at.write('plugins/a/helper.ts', `export const helper = 'two'\n`)
  await edit(at, slow(3))
  assert.equal(await at.call('a_rev'), '3')
  assert.equal(await at.call('a_begun'), 'false', 'the new version is in another process')
  assert.ok(first !== undefined && pluginPids().includes(first), 'the old process is there as long as its call')
  at.write('plugins/a/release', '')
  assert.equal(await old, '2 one')
  await until(() => pluginPids().length === 2)
})

// `npm run soak:processes` does hundreds.
test('loses no call and keeps no process, file or pipe over many reloads', async (t) => {
  const at = await start(t)
  await edit(at, revisionPlugin('a', 'warm'))
  await until(() => pluginPids().length === 2)
  const before = openHandles()
  const over = new AbortController()
  const answers: string[] = []
  const load = [1, 2].map(async () => {
    while (!over.signal.aborted) answers.push(await at.call('a_rev'), await at.call('b_rev'))
  })
  for (let revision = 2; revision <= 8; revision++) await edit(at, revisionPlugin('a', revision))
  over.abort()
  await Promise.all(load)
  for (const answer of answers) assert.match(answer, /^(?:\d+|warm)$/)
  assert.equal(await at.call('a_rev'), '8')
  await until(() => pluginPids().length === 2)
  await until(() => JSON.stringify(openHandles()) === JSON.stringify(before)).catch(() => assert.deepEqual(openHandles(), before))
})

test('a plugin that is being edited finds a process ready, and the last one ends with the host', async (t) => {
  const tellsPid = (revision: number) =>
    revisionPlugin('a', revision).replace(/run: \(\) => (".*?")/, 'run: () => String(process.pid || $1)')
  using tree = sourceTree({ 'a/index.ts': tellsPid(1) })
  const host = await createHost(
    { plugins: [{ use: './a', isolation: 'process' }] },
    { file: tree.path('mcp.config.ts'), env: {}, patienceMs: Infinity, expectReloads: true },
  )
  t.after(() => host.close())
  const serving = Number(textOf(await host.call('a_rev')))
  await until(() => pluginPids().length === 2)
  const ready = pluginPids().find((pid) => pid !== serving)
  await host.apply({ changed: new Set([tree.write('a/index.ts', tellsPid(2))]) })
  assert.equal(Number(textOf(await host.call('a_rev'))), ready)
  await host.close()
  await until(() => pluginPids().length === 0)
})
