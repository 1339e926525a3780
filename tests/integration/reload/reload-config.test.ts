import assert from 'node:assert/strict'
import { renameSync, symlinkSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { configJson, reloading, revisionPlugin, type Reloading } from '../../fixtures/plugins/reloading.ts'

const greeting = (name: string): string =>
  revisionPlugin(name, 1)
    .replace('config: Type.Object({})', `config: Type.Object({ greeting: Type.String({ default: 'hello' }) })`)
    .replace('run: () => "1"', 'run: (_, { config }) => config.greeting')

const files = { 'a/index.ts': greeting('a'), 'b/index.ts': greeting('b'), 'plugins/.keep': '' }
const base = { plugins: ['./a', './b'] }

const start = (t: TestContext, config: object = base): Promise<Reloading> => reloading(t, files, { config })

/** Saves the config and waits until it is taken over. */
async function save(at: Reloading, config: object): Promise<void> {
  at.write('mcp.config.json', configJson(config))
  await at.lines.next(({ event }) => event === 'config_loaded')
}

test('adds a plugin, and leaves the others as they are', async (t) => {
  const at = await start(t, { plugins: ['./a'] })
  await save(at, base)
  assert.deepEqual(
    at.reloads.all.map(({ instance, outcome }) => [instance, outcome]),
    [['b', 'added']],
  )
  assert.equal(await at.call('b_rev'), 'hello')
})

test('removes a plugin', async (t) => {
  const at = await start(t)
  await save(at, { plugins: ['./a'] })
  assert.deepEqual(
    at.reloads.all.map(({ instance, outcome }) => [instance, outcome]),
    [['b', 'removed']],
  )
  await assert.rejects(at.call('b_rev'), { code: 'TOOL_UNKNOWN' })
})

test('reconfigures one plugin, and builds only that', async (t) => {
  const at = await start(t)
  await save(at, { plugins: ['./a', { use: './b', config: { greeting: 'good evening' } }] })
  assert.deepEqual(
    at.reloads.all.map(({ instance, outcome }) => [instance, outcome]),
    [['b', 'replaced']],
  )
  assert.deepEqual([await at.call('a_rev'), await at.call('b_rev')], ['hello', 'good evening'])
})

test('takes over filters, toolsets and limits without building anything, and tells who sees another list', async (t) => {
  const at = await start(t)
  const clients = await at.connectAll()
  const heard = await Promise.all(clients.map((client) => client.changes()))
  await save(at, { ...base, tools: { deny: ['b_*'] } })
  await assert.rejects(at.call('b_rev'), { code: 'TOOL_UNKNOWN' })
  await Promise.all(heard.map((one) => one.until('tools')))
  for (const client of clients) assert.deepEqual(await client.tools(), ['a_rev'])
  await save(at, { ...base, tools: { toolsets: { second: ['b_*'] }, enable: ['second'] } })
  for (const client of clients) assert.deepEqual(await client.tools(), ['b_rev'])
  await save(at, { ...base, limits: { resultBytes: 1024 } })
  await at.edit('b/index.ts', revisionPlugin('b', 'x'.repeat(2_000)))
  assert.match(await at.call('b_rev'), /1024/)
  assert.deepEqual(
    at.reloads.all.map(({ instance }) => instance),
    ['b'],
  )
  for (const { all } of heard) assert.deepEqual(new Set(all), new Set(['tools']))
})

test('publishes nothing for a config that says the same in other words', async (t) => {
  const at = await start(t)
  const { generation } = at.host.snapshot
  at.write('mcp.config.json', JSON.stringify({ ...JSON.parse(configJson(base)), readOnly: false }, null, 2))
  await at.lines.next(({ event }) => event === 'config_loaded')
  assert.equal(at.host.snapshot.generation, generation)
})

test('changes nothing for a config that does not validate, and takes the next one that does', async (t) => {
  const at = await start(t)
  const { generation } = at.host.snapshot
  at.write('mcp.config.json', configJson({ ...base, pluginz: [] }))
  const refused = await at.lines.next(({ event }) => event === 'config_refused')
  assert.match(String(refused['reason']), /pluginz[^]*plugins/)
  assert.equal(at.host.snapshot.generation, generation)
  await save(at, { plugins: ['./b'] })
  await assert.rejects(at.call('a_rev'), { code: 'TOOL_UNKNOWN' })
})

test('says that other addresses need a restart, keeps the ones it has, and takes over the rest', async (t) => {
  const at = await start(t)
  await save(at, { plugins: ['./a'], listen: { http: { port: 1 } } })
  const said = at.lines.all.filter(({ event }) => event === 'restart_required')
  assert.deepEqual(
    said.map(({ setting }) => setting),
    ['listen'],
  )
  await assert.rejects(at.call('b_rev'), { code: 'TOOL_UNKNOWN' })
  assert.equal((await fetch(`${at.management}/livez`)).status, 200)
  // Changed back, nothing is needed any more.
  await save(at, base)
  assert.equal(at.lines.all.filter(({ event }) => event === 'restart_required').length, 1)
})

test('follows what the config imports', async (t) => {
  const at = await reloading(t, {
    ...files,
    'mcp.config.ts': `import { greeting } from './settings.ts'\nexport default { plugins: ['./a', { use: './b', config: { greeting } }] }`,
    'settings.ts': `export const greeting = 'one'`,
  })
  at.write('settings.ts', `export const greeting = 'two'`)
  await at.reloads.next()
  assert.deepEqual([at.reloads.all.map(({ instance }) => instance), await at.call('b_rev')], [['b'], 'two'])
})

test('takes over .env, created, changed and deleted, and builds only the plugins that read the variable', async (t) => {
  const at = await start(t)
  at.write('.env', 'B_GREETING=from env\nUNRELATED=1\n')
  await at.reloads.next()
  assert.equal(await at.call('b_rev'), 'from env')
  at.write('.env', 'B_GREETING=other\nUNRELATED=1\n')
  await at.reloads.next()
  assert.equal(await at.call('b_rev'), 'other')
  at.remove('.env')
  await at.reloads.next()
  assert.equal(await at.call('b_rev'), 'hello')
  assert.deepEqual(new Set(at.reloads.all.map(({ instance }) => instance)), new Set(['b']))
})

test('takes over a value whose file is written again, and one behind a link that is pointed elsewhere', async (t) => {
  const at = await start(t)
  at.write('run/..1/secret', 'one')
  at.write('run/..2/secret', 'two')
  symlinkSync('..1', at.path('run/..data'))
  symlinkSync('..data/secret', at.path('run/secret'))
  at.write('.env', 'B_GREETING_FILE=run/secret\n')
  await at.reloads.next()
  assert.equal(await at.call('b_rev'), 'one')
  at.write('run/..1/secret', 'again')
  await at.reloads.next()
  assert.equal(await at.call('b_rev'), 'again')
  // As Kubernetes does it: the link is replaced at once, then what it led to goes.
  symlinkSync('..2', at.path('run/..next'))
  renameSync(at.path('run/..next'), at.path('run/..data'))
  at.remove('run/..1')
  await at.reloads.next()
  assert.equal(await at.call('b_rev'), 'two')
  assert.deepEqual(new Set(at.reloads.all.map(({ instance }) => instance)), new Set(['b']))
})

test('reads the files of secrets again when it is told to, without a watcher', async (t) => {
  const at = await reloading(
    t,
    { ...files, 'mcp.config.json': configJson(base), '.env': 'B_GREETING_FILE=secret\n', secret: 'one' },
    { watch: false },
  )
  at.write('secret', 'two')
  await at.served.reread()
  assert.equal(await at.call('b_rev'), 'two')
})

test('keeps a plugin that serves when a variable gets a value that does not fit, and says so', async (t) => {
  const at = await reloading(t, {
    'plugins/n/index.ts': revisionPlugin('n', 1).replace(
      'config: Type.Object({})',
      'config: Type.Object({ size: Type.Integer({ default: 1 }) })',
    ),
  })
  at.write('.env', 'N_SIZE=large\n')
  const { outcome, after } = await at.reloads.next()
  assert.deepEqual([outcome, after?.reason?.code, await at.call('n_rev')], ['kept', 'PLUGIN_UNCONFIGURED', '1'])
  at.write('.env', 'N_SIZE=2\n')
  await at.reloads.next(({ outcome: next }) => next === 'replaced')
})

test('hides the tools of a plugin whose credential its operator takes away', async (t) => {
  const secretive = revisionPlugin('s', 1)
    .replace('Type }', 'Type, Secret, hasCredential }')
    .replace('config: Type.Object({})', 'config: Type.Object({ apiKey: Type.Optional(Secret()) })')
    .replace('isAuthConfigured: () => true', 'isAuthConfigured: hasCredential')
  const at = await reloading(t, { 'plugins/s/index.ts': secretive, '.env': 'S_API_KEY=abcdefgh12345678\n' })
  assert.equal(await at.call('s_rev'), '1')
  at.write('.env', '')
  const { outcome, after } = await at.reloads.next()
  assert.deepEqual([outcome, after?.state], ['replaced', 'unconfigured'])
  await assert.rejects(at.call('s_rev'), { code: 'TOOL_UNKNOWN' })
})

test('reads the config again when it is told to, without a watcher', async (t) => {
  const at = await reloading(t, files, { config: base, watch: false })
  at.write('mcp.config.json', configJson({ plugins: ['./a'] }))
  at.write('.env', 'A_GREETING=from env\n')
  await at.served.reread()
  assert.equal(await at.call('a_rev'), 'from env')
  await assert.rejects(at.call('b_rev'), { code: 'TOOL_UNKNOWN' })
})
