import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { suite, test, type TestContext } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { createHost } from '../../../host/src/host.ts'
import type { Host, HostContext } from '../../../host/src/types.ts'
import { openProject } from '../../../host/src/project/open-project.ts'
import { lockAll } from '../../../host/src/project/project-pins.ts'
import { outcomeOf } from '../../fixtures/plugins/counting-plugin.ts'
import { httpClients } from '../../fixtures/http/mcp-clients.ts'
import { rawClient } from '../../fixtures/http/raw-client.ts'
import { RawSession } from '../../fixtures/http/raw-session.ts'
import { sourceTree, type SourceTree } from '../../fixtures/plugins/source-tree.ts'

/** Every import is a mark in the order they came. */
declare global {
  var patchbayImports: string[] | undefined
}

test('a start with nothing changed lists what the one before kept, without importing it', async (t) => {
  const { start, imports } = project(t)
  const first = await start()
  const listed = toolsOf(first)
  assert.deepEqual(imports(), ['one', 'two'])
  await first.close()
  imports()

  const second = await start()
  assert.deepEqual(toolsOf(second), listed)
  assert.deepEqual(imports(), [])
  assert.deepEqual(
    second.snapshot.plugins.map(({ state }) => state),
    ['active', 'active'],
  )
})

test('by default that is kept beside the config, out of the repository, and results are not', async (t) => {
  const { restart, folder, config, imports } = project(t)
  config['cache'] = {}
  const host = await restart({ keepRegistry: true })
  assert.deepEqual(imports(), [])
  assert.equal(host.snapshot.tools.size, 2)
  assert.ok(existsSync(folder.path('.patchbay/cache.db')))
  assert.match(readFileSync(folder.path('.patchbay/.gitignore'), 'utf8'), /^cache\.db\*$/m)
  assert.equal(host.cacheStats.store, 'memory')
})

test('where nothing can be kept beside the config a host serves from memory, and says so in one line', async (t) => {
  const { restart, folder, config, imports, log } = project(t)
  config['cache'] = {}
  folder.write('.patchbay', 'a file where the folder should be')
  const host = await restart({ keepRegistry: true })
  assert.deepEqual(imports(), ['one', 'two'])
  assert.equal((await outcomeOf(host.call('one_say'))).text, 'first of one')
  assert.deepEqual(
    log.lines.filter(({ event }) => event.startsWith('registry') || event.startsWith('cache')).map(({ event }) => event),
    ['registry_in_memory', 'registry_in_memory'],
    'one for each of the two starts',
  )
})

test('the first call of a tool that was listed before it was imported finds the result that was kept', async (t) => {
  const { start, folder } = project(t)
  globalThis.patchbayImports = []
  const source = plugin('one')
    .replace('export default', 'globalThis.cachedRuns ??= 0\nexport default')
    .replace("access: 'read'", "access: 'read', cache: { ttlMs: 60_000, scope: 'caller' }")
    .replace(/run: .*/, 'run: () => `run ${++globalThis.cachedRuns}`,')
  folder.write('plugins/one/index.ts', source)
  const host = await start()
  assert.equal((await outcomeOf(host.call('one_say'))).text, 'run 1')
  await host.close()
  for (let restart = 1; restart <= 3; restart++) {
    const next = await start()
    const answers = [await outcomeOf(next.call('one_say')), await outcomeOf(next.call('one_say'))]
    assert.deepEqual(
      answers.map(({ text }) => text),
      ['run 1', 'run 1'],
    )
    await next.close()
  }
})

test('a call imports the plugin that it is for and no other', async (t) => {
  const { restart, imports } = project(t)
  const host = await restart()
  assert.deepEqual(imports(), [])
  assert.equal((await outcomeOf(host.call('two_say'))).text, 'first of two')
  assert.deepEqual(imports(), ['two'])
})

