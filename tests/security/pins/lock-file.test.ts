import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { pinnedProject, pluginSource, tool } from '../../fixtures/projects/pinned-project.ts'

const files = { 'plugins/notes/index.ts': pluginSource() }
const config = { pluginDirs: ['./plugins'] }
const frozen = resolveConfig({ ...config, frozen: true })

/** What each broken lock makes the host say. */
const broken: Readonly<Record<string, readonly [change: (lock: string) => string, code: string, place: RegExp]>> = {
  'half written': [(lock) => lock.slice(0, lock.length / 2), 'LOCK_INVALID', /mcp\.lock\.json:\d+:\d+: /],
  empty: [() => '', 'LOCK_INVALID', /mcp\.lock\.json:1:1: the file is empty/],
  'not JSON': [() => 'lockfileVersion: 1\n', 'LOCK_INVALID', /mcp\.lock\.json:1:1: /],
  'of another shape': [() => '{ "lockfileVersion": 1, "deployments": [] }', 'LOCK_INVALID', /mcp\.lock\.json:1:\d+: deployments/],
  newer: [(lock) => lock.replace('"lockfileVersion": 1', '"lockfileVersion": 2'), 'LOCK_TOO_NEW', /lockfileVersion 2/],
  'with a plugin that stands twice': [
    (lock) => lock.replace('"notes": {', '"notes": {}, "notes": {'),
    'LOCK_INVALID',
    /mcp\.lock\.json:6:\d+: /,
  ],
  'with a plugin named __proto__': [(lock) => lock.replace('"notes"', '"__proto__"'), 'LOCK_INVALID', /mcp\.lock\.json:6:\d+: /],
  'a merge that nobody resolved': [(lock) => `<<<<<<< ours\n${lock}`, 'LOCK_INVALID', /merge conflict/],
  'of 100 MB': [(lock) => lock + ' '.repeat(100 * 1024 * 1024), 'LOCK_TOO_LARGE', /was not read/],
}

for (const [what, [change, code, message]] of Object.entries(broken)) {
  test(`frozen, the host does not start with a lock that is ${what}`, async () => {
    using project = pinnedProject(files)
    await project.lock()
    project.write('mcp.lock.json', change(readFileSync(project.path('mcp.lock.json'), 'utf8')))
    await assert.rejects(project.start(), { code, message })
  })

  test(`a running host keeps what it has when the lock becomes ${what}`, async () => {
    using project = pinnedProject(files)
    await project.lock()
    await using started = await project.start()
    const { host, log } = started
    const before = host.snapshot
    project.write('mcp.lock.json', change(readFileSync(project.path('mcp.lock.json'), 'utf8')))
    await host.apply({ config: frozen })
    assert.equal(host.snapshot, before)
    assert.equal((await host.call('notes_items_get')).kind, 'result')
    const refused = log.lines.find(({ event }) => event === 'lock_refused')
    assert.match(String(refused?.fields['reason']), message)
  })
}

test('frozen, start ends with 78 and the place when the lock is torn', async () => {
  using project = pinnedProject({ ...files, 'mcp.lock.json': '{ "lockfileVersion": 1,' })
  const { code, stderr } = await project.patchbay(['start', '--frozen', '--port', '0'])
  assert.equal(code, 78)
  assert.match(stderr, /mcp\.lock\.json:1:24: /)
})

test('not frozen, a torn lock is said and the plugins serve', async () => {
  using project = pinnedProject({ ...files, 'mcp.lock.json': '{' })
  await using started = await project.start(config)
  assert.deepEqual(started.tools(), ['notes_items_get'])
  assert.ok(started.log.lines.some(({ event }) => event === 'lock_refused'))
})

test('not frozen, list and doctor name a torn lock, list fails with --check, and call says it on stderr', async () => {
  using project = pinnedProject({ ...files, 'mcp.lock.json': '{' })
  const listed = await project.patchbay(['list', '--check'])
  assert.equal(listed.code, 1)
  assert.match(listed.stdout, /The lock is not used: \S*mcp\.lock\.json:1:2: [^\n]*\n {2}- Restore the file/)
  const { stdout } = await project.patchbay(['list', '--json'])
  assert.equal((JSON.parse(stdout) as { lockProblem: { code: string } }).lockProblem.code, 'LOCK_INVALID')
  const found = await project.patchbay(['doctor'])
  assert.equal(found.code, 1)
  assert.match(found.stdout, /^lock: \S*mcp\.lock\.json:1:2: /m)
  const called = await project.patchbay(['call', 'notes_items_get'])
  assert.deepEqual([called.code, called.stdout], [0, 'got\n'])
  assert.match(called.stderr, /lock_refused[^]*mcp\.lock\.json:1:2: /)
})

test('a lock that was torn and is repaired is no longer a problem once it is read again', async () => {
  using project = pinnedProject(files)
  await project.lock()
  const lock = readFileSync(project.path('mcp.lock.json'), 'utf8')
  await using started = await project.start()
  const problems: (string | undefined)[] = []
  for (const text of [lock.slice(0, lock.length / 2), lock]) {
    project.write('mcp.lock.json', text)
    await started.host.apply({ config: frozen })
    problems.push(started.host.list().lockProblem?.code)
  }
  assert.deepEqual(problems, ['LOCK_INVALID', undefined])
})

test('NODE_ENV=production freezes', async () => {
  using project = pinnedProject(files)
  const { stdout } = await project.patchbay(['list', '--json'], { NODE_ENV: 'production' })
  const { plugins } = JSON.parse(stdout) as { plugins: readonly { state: string; reason: { code: string } }[] }
  assert.deepEqual(
    plugins.map(({ state, reason }) => [state, reason.code]),
    [['failed', 'PIN_NOT_LOCKED']],
  )
})

test('a host that reads its lock again takes over what was approved meanwhile, without a restart', async () => {
  using project = pinnedProject(files)
  await project.lock()
  await using started = await project.start()
  project.write('plugins/notes/index.ts', pluginSource({ tools: [tool({ description: 'Reads one thing.' })] }))
  await started.host.apply({ config: frozen })
  assert.equal(started.plugin().reloadError, undefined)
  await project.lock()
  await started.host.apply({ config: frozen })
  assert.equal(started.plugin().pinned, 'pinned')
  assert.equal(started.host.snapshot.tools.get('notes_items_get')?.wire.description, 'Reads one thing.')
})

test('a plugin that is new in a frozen deployment comes once the lock has it', async () => {
  using project = pinnedProject(files)
  await project.lock()
  await using started = await project.start()
  project.write('plugins/other/index.ts', pluginSource({ name: 'other' }))
  await started.host.apply({ config: frozen })
  assert.equal(started.plugin('other').reason?.code, 'PIN_NOT_LOCKED')
  await project.lock()
  await started.host.apply({ config: frozen })
  assert.deepEqual(started.tools(), ['notes_items_get', 'other_items_get'])
})

test('a plugin that an embedder hands over as an object serves in a frozen host', async () => {
  const { emptyPlugin, emptyTool } = await import('../../fixtures/projects/snapshots.ts')
  const { createHost } = await import('../../../host/src/host.ts')
  using project = pinnedProject({})
  await using host = await createHost(
    { plugins: [{ use: emptyPlugin('mine', [emptyTool('items_get')]) }], frozen: true },
    { file: project.path('mcp.config.json'), env: {} },
  )
  assert.deepEqual([...host.snapshot.tools.keys()], ['mine_items_get'])
})
