import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { definePlugin, defineTool, hasCredential, Secret, Type, type ServicePlugin } from '@mcp-patchbay/plugin-api'
import { createCaller, type EmbeddedConfig } from 'mcp-patchbay'
import { argumentShape } from '../../host/src/observability/audit.ts'
import { hostUnderTest, type HostUnderTest } from '../fixtures/projects/host-under-test.ts'
import type { LogLine } from '../fixtures/projects/patchbay-process.ts'
import { pinnedProject, pluginSource } from '../fixtures/projects/pinned-project.ts'

const tracker = definePlugin({
  name: 'tracker',
  version: '2.3.1',
  config: Type.Object({ apiUrl: Type.String({ default: 'https://tracker.example' }), apiKey: Type.Optional(Secret()) }),
  isAuthConfigured: (config) => config.apiKey === undefined || hasCredential(config),
  createClient: () => undefined,
  tools: [
    defineTool({
      name: 'items_get',
      description: 'Reads.',
      access: 'read',
      input: Type.Object({ id: Type.Integer(), query: Type.Optional(Type.String()) }, { additionalProperties: true }),
      run: () => 'got',
    }),
    defineTool({
      name: 'items_list',
      description: 'Lists.',
      access: 'read',
      input: Type.Object({ size: Type.Integer({ default: 10 }), query: Type.Optional(Type.String()) }),
      run: ({ size, query }) => `${size} of ${query ?? 'all'}`,
    }),
    defineTool({ name: 'items_delete', description: 'Deletes.', access: 'write', input: Type.Object({}), run: () => 'gone' }),
    defineTool({
      name: 'items_break',
      description: 'Breaks.',
      access: 'read',
      input: Type.Object({}),
      run: () => {
        throw new Error('broken')
      },
    }),
  ],
}) as unknown as ServicePlugin

const ada = createCaller({ id: 'ada', tenant: 'acme', permissions: ['*'], kind: 'oauth' })

const audited = async (t: TestContext, config: Omit<EmbeddedConfig, 'plugins'> = {}): Promise<HostUnderTest> =>
  hostUnderTest(t, [tracker], { config: { log: { audit: true }, ...config } })

/** The audit of calls of the tracker, without what differs each time. */
const linesOf = ({ log }: HostUnderTest): readonly LogLine[] =>
  log
    .filter(({ event, name }) => event === 'audit' && String(name).startsWith('tracker'))
    .map(({ time: _time, level: _level, event: _event, ms, call, ...line }) => {
      assert.equal(typeof call, 'string')
      return { ...line, ...(ms === undefined ? {} : { ms: typeof ms }) }
    })

test('each call that is let through is a line with who, what, which version, whose credential, and how it went', async (t) => {
  const served = await audited(t)
  await served.host.call('tracker_items_get', { id: 7, query: 'status = secret-plan' }, { caller: ada })
  await served.host.call('tracker_items_break', {}, { caller: ada })
  const common = {
    decision: 'allow',
    kind: 'tool',
    principal: 'ada',
    principalKind: 'oauth',
    tenant: 'acme',
    plugin: 'tracker',
    version: '2.3.1',
    credential: 'none',
    ms: 'number',
  }
  assert.deepEqual(linesOf(served), [
    { ...common, name: 'tracker_items_get', outcome: 'ok', arguments: { id: 'number', query: 'string(20)' } },
    { ...common, name: 'tracker_items_break', outcome: 'error', arguments: {} },
  ])
})

test('each call that is refused is a line with the rule that refused, whatever the caller is told', async (t) => {
  const served = await audited(t, { readOnly: true, limits: { rate: { callsPerMinute: 10, burst: 1 } } })
  await assert.rejects(served.host.call('tracker_items_delete', {}, { caller: ada }))
  await assert.rejects(served.host.call('tracker_nothing', {}, { caller: ada }))
  await served.host.call('tracker_items_get', { id: 7 }, { caller: ada })
  await served.host.call('tracker_items_get', { id: 7 }, { caller: ada })
  assert.deepEqual(
    linesOf(served).map(({ decision, reason, name, outcome }) => [decision, reason, name, outcome]),
    [
      ['deny', 'read_only', 'tracker_items_delete', undefined],
      ['deny', 'unknown', 'tracker_nothing', undefined],
      ['allow', undefined, 'tracker_items_get', 'ok'],
      ['deny', 'rate', 'tracker_items_get', 'limited'],
    ],
  )
})

test('calls of both eras, over HTTP, are audited alike', async (t) => {
  const served = await audited(t)
  await served.callInBothEras('tracker_items_get', { id: 7 })
  const [modern, legacy, ...more] = linesOf(served)
  assert.deepEqual([more, modern], [[], legacy])
  assert.equal(modern?.['principal'], 'local')
})

test('the arguments of a line are those that came, though the tool gets defaults and no null that does not belong there', async (t) => {
  const served = await audited(t)
  const answer = await served.host.call('tracker_items_list', { query: null }, { caller: ada })
  assert.match(JSON.stringify(answer), /10 of all/)
  assert.deepEqual(linesOf(served)[0]?.['arguments'], { query: 'null' })
})

test('no value of an argument is in any line, nor the name of one that the schema does not know', async (t) => {
  const served = await audited(t)
  const values = { id: 7, query: 'PLAN-query', 'PLAN-name': 'PLAN-value', more: { PLAN: ['PLAN'] } }
  await served.host.call('tracker_items_get', values, { caller: ada })
  assert.doesNotMatch(JSON.stringify(served.log), /PLAN/)
  assert.deepEqual(linesOf(served)[0]?.['arguments'], { id: 'number', query: 'string(10)', '…': '2 more' })
})

test('a name that forges a line or never ends is one short line', async (t) => {
  const served = await audited(t)
  const name = `tracker_\n{"event":"audit"}\u001b[2J${'x'.repeat(10_000)}`
  await assert.rejects(served.host.call(name, {}, { caller: ada }))
  const [line] = linesOf(served)
  assert.equal(line?.['decision'], 'deny')
  assert.equal(String(line['name']).length, 257)
})

test('without inbound authentication there is an audit only where the config wants one', async (t) => {
  const served = await hostUnderTest(t, [tracker])
  await served.host.call('tracker_items_get', { id: 7 })
  assert.deepEqual(linesOf(served), [])
})

test('the audit of a frozen deployment names the digest of the plugin that ran', async () => {
  using project = pinnedProject({ 'plugins/notes/index.ts': pluginSource() })
  await project.lock()
  await using started = await project.start({ pluginDirs: ['./plugins'], frozen: true, log: { audit: true } })
  await started.host.call('notes_items_get', {}, { caller: ada })
  const line = started.log.lines.find(({ event }) => event === 'audit')
  assert.match(String(line?.fields['tree']), /^sha256-[0-9a-f]{64}$/)
})

test('a shape says the kind and the size of each argument', () => {
  const args = { text: 'four', list: [1, 2], object: { a: 1 }, nothing: null, number: 1, flag: true, other: 'x' }
  const known = new Set(['text', 'list', 'object', 'nothing', 'number', 'flag', 'absent'])
  assert.deepEqual(argumentShape(args, known), {
    text: 'string(4)',
    list: 'array(2)',
    object: 'object(1)',
    nothing: 'null',
    number: 'number',
    flag: 'boolean',
    '…': '1 more',
  })
  assert.deepEqual(argumentShape('none', known), {})
})