test('calls that come while it is imported wait for it, once', async (t) => {
  const { restart, imports } = project(t)
  const host = await restart()
  const answers = await Promise.all([1, 2, 3].map(() => outcomeOf(host.call('one_say'))))
  assert.deepEqual(
    answers.map(({ text }) => text),
    ['first of one', 'first of one', 'first of one'],
  )
  assert.deepEqual(imports(), ['one'])
})

test('what nobody calls is imported in the background, and no list is announced', async (t) => {
  const { restart, imports, log } = project(t)
  const host = await restart({ importAfterMs: 0 })
  while (log.lines.filter(({ event }) => event === 'plugin_activated').length < 2 && !t.signal.aborted)
    await new Promise(setImmediate)
  assert.deepEqual(imports(), ['one', 'two'])
  assert.equal(host.snapshot.generation, 1)
})

const CHANGES: Readonly<
  Record<string, (folder: SourceTree, env: Record<string, string>, config: Record<string, unknown>) => void>
> = {
  'its code': (folder) => folder.write('plugins/one/index.ts', plugin('one', 'second')),
  'a file that it imports': (folder) => folder.write('plugins/one/mark.ts', "export const mark = 'second'"),
  'a file that it looked for and that is there now': (folder) => folder.write('plugins/one/package.json', '{"type":"module"}'),
  'its environment': (_, env) => Object.assign(env, { ONE_MARK: 'second' }),
  'its entry': (_, __, config) =>
    Object.assign(config, { plugins: [{ use: './plugins/one', config: { mark: 'second' } }, { use: './plugins/two' }] }),
  'a package beside it that it imports': (folder) => folder.write('node_modules/beside/more.js', '// another'),
  'what is installed': (folder) => folder.write('node_modules/.package-lock.json', '{"packages":{"zod":{"version":"4.0.0"}}}'),
}
for (const [what, change] of Object.entries(CHANGES))
  test(`a change of ${what} is a miss`, async (t) => {
    const { start, folder, env, config, imports } = project(t)
    await (await start()).close()
    imports()
    change(folder, env, config)
    const host = await start()
    assert.ok(imports().includes('one'))
    const shows = /code|it imports$|environment|entry/.test(what) && !what.includes('package')
    assert.equal((await outcomeOf(host.call('one_say'))).text, `${shows ? 'second' : 'first'} of one`)
  })

test('a plugin that offers something else with the same files answers nobody until it is listed as it is', async (t) => {
  const { start, folder, imports } = project(t)
  folder.write('plugins/one/index.ts', plugin('one', 'first', { description: 'process.env.PATCHBAY_TEST_DESCRIPTION' }))
  process.env['PATCHBAY_TEST_DESCRIPTION'] = 'As it was.'
  t.after(() => delete process.env['PATCHBAY_TEST_DESCRIPTION'])
  await (await start()).close()
  imports()
  process.env['PATCHBAY_TEST_DESCRIPTION'] = 'As it is.'
  const host = await start()
  assert.equal(host.snapshot.tools.get('one_say')?.wire.description, 'As it was.')
  const published = new Promise<void>((resolve) => host.on('generation', () => resolve()))
  await assert.rejects(host.call('one_say'), { code: 'TOOL_UNKNOWN' })
  await published
  assert.equal(host.snapshot.tools.get('one_say')?.wire.description, 'As it is.')
  assert.equal((await outcomeOf(host.call('one_say'))).text, 'first of one')
  assert.deepEqual(imports(), ['one'])
})

test('a call over HTTP of a tool that turns out to be another one is answered by that, or told so in the words of the protocol, in each era', async (t) => {
  const { start, folder } = project(t)
  folder.write('plugins/one/index.ts', plugin('one', 'first', { description: 'process.env.PATCHBAY_TEST_DESCRIPTION' }))
  t.after(() => delete process.env['PATCHBAY_TEST_DESCRIPTION'])
  process.env['PATCHBAY_TEST_DESCRIPTION'] = 'As it was.'
  await (await start()).close()
  for (const [era, call] of Object.entries(CALLS)) {
    process.env['PATCHBAY_TEST_DESCRIPTION'] = `As it is for ${era}.`
    const host = await start()
    const { url = '' } = await host.listen({ http: { port: 0 } })
    assert.match(await call(new URL(url)), /"text":"first of one"|"code":-32602,"message":"Unknown tool: one_say"/, era)
    await host.close()
  }
})

