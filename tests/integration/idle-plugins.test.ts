import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createHost, createLogger } from 'mcp-patchbay'
import { createFeed } from '../fixtures/http/feed.ts'
import type { LogLine } from '../fixtures/plugins/isolated-host.ts'
import { isRunning, pluginPids, until } from '../fixtures/plugins/plugin-processes.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

const plugin = (name: string, more = '') => `
import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
let release
const tool = (name, run) => defineTool({ name, description: 'Does it.', access: 'read', input: Type.Object({}), run })
export default definePlugin({
  name: '${name}', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}), ${more}
  tools: [
    tool('pid', () => String(process.pid)),
    tool('hold', async () => { await new Promise((resolve) => { release = resolve }); return String(process.pid) }),
    tool('release', () => { release(); return 'released' }),
  ],
})`

const tree = sourceTree({
  'quiet/index.js': plugin('quiet'),
  'other/index.js': plugin('other'),
  'worker/index.js': plugin('worker', 'start: () => () => {},'),
  'tired/index.js': plugin('tired', 'start: () => () => {},'),
})
const use = (name: string, more = {}) => ({ use: `./${name}`, isolation: 'process' as const, ...more })
const cache = { store: `sqlite:${tree.path('cache.db')}` }

async function open(limits: { readonly pluginIdleMs: number }, plugins: ReturnType<typeof use>[], patience = Infinity) {
  const lines = createFeed<LogLine>()
  const host = await createHost(
    { plugins, limits, cache },
    {
      file: tree.path('mcp.config.ts'),
      env: {},
      patienceMs: patience,
      importAfterMs: 1,
      log: createLogger({
        level: 'debug',
        format: 'json',
        destination: { write: (line) => lines.push(JSON.parse(line) as LogLine) },
      }),
    },
  )
  const tell = async (name: string) => {
    const answer = await host.call(name)
    const [item] = answer.kind === 'result' ? answer.result.content : []
    return item?.type === 'text' ? item.text : ''
  }
  /** From now on, not before. */
  const idle = (name: string) => {
    const from = lines.all.length
    return lines.next((line) => line.event === 'plugin_idle' && line['plugin'] === name && lines.all.indexOf(line) >= from)
  }
  const stateOf = (name: string) => host.list().plugins.find((one) => one.name === name)?.state
  return { host, lines, tell, idle, stateOf }
}

after(() => tree[Symbol.dispose]())

test('a plugin that nobody calls is ended, listed as idle, and started by its next call; one that works in the background is not', async () => {
  const { host, tell, idle, stateOf } = await open({ pluginIdleMs: 40 }, [
    use('quiet'),
    use('other', { idleMs: 0 }),
    use('worker'),
    use('tired', { idleMs: 40 }),
  ])
  await using _ = host
  const first = Number(await tell('quiet_pid'))
  await idle('quiet')
  await until(() => stateOf('tired') === 'idle')
  assert.deepEqual(['quiet', 'other', 'worker', 'tired'].map(stateOf), ['idle', 'active', 'active', 'idle'])
  await until(() => !isRunning(first))
  const listed = host.list().plugins.find(({ name }) => name === 'quiet')?.tools ?? []
  assert.deepEqual(
    listed.map(({ name, visible }) => [name, visible]),
    ['pid', 'hold', 'release'].map((name) => [`quiet_${name}`, true]),
  )
  const second = Number(await tell('quiet_pid'))
  assert.notEqual(second, first)
  assert.ok(pluginPids().includes(second))
})

test('a call that lasts longer than that is not ended, nor is its process', async () => {
  const { host, tell, idle } = await open({ pluginIdleMs: 40 }, [use('quiet'), use('other')])
  await using _ = host
  const held = tell('quiet_hold')
  // The other one is idle for as long, twice: the first time it may have been before the call began.
  for (let times = 0; times < 2; times++) {
    const ended = idle('other')
    await tell('other_pid')
    await ended
  }
  const during = await tell('quiet_pid')
  await tell('quiet_release')
  assert.equal(await held, during)
})

test('no call is lost at the edge, however many come while a process ends', async () => {
  const { host, tell, idle } = await open({ pluginIdleMs: 1 }, [use('quiet')])
  await using _ = host
  const answers: string[] = []
  for (let round = 0; round < 5; round++) {
    const ended = idle('quiet')
    answers.push(await tell('quiet_pid'))
    await ended
    answers.push(...(await Promise.all(Array.from({ length: 4 }, () => tell('quiet_pid')))))
  }
  assert.equal(answers.length, 25)
  for (const answer of answers) assert.match(answer, /^\d+$/)
})

test('a plugin that is idle is disposed and replaced like any other, and leaves no process', async () => {
  const { host, stateOf } = await open({ pluginIdleMs: 1 }, [use('quiet')])
  await until(() => stateOf('quiet') === 'idle')
  tree.write('quiet/index.js', `${plugin('quiet')}\n// edited`)
  await host.apply({ changed: new Set([tree.path('quiet/index.js')]) })
  assert.equal(host.snapshot.generation, 2)
  await until(() => stateOf('quiet') === 'idle')
  const pids = pluginPids()
  await host.close({ graceMs: 0 })
  await until(() => !pids.some(isRunning))
})

test('a start that knows its plugins lists them as idle, starts those that are called and those that work in the background, and no other', async () => {
  const plugins = [use('quiet'), use('other'), use('worker')]
  {
    const { host } = await open({ pluginIdleMs: 60_000 }, plugins, 60_000)
    await host.close({ graceMs: 0 })
  }
  const { host, tell, lines, stateOf } = await open({ pluginIdleMs: 60_000 }, plugins, 60_000)
  await using _ = host
  assert.deepEqual([stateOf('quiet'), stateOf('other')], ['idle', 'idle'])
  await lines.next(({ event, plugin: of }) => event === 'plugin_activated' && of === 'worker')
  const pid = Number(await tell('quiet_pid'))
  assert.deepEqual(['quiet', 'other', 'worker'].map(stateOf), ['active', 'idle', 'active'])
  assert.ok(pluginPids().includes(pid))
  assert.equal(pluginPids().length, 2)
})
