import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { conformance, FIRST, LATEST } from '../fixtures/conformance-run.ts'
import { startPatchbay, type PatchbayProcess } from '../fixtures/projects/patchbay-process.ts'
import { sourceTree } from '../fixtures/plugins/source-tree.ts'

describe('the official conformance suites', () => {
  const host = serveFixtures()

  test('pass for 2025-11-25, also where they do not score', async () => {
    const run = await conformance(host.url, LATEST, ['--requirements', '2025-11-25'])
    assert.deepEqual(run.failing, [], run.output)
    assert.equal(run.code, 0)
    assert.equal(run.passed.get('json-schema-2020-12'), 8)
    assert.equal(run.passed.get('server-sse-polling'), 3)
    assert.equal(run.scenarios, 33)
  })

  test('pass for 2026-07-28, but for the tasks extension, which the host does not offer', async () => {
    const run = await conformance(host.url, LATEST, ['--requirements', '2026-07-28'])
    assert.equal(run.code, 0, run.output)
    assert.deepEqual(
      run.failing.filter((scenario) => !scenario.startsWith('tasks-')),
      [],
    )
    // All of its checks: those for list_changed would only warn if nothing came.
    assert.equal(run.passed.get('server-stateless'), 30)
    assert.equal(run.passed.get('json-schema-2020-12'), 8)
    assert.equal(run.passed.get('http-header-validation'), 14)
    assert.equal(run.passed.get('http-custom-header-server-validation'), 10)
    assert.equal(run.scenarios, 50)
  })

  for (const [revision, scenarios] of [
    ['2025-03-26', 1],
    ['2025-06-18', 27],
  ] as const)
    test(`pass for ${revision}`, async () => {
      const run = await conformance(host.url, LATEST, ['--suite', 'all', '--spec-version', revision])
      assert.deepEqual(run.failing, [], run.output)
      assert.equal(run.code, 0)
      assert.equal(run.scenarios, scenarios)
    })

  for (const [suite, scenarios] of [
    ['active', 30],
    ['all', 32],
  ] as const)
    test(`of the first line pass: ${suite}`, async () => {
      const run = await conformance(host.url, FIRST, ['--suite', suite])
      assert.deepEqual(run.failing, [], run.output)
      assert.equal(run.code, 0)
      assert.equal(run.scenarios, scenarios)
    })

  test('edited a plugin that the host took over each time, and found no fault in it', async () => {
    const { log } = host.process
    assert.notEqual(log.filter(({ event }) => event === 'plugin_reloaded').length, 0)
    assert.deepEqual(
      log.filter(({ level }) => level === 'error'),
      [],
    )
  })
})

describe('the official conformance suites without the direct path', () => {
  const host = serveFixtures({ env: { PATCHBAY_DIRECT: 'off' } })

  for (const revision of ['2025-11-25', '2026-07-28'])
    test(`pass for ${revision}`, async () => {
      const run = await conformance(host.url, LATEST, ['--requirements', revision])
      assert.equal(run.code, 0, run.output)
    })
})

describe('the official conformance suites without sessions', () => {
  const host = serveFixtures({ sessions: 'stateless' })

  test('pass for 2025-11-25, but for what needs a client that can be asked', async () => {
    const run = await conformance(host.url, LATEST, ['--requirements', '2025-11-25'])
    assert.deepEqual(run.failing.toSorted(), [
      'elicitation-sep1034-defaults',
      'elicitation-sep1330-enums',
      'tools-call-elicitation',
      'tools-call-sampling',
    ])
  })
})

interface Fixtures {
  readonly url: URL
  readonly process: PatchbayProcess
}

/** Serves a copy of the fixtures, which may change itself, for the tests of one `describe`. */
function serveFixtures({ env = {}, sessions }: { env?: Record<string, string>; sessions?: 'stateless' } = {}): Fixtures {
  const tree = sourceTree()
  let host: PatchbayProcess | undefined
  const started = () => host ?? assert.fail('it did not start')
  before(async () => {
    cpSync(join(import.meta.dirname, '../fixtures/conformance'), tree.root, { recursive: true })
    if (sessions) {
      const config = readFileSync(tree.path('mcp.config.ts'), 'utf8')
      writeFileSync(tree.path('mcp.config.ts'), config.replace('port: 0', `port: 0, sessions: { mode: '${sessions}' }`))
    }
    host = await startPatchbay(['--watch'], { cwd: tree.root, env })
  })
  after(async () => {
    await host?.[Symbol.asyncDispose]()
    tree[Symbol.dispose]()
  })
  return {
    get url() {
      return started().url
    },
    get process() {
      return started()
    },
  }
}