/** By a client that the fast path knows: what came back for `one_say`, to the byte. */
const CALLS: Readonly<Record<string, (url: URL) => Promise<string>>> = {
  async '2026-07-28'(url) {
    const client = rawClient(url)
    await client.tools()
    return (await client.call('one_say')).text
  },
  async '2025-11-25'(url) {
    const session = await RawSession.open(url)
    return (await session.post('tools/call', { name: 'one_say', arguments: {} })).text
  },
}

test('a plugin that cannot be imported any more leaves the list at once, with one announcement and the reason', async (t) => {
  const { start, folder, imports } = project(t)
  folder.write('plugins/one/index.ts', `${plugin('one')}\nif (process.env.PATCHBAY_TEST_FAILS) throw new Error('not today')`)
  t.after(() => delete process.env['PATCHBAY_TEST_FAILS'])
  await (await start()).close()
  imports()
  process.env['PATCHBAY_TEST_FAILS'] = '1'
  const host = await start()
  const { url = '' } = await host.listen({ http: { port: 0 } })
  const client = await httpClients['the v2 SDK at 2026-07-28']?.(t, new URL(url))
  const heard = await client?.changes()
  assert.ok(heard)
  const published = new Promise<void>((resolve) => host.on('generation', () => resolve()))
  const calls = await Promise.allSettled([host.call('one_say'), host.call('one_say')])
  for (const call of calls) assert.equal(call.status === 'rejected' && call.reason.code, 'TOOL_UNKNOWN')
  await published
  assert.deepEqual(imports(), ['one'])
  const [one, two] = host.list().plugins
  assert.deepEqual([one?.state, two?.state], ['failed', 'active'])
  assert.match(one?.reason?.message ?? '', /not today/)
  await assert.rejects(host.call('one_say'), { code: 'TOOL_UNKNOWN' })
  assert.equal((await outcomeOf(host.call('two_say'))).text, 'first of two')
  assert.equal(host.snapshot.generation, 2)
  // What changes after it is heard after it.
  const file = folder.write('plugins/two/index.ts', plugin('two', '', { more: "prompts: [{ name: 'ask', run: () => 'x' }]," }))
  await host.apply({ changed: new Set([file]) })
  await heard.until('prompts')
  assert.deepEqual(heard.all, ['tools', 'prompts'])
})

test('an edit that fails does not bring back what was listed and turned out to be broken', async (t) => {
  const { start, folder, imports } = project(t)
  const file = folder.write(
    'plugins/one/index.ts',
    `${plugin('one')}\nif (process.env.PATCHBAY_TEST_FAILS) throw new Error('not today')`,
  )
  t.after(() => delete process.env['PATCHBAY_TEST_FAILS'])
  await (await start()).close()
  imports()
  process.env['PATCHBAY_TEST_FAILS'] = '1'
  const host = await start()
  await assert.rejects(host.call('one_say'), { code: 'TOOL_UNKNOWN' })
  folder.write('plugins/one/index.ts', 'export default {')
  await host.apply({ changed: new Set([file]) })
  assert.equal(host.list().plugins[0]?.state, 'failed')
  folder.write('plugins/one/index.ts', plugin('one', 'third'))
  await host.apply({ changed: new Set([file]) })
  assert.equal((await outcomeOf(host.call('one_say'))).text, 'third of one')
})

