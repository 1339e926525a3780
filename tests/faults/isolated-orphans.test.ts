import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isRunning, pluginPids, until } from '../fixtures/plugins/plugin-processes.ts'
import { runPatchbay, startPatchbay, type PatchbayProcess } from '../fixtures/projects/patchbay-process.ts'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { configJson, revisionPlugin } from '../fixtures/plugins/reloading.ts'
import { sourceTree, type SourceTree } from '../fixtures/plugins/source-tree.ts'

const linux = { skip: process.platform !== 'linux' && 'there is no /proc' }
const config = (names: readonly string[], more: object = {}) =>
  configJson({
    log: { level: 'debug' },
    pluginDirs: [],
    limits: { loadTimeoutMs: 120_000, callTimeoutMs: 120_000 },
    plugins: names.map((name) => ({ use: `./${name}`, isolation: 'process' })),
    ...more,
  })
const deaf = (name: string) =>
  revisionPlugin(name, 1).replace(`run: () => "1"`, `run: () => { console.error('deaf'); for (;;); }`)
const idle = { 'mcp.config.json': config(['a', 'b']), 'a/index.ts': revisionPlugin('a', 1), 'b/index.ts': deaf('b') }

/** A host of the config in `tree` that serves as many tools, each of one plugin: what is listed is there, however long it took. */
async function serving(tree: SourceTree, tools: number): Promise<PatchbayProcess> {
  const host = await startPatchbay(['--config', tree.path('mcp.config.json'), '--watch'], { cwd: tree.root })
  while ((await rawClient(host.url).tools()).length < tools);
  return host
}

/** The command that has `folder` in its arguments. */
function hostOf({ root }: SourceTree): number {
  return processesOf(root).find((pid) => commandOf(pid).includes('patchbay.mjs')) ?? assert.fail('no host')
}

/** Every process that has something to do with the folder, whoever its parent is by now. */
function processesOf(folder: string): readonly number[] {
  const all = readdirSync('/proc').map(Number).filter(Boolean)
  return all.filter((pid) => commandOf(pid).includes(folder) && isRunning(pid))
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** What ends the processes of plugins that hear nothing: see reaper.ts. */
function reaperOf(host: number): number {
  const children = readFileSync(`/proc/${host}/task/${host}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  return children.find((pid) => commandOf(pid).startsWith('/bin/sh')) ?? assert.fail('no reaper')
}

/** That what the killed host left can be started from, and serves the first version again. */
async function assertStartsAnew(tree: SourceTree): Promise<void> {
  {
    await using next = await serving(tree, 1)
    assert.match((await rawClient(next.url).call('a_rev')).text, /"text":"1"/)
    assert.deepEqual(
      next.log.filter(({ level }) => level === 'error'),
      [],
    )
    assert.equal(await next.stop(), 0)
  }
  await until(() => processesOf(tree.root).length === 0)
}

for (const signal of ['SIGKILL', 'SIGABRT', 'SIGTERM'] as const)
  test(`no process of a plugin outlives a host that is ended by ${signal}, not even one in an endless loop`, linux, async (t) => {
    using tree = sourceTree({
      ...idle,
      'mcp.config.json': config(['a', 'b', 'c']),
      // Deaf to whoever asks it to go.
      'c/index.ts': revisionPlugin('c', 1, {
        head: `for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.on(signal, () => {})\nprocess.on('exit', () => { for (;;); })\nsetInterval(() => {}, 1_000)`,
      }),
    })
    await using host = await serving(tree, 3)
    const pid = hostOf(tree)
    assert.ok(pluginPids(pid).length >= 3)
    const stuck = rawClient(host.url)
      .call('b_rev')
      .catch(() => undefined)
    t.after(() => stuck)
    await host.logged('plugin_output', ({ line }) => line === 'deaf')
    process.kill(pid, signal)
    if (signal === 'SIGTERM') {
      // The second one before the first was taken is no second one.
      await host.logged('stopping')
      process.kill(pid, signal)
    }
    await host.exited
    await until(() => processesOf(tree.root).length === 0)
  })

test('the process of a plugin ends by itself when its channel to the host does', linux, async () => {
  using tree = sourceTree({
    ...idle,
    'mcp.config.json': config(['a']),
    'a/index.ts': revisionPlugin('a', 1, { head: 'setInterval(() => {}, 1_000)' }),
  })
  await using host = await serving(tree, 1)
  const pid = hostOf(tree)
  const plugins = pluginPids(pid)
  assert.ok(plugins.length > 0)
  const reaper = reaperOf(pid)
  process.kill(reaper, 'SIGKILL')
  await until(() => !isRunning(reaper))
  process.kill(pid, 'SIGKILL')
  await host.exited
  await until(() => !plugins.some(isRunning))
})

test('a host that is killed while it reloads a plugin leaves no process, and the next one starts', linux, async () => {
  using tree = sourceTree({ ...idle, 'mcp.config.json': config(['a']) })
  await using host = await serving(tree, 1)
  // The new process is there beside the old one, and does not come to an end.
  tree.write('a/index.ts', `console.error('importing')\nfor (;;);\n${revisionPlugin('a', 2)}`)
  await host.logged('plugin_output', ({ line }) => line === 'importing')
  assert.ok(pluginPids(hostOf(tree)).length >= 2)
  host.kill('SIGKILL')
  await host.exited
  await until(() => processesOf(tree.root).length === 0)
  tree.write('a/index.ts', revisionPlugin('a', 1))
  await assertStartsAnew(tree)
})

test('a host that is killed while it writes what a plugin keeps leaves no process, and the next one starts', linux, async () => {
  const keeping = revisionPlugin('a', 1).replace(
    `run: () => "1"`,
    `run: async (_, { cache }) => { await cache.set('k', 1, { ttlMs: 60_000 }); return '1' }`,
  )
  using tree = sourceTree({ 'mcp.config.json': config(['a'], { cache: { store: 'sqlite:cache.db' } }), 'a/index.ts': keeping })
  const faults = { PATCHBAY_FAULTS: 'cache.write:kill' }
  const starting = startPatchbay(['--config', tree.path('mcp.config.json'), '--watch'], { cwd: tree.root, env: faults })
  // It keeps what it knows of a plugin as well, and so may die before it listens.
  await using host = await starting.catch((error: unknown) => {
    assert.match(String(error), /ended with SIGKILL/)
    return undefined
  })
  if (host) {
    const client = rawClient(host.url)
    await assert.rejects(async () => {
      for (;;) await client.call('a_rev')
    })
    assert.equal(await host.exited, 'SIGKILL')
  }
  await until(() => processesOf(tree.root).length === 0)
  await assertStartsAnew(tree)
})

test('a command that is killed while it writes the lock leaves no process, and the next one is done', linux, async () => {
  using tree = sourceTree({ ...idle, 'mcp.config.json': config(['a']) })
  const lock = (env: Readonly<Record<string, string>>) =>
    runPatchbay(['lock', '--config', tree.path('mcp.config.json')], { cwd: tree.root, env })
  assert.equal((await lock({ PATCHBAY_FAULTS: 'lock.rename:kill' })).code, null)
  await until(() => processesOf(tree.root).length === 0)
  const { code, stderr } = await lock({})
  assert.equal(code, 0, stderr)
  assert.deepEqual(
    readdirSync(tree.root).filter((name) => name.includes('lock')),
    ['mcp.lock.json'],
  )
})
