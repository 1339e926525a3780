// Cases H13 to H16 and H20 with a plugin in its own process.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { test } from 'node:test'
import { createHost } from 'mcp-patchbay'
import { startProbe, type Probe } from '../fixtures/probe.ts'
import { isRunning, pluginPids, until } from '../fixtures/plugin-processes.ts'
import { sourceTree } from '../fixtures/source-tree.ts'

/** The neighbour, which tells its version. */
const versioned = (version: string) => `
import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
export default definePlugin({
  name: 'neighbour', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [
    defineTool({ name: 'list', description: 'Its version', access: 'read', input: Type.Object({}), run: () => '${version}' }),
    defineTool({ name: 'wait', description: 'Its version, in the end', access: 'read', input: Type.Object({}),
      run: (_, { signal }) => new Promise((resolve) => { globalThis.go = () => resolve('${version}'); setTimeout(globalThis.go, 1_500) }) }),
  ],
})`

function save(probe: Probe, source: string): Promise<void> {
  return probe.host.apply({ changed: new Set([probe.tree.write('neighbour/index.js', source)]) })
}

async function textOf(probe: Probe, tool: string): Promise<string> {
  const answer = await probe.host.call(tool)
  const [item] = answer.kind === 'result' ? answer.result.content : []
  return item?.type === 'text' ? item.text : ''
}

test('a call goes on in the old process while the new one takes the next calls, and then the old one ends', async (t) => {
  const probe = await startProbe(t, { files: { 'neighbour/index.js': versioned('one') } })
  const before = probe.pids()
  const calling = textOf(probe, 'neighbour_wait')
  await save(probe, versioned('two'))
  assert.equal(await textOf(probe, 'neighbour_list'), 'two')
  assert.equal(await calling, 'one')
  await until(() => probe.pids().length === 2)
  assert.notDeepEqual(probe.pids(), before)
})

for (const [what, source] of [
  ['throws', 'throw new Error("broken")'],
  ['does not parse', 'export default {'],
  ['exits', 'process.exit(1)'],
  ['is no plugin', 'export default { name: 1 }'],
] as const)
  test(`the old process serves on when the new version ${what}`, async (t) => {
    const probe = await startProbe(t, { files: { 'neighbour/index.js': versioned('one') } })
    const before = probe.pids()
    await save(probe, source)
    assert.equal(await textOf(probe, 'neighbour_list'), 'one')
    assert.deepEqual(probe.pids(), before)
    const listed = probe.host.list().plugins.find(({ name }) => name === 'neighbour')
    assert.equal(listed?.state, 'active')
    await save(probe, versioned('two'))
    assert.equal(await textOf(probe, 'neighbour_list'), 'two')
  })

test('a plugin that is being edited finds a process ready, and the last one ends with the host', async (t) => {
  using tree = sourceTree({ 'neighbour/index.js': versioned('one') })
  const before = new Set(pluginPids())
  const pids = () => pluginPids().filter((pid) => !before.has(pid))
  const host = await createHost(
    { plugins: [{ use: './neighbour', isolation: 'process' }] },
    { file: tree.path('mcp.config.ts'), env: {}, patienceMs: Infinity, expectReloads: true },
  )
  t.after(() => host.close())
  const [serving] = pids()
  await until(() => pids().length === 2)
  const [ready] = pids().filter((pid) => pid !== serving)
  await host.apply({ changed: new Set([tree.write('neighbour/index.js', versioned('two'))]) })
  await until(() => !pids().includes(serving ?? 0))
  assert.ok(pids().includes(ready ?? 0))
  await host.close()
  await until(() => pids().length === 0)
})

test('reloads under calls lose none, and leave no process behind', async (t) => {
  const probe = await startProbe(t, { files: { 'neighbour/index.js': versioned('0') } })
  let calls = 0
  const over = new AbortController()
  const calling = Promise.all(
    Array.from({ length: 4 }, async () => {
      for (; !over.signal.aborted; calls++) assert.match(await textOf(probe, 'neighbour_list'), /^\d+$/)
    }),
  )
  for (let version = 1; version <= 8; version++) await save(probe, versioned(String(version)))
  over.abort()
  await calling
  assert.equal(await textOf(probe, 'neighbour_list'), '8')
  assert.ok(calls > 8)
  await until(() => probe.pids().length === 2)
})

test('plugin processes end with a host that is killed, even one that is in an endless loop', { timeout: 60_000 }, async () => {
  using tree = sourceTree({
    'spin/index.js': `
import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
export default definePlugin({
  name: 'spin', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [defineTool({ name: 'now', description: 'Without end', access: 'read', input: Type.Object({}), run: () => { for (;;); } })],
})`,
    'idle/index.js': versioned('one'),
  })
  const index = join(import.meta.dirname, '../../host/src/index.ts')
  const script = `
import { createHost } from ${JSON.stringify(index)}
const use = (path) => ({ use: path, isolation: 'process' })
const host = await createHost({ plugins: [use('./spin'), use('./idle')] }, { file: ${JSON.stringify(tree.path('mcp.config.ts'))}, env: {}, patienceMs: Infinity })
void host.call('spin_now')
console.log('ready')
setInterval(() => {}, 1_000)`
  const child = spawn(process.execPath, ['--conditions=@mcp-patchbay/source', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(createInterface({ input: child.stdout }), 'line')
  const pids = pluginPids(child.pid)
  assert.equal(pids.length, 2)
  const killedAt = performance.now()
  child.kill('SIGKILL')
  await until(() => pids.every((pid) => !isRunning(pid)))
  assert.ok(performance.now() - killedAt < 10_000)
})