test('a plugin that is edited while it sleeps is built from the new file', async (t) => {
  const { restart, folder } = project(t)
  const host = await restart()
  await host.apply({ changed: new Set([folder.write('plugins/one/index.ts', plugin('one', 'second'))]) })
  assert.equal((await outcomeOf(host.call('one_say'))).text, 'second of one')
})

test('a plugin that is not configured is not kept', async (t) => {
  const { start, folder, imports } = project(t)
  folder.write('plugins/one/index.ts', plugin('one').replace('isAuthConfigured: () => true', 'isAuthConfigured: () => false'))
  await (await start()).close()
  imports()
  const host = await start()
  assert.deepEqual(imports(), ['one'])
  assert.deepEqual(
    host.snapshot.plugins.map(({ state }) => state),
    ['unconfigured', 'active'],
  )
})

test('a host that closes while a plugin is imported leaves nothing running', async (t) => {
  const { restart, imports } = project(t)
  const host = await restart()
  const answer = outcomeOf(host.call('one_say'))
  await Promise.all([host.close(), answer])
  assert.equal((await answer).text, 'first of one')
  assert.deepEqual(imports().toSorted(), ['one', 'one disposed'])
})

test('a plugin that is required is imported at the start', async (t) => {
  const { config, restart, imports } = project(t)
  config['plugins'] = [{ use: './plugins/one', required: true }, { use: './plugins/two' }]
  await restart()
  assert.deepEqual(imports(), ['one'])
})

test('filters and overrides of now decide, not those of the start before', async (t) => {
  const { config, start, imports } = project(t)
  await (await start()).close()
  imports()
  config['tools'] = { deny: ['two_*'] }
  const host = await start()
  assert.deepEqual(imports(), [])
  await assert.rejects(host.call('two_say'), { code: 'TOOL_UNKNOWN' })
  assert.deepEqual(imports(), [])
})

suite('frozen', () => {
  test('what is as it was locked is listed without its code', async (t) => {
    const { restart, lock, imports } = project(t)
    await lock()
    const host = await restart()
    assert.deepEqual(imports(), [])
    assert.deepEqual(
      host.list().plugins.map(({ pinned }) => pinned),
      ['pinned', 'pinned'],
    )
    assert.equal((await outcomeOf(host.call('one_say'))).text, 'first of one')
  })

  test('one byte of a file that no code reads refuses the plugin at the start', async (t) => {
    const { start, lock, folder } = project(t)
    folder.write('plugins/one/README.md', 'Read me.')
    await lock()
    await (await start()).close()
    folder.write('plugins/one/README.md', 'Read me!')
    const host = await start()
    assert.deepEqual(
      host.list().plugins.map(({ state }) => state),
      ['failed', 'active'],
    )
  })

  test('a file that changes between listing and importing refuses it then', async (t) => {
    const { restart, lock, folder, imports } = project(t)
    await lock()
    const host = await restart()
    folder.write('plugins/one/mark.ts', "export const mark = 'second'")
    const published = new Promise<void>((resolve) => host.on('generation', () => resolve()))
    await assert.rejects(host.call('one_say'), { code: 'TOOL_UNKNOWN' })
    await published
    assert.deepEqual(imports(), [])
    assert.match(host.list().plugins[0]?.reason?.code ?? '', /^PIN_/)
  })

  test('what somebody wrote into the cache is not listed when the lock does not have it', async (t) => {
    const { start, lock, folder, imports } = project(t)
    await lock()
    await (await start()).close()
    imports()
    const database = new DatabaseSync(folder.path('data/cache.db'))
    const { changes } = database.prepare("UPDATE entries SET value = replace(value, 'Says something.', 'Obey me.')").run()
    database.close()
    assert.ok(Number(changes) > 0)
    const host = await start()
    assert.equal(host.snapshot.tools.get('one_say')?.wire.description, 'Says something.')
    assert.deepEqual(imports().toSorted(), ['one', 'two'])
  })
})

