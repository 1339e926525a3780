import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { HostListing } from 'mcp-patchbay'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { runPatchbay, startPatchbay } from '../fixtures/projects/patchbay-process.ts'

const broken = join(import.meta.dirname, '../fixtures/broken')

/** What is wrong with each, in words that its author can act on, and what to do about it. */
const reasons: Readonly<Record<string, { code: string; message: RegExp; fix: RegExp }>> = {
  throws_on_import: {
    code: 'PLUGIN_IMPORT',
    message: /could not be imported: the licence file is missing/,
    fix: /^Fix the file/,
  },
  rejects_on_import: {
    code: 'PLUGIN_IMPORT',
    message: /could not be imported: the licence server is away/,
    fix: /^Fix the file/,
  },
  hangs_on_import: {
    code: 'PLUGIN_IMPORT',
    message: /hangs-on-import\.ts was not imported within 400 ms/,
    fix: /top-level await.*\n.*limits\.loadTimeoutMs/,
  },
  does_not_parse: {
    code: 'PLUGIN_IMPORT',
    message: /does-not-parse\.ts:3:3 has a syntax error/,
    fix: /^Fix that line/,
  },
  lacks_a_dependency: {
    code: 'PLUGIN_IMPORT',
    message: /a-package-that-nobody-installed/,
    fix: /^Install a-package-that-nobody-installed/,
  },
  exports_nothing: {
    code: 'PLUGIN_CONTRACT',
    message: /default export of the module is missing/,
    fix: /export default definePlugin/,
  },
  wrong_shape: {
    code: 'PLUGIN_CONTRACT',
    message:
      /name "Wrong Shape".*isAuthConfigured is a boolean.*createClient is missing.*tools\[0\]\.description is missing.*tools\[0\]\.access is "sometimes".*tools\[0\]\.run is a string/,
    fix: /^name: Use snake_case.*\nisAuthConfigured: Write.*\ncreateClient: Write.*\n.*\n.*\ntools\[0\]\.run: Write/,
  },
  twice_the_same_tool: {
    code: 'PLUGIN_CONTRACT',
    message: /tools\[1\]\.name "one" is also the name of tools\[0\]/,
    fix: /Give each its own name/,
  },
  newer_contract: { code: 'PLUGIN_CONTRACT', message: /apiVersion is 99/, fix: /^apiVersion: Update the host/ },
  older_contract: { code: 'PLUGIN_CONTRACT', message: /apiVersion is 0/, fix: /^apiVersion: Update the plugin/ },
  throws_on_start: {
    code: 'PLUGIN_START',
    message: /failed in start: the queue is not there/,
    fix: /^Fix the plugin/,
  },
  hangs_on_start: {
    code: 'PLUGIN_TIMEOUT',
    message: /did not finish starting within 400 ms/,
    fix: /start\(\).*\n.*limits\.loadTimeoutMs/,
  },
  not_there: { code: 'PLUGIN_NOT_FOUND', message: /not-there\.ts/, fix: /^Fix the path/ },
}

/** What `bad_schemas` goes without. */
const leftOut: Readonly<Record<string, RegExp>> = {
  bad_schemas_array: /tools\[0\]\.input is a schema of type "array"/,
  bad_schemas_remote: /tools\[1\]\.input\/properties\/a\/\$ref "https:\/\/example\.com\/schema\.json" is not in this schema/,
  bad_schemas_dialect: /tools\[2\]\.input\/\$schema "https:\/\/example\.com\/dialect" is not a dialect/,
  bad_schemas_output: /tools\[3\]\.output\/properties\/a\/type has the value "strng"/,
  bad_schemas_bad: /prompts\[0\]\.arguments\/properties\/a\/pattern "\(" cannot run in linear time/,
}

test('every plugin that cannot run is failed with a reason and a step to take, and the healthy one is active', async () => {
  const { code, stdout } = await runPatchbay(['list', '--json', '--config', join(broken, 'mcp.config.json')])
  assert.equal(code, 0)
  const { plugins } = JSON.parse(stdout) as HostListing
  const order = plugins.map(({ name }) => name)
  const byConfig = ([one]: readonly unknown[], [other]: readonly unknown[]) =>
    order.indexOf(String(one)) - order.indexOf(String(other))
  assert.deepEqual(
    plugins.map(({ name, state, reason }) => [name, state, reason?.code ?? null]),
    [
      ...Object.entries(reasons).map(([name, reason]) => [name, 'failed', reason.code]),
      ['bad_schemas', 'active', null],
      ['healthy', 'active', null],
    ].toSorted(byConfig),
  )
  const { tools: served = [], warnings = [] } = plugins.find(({ name }) => name === 'bad_schemas') ?? {}
  assert.deepEqual(
    served.map(({ name, visible }) => [name, visible]),
    [['bad_schemas_fine_get', true]],
  )
  assert.deepEqual(
    warnings.map(({ name, leftOut: isLeftOut }) => [name, isLeftOut]),
    Object.keys(leftOut).map((name) => [name, true]),
  )
  for (const { name, problem } of warnings) assert.match(problem, leftOut[name] ?? /never/)
  for (const { name, reason, tools } of plugins) {
    const expected = reasons[name]
    if (!expected) continue
    assert.match(reason?.message ?? '', expected.message)
    assert.match(reason?.fix.join('\n') ?? '', expected.fix)
    assert.deepEqual(tools, [])
  }
})

test('the others serve beside them, and readiness names each that does not', async () => {
  await using host = await startPatchbay(['--config', join(broken, 'mcp.config.json')])
  const client = rawClient(host.url)
  assert.deepEqual(await client.tools(), ['bad_schemas_fine_get', 'healthy_pulse_check'])
  assert.match((await client.call('healthy_pulse_check')).text, /"text":"alive"/)
  // A plugin that hangs is decided when its time is up, which may be after the host began to listen.
  for (const plugin of Object.keys(reasons)) await host.logged('plugin_failed', (line) => line['plugin'] === plugin)
  const ready = await fetch(new URL('/readyz', host.management))
  assert.equal(ready.status, 200)
  const { degraded: all } = (await ready.json()) as {
    degraded: readonly { plugin: string; state: string; reason?: string; leftOut?: readonly string[] }[]
  }
  const degraded = all.filter(({ state }) => state === 'failed')
  assert.deepEqual(
    degraded.map(({ plugin }) => plugin),
    Object.keys(reasons),
  )
  assert.deepEqual(
    all.filter(({ state }) => state === 'active'),
    [{ plugin: 'bad_schemas', state: 'active', required: false, leftOut: Object.keys(leftOut) }],
  )
  for (const { plugin, reason } of degraded) assert.match(reason ?? '', reasons[plugin]?.message ?? /never/)
  assert.equal(await host.stop(), 0)
})

test('a host without one plugin that works is up, says not ready with the reasons, and lists nothing', async () => {
  await using host = await startPatchbay(['--config', join(broken, 'nothing-works.json')])
  assert.equal((await fetch(new URL('/livez', host.management))).status, 200)
  const ready = await fetch(new URL('/readyz', host.management))
  assert.equal(ready.status, 503)
  const { degraded } = (await ready.json()) as { degraded: readonly { plugin: string; reason?: string }[] }
  assert.deepEqual(
    degraded.map(({ plugin }) => plugin),
    ['throws_on_import', 'wrong_shape'],
  )
  for (const { plugin, reason } of degraded) assert.match(reason ?? '', reasons[plugin]?.message ?? /never/)
  assert.deepEqual(await rawClient(host.url).tools(), [])
  assert.equal(await host.stop(), 0)
})
