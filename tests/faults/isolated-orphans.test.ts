import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isRunning, pluginPids, until } from '../fixtures/plugin-processes.ts'
import { startPatchbay } from '../fixtures/patchbay-process.ts'
import { rawClient } from '../fixtures/raw-client.ts'
import { configJson, revisionPlugin } from '../fixtures/reloading.ts'
import { sourceTree } from '../fixtures/source-tree.ts'

const linux = { skip: process.platform !== 'linux' && 'there is no /proc' }
const config = configJson({
  log: { level: 'debug' },
  pluginDirs: [],
  plugins: ['a', 'b', 'c'].map((name) => ({ use: `./${name}`, isolation: 'process' })),
})
const files = {
  'mcp.config.json': config,
  'a/index.ts': revisionPlugin('a', 1),
  // One of them hears nothing, and one is deaf to whoever asks it to go.
  'b/index.ts': revisionPlugin('b', 1).replace(`run: () => "1"`, `run: () => { console.error('deaf'); for (;;); }`),
  'c/index.ts': revisionPlugin('c', 1, {
    head: `for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.on(signal, () => {})\nprocess.on('exit', () => { for (;;); })\nsetInterval(() => {}, 1_000)`,
  }),
}

// H20
for (const signal of ['SIGKILL', 'SIGABRT', 'SIGTERM'] as const)
  test(`no process of a plugin outlives a host that is ended by ${signal}, whatever runs in it`, linux, async (t) => {
    using tree = sourceTree(files)
    await using host = await startPatchbay(['--config', tree.path('mcp.config.json')], { cwd: tree.root })
    const pid = Number(/\d+/.exec(JSON.stringify(host.log.find((line) => 'pid' in line)?.['pid'] ?? hostPid(tree.root))))
    const client = rawClient(host.url)
    // However long the three take: what is listed is there.
    for (let tools: string[] = []; tools.length < 3;) tools = await client.tools()
    const plugins = pluginPids(pid)
    assert.equal(plugins.length, 3)
    const stuck = client.call('b_rev').catch(() => undefined)
    t.after(() => stuck)
    await host.logged('plugin_output', ({ line }) => line === 'deaf')
    process.kill(pid, signal)
    if (signal === 'SIGTERM') {
      // The second one before the first was taken is no second one.
      await host.logged('stopping')
      process.kill(pid, signal)
    }
    await host.exited
    await until(() => !plugins.some(isRunning))
  })

/** The child of this process that has `folder` for its own. */
function hostPid(folder: string): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  return children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)) ?? assert.fail('no host')
}