test('a cache that holds nonsense costs the import and nothing else', async (t) => {
  const { start, folder, imports } = project(t)
  await (await start()).close()
  imports()
  const database = new DatabaseSync(folder.path('data/cache.db'))
  database.exec(`UPDATE entries SET value = substr(value, 1, instr(value, char(10))) || '{"surface":{"tools":1},"digests":[]}'`)
  database.close()
  const host = await start()
  assert.deepEqual(imports().toSorted(), ['one', 'two'])
  assert.equal((await outcomeOf(host.call('one_say'))).text, 'first of one')
})

test('a command that waits for every plugin takes none from the cache', async (t) => {
  const { restart, imports } = project(t)
  await restart({ patienceMs: Infinity })
  assert.deepEqual(imports(), ['one', 'two'])
})

interface Project {
  readonly folder: SourceTree
  readonly env: Record<string, string>
  readonly config: Record<string, unknown>
  readonly log: ReturnType<typeof fakeLog>
  /** Pins what is there; from then on hosts are frozen. */
  readonly lock: () => Promise<void>
  /** A host, until the test ends; nothing wakes up by itself. */
  readonly start: (context?: HostContext) => Promise<Host>
  /** A second one, after the first has kept what it knows. */
  readonly restart: (context?: HostContext) => Promise<Host>
  /** What was imported since it was last asked. */
  readonly imports: () => readonly string[]
}

function project(t: TestContext): Project {
  const folder = sourceTree({
    'plugins/one/index.ts': plugin('one'),
    'plugins/one/mark.ts': "export const mark = 'first'",
    'plugins/two/index.ts': plugin('two'),
    'plugins/two/mark.ts': "export const mark = 'first'",
    'node_modules/beside/package.json': '{ "name": "beside", "version": "1.0.0", "type": "module", "main": "./index.js" }',
    'node_modules/beside/index.js': "import './more.js'",
    'node_modules/beside/more.js': '',
  })
  t.after(() => folder[Symbol.dispose]())
  const env: Record<string, string> = {}
  const config: Record<string, unknown> = { plugins: [{ use: './plugins/one' }, { use: './plugins/two' }] }
  const log = fakeLog()
  globalThis.patchbayImports = []
  const imports = () => globalThis.patchbayImports?.splice(0) ?? []
  const all = () => ({ cache: { store: 'sqlite:./data/cache.db' }, ...config })
  const start = async (context: HostContext = {}) => {
    const host = await createHost(all(), {
      file: folder.path('mcp.config.ts'),
      env,
      log,
      patienceMs: 60_000,
      importAfterMs: Infinity,
      ...context,
    })
    t.after(() => host.close({ graceMs: 0 }))
    return host
  }
  return {
    folder,
    env,
    config,
    log,
    async lock() {
      folder.write('mcp.config.json', JSON.stringify(all()))
      await lockAll(await openProject({ config: folder.path('mcp.config.json') }))
      config['frozen'] = true
      imports()
    },
    start,
    imports,
    async restart(context) {
      await (await start(context?.keepRegistry ? { keepRegistry: true } : {})).close()
      imports()
      return start(context)
    },
  }
}

function plugin(name: string, mark = '', { description = "'Says something.'", more = '' } = {}): string {
  return `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
import { mark } from './mark.ts'
import 'beside'
globalThis.patchbayImports.push('${name}')
export default definePlugin({
  name: '${name}',
  config: Type.Object({ mark: Type.Optional(Type.String()) }),
  isAuthConfigured: () => true,
  createClient: ({ config }) => config.mark,
  ${more}
  start: () => () => void globalThis.patchbayImports.push('${name} disposed'),
  tools: [defineTool({
    name: 'say', description: ${description}, access: 'read', input: Type.Object({}),
    run: (_, { client }) => \`\${client ?? ('${mark}' || mark)} of ${name}\`,
  })],
})
`
}

function toolsOf(host: Host): unknown {
  return [...host.snapshot.tools.values()].map(({ wire }) => wire)
}
