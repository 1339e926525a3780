import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { definePlugin, defineTool, Type, type ServicePlugin } from '@mcp-patchbay/plugin-api'
import { createCaller, type EmbeddedConfig } from 'mcp-patchbay'
import { hostUnderTest, type HostUnderTest } from '../fixtures/projects/host-under-test.ts'
import type { LogLine } from '../fixtures/projects/patchbay-process.ts'

const none = Type.Object({})
let counted = 0
const tracker = definePlugin({
  name: 'tracker',
  version: '2.3.1',
  config: none,
  isAuthConfigured: () => true,
  createClient: () => undefined,
  tools: [
    defineTool({
      name: 'items_get',
      description: 'Reads an item.',
      access: 'read',
      input: Type.Object({ id: Type.Integer() }),
      run: () => 'got',
    }),
    defineTool({ name: 'items_delete', description: 'Deletes.', access: 'write', input: none, run: () => 'gone' }),
    defineTool({
      name: 'items_purge',
      description: 'Deletes all.',
      access: 'write',
      approval: 'required',
      input: none,
      run: () => 'purged',
    }),
    defineTool({
      name: 'items_count',
      description: 'Counts.',
      access: 'read',
      cache: { ttlMs: 60_000, scope: 'caller' },
      input: none,
      run: () => `count ${++counted}`,
    }),
    defineTool({
      name: 'items_misfit',
      description: 'Gives what it must not.',
      access: 'read',
      input: none,
      output: Type.Object({ n: Type.Integer() }),
      run: () => ({ n: 'one' }) as unknown as { n: number },
    }),
  ],
}) as unknown as ServicePlugin

const ada = createCaller({ id: 'ada', tenant: undefined, permissions: ['*'], kind: 'oauth' })

const searching = async (t: TestContext, config: Omit<EmbeddedConfig, 'plugins'> = {}): Promise<HostUnderTest> =>
  hostUnderTest(t, [tracker], { config: { log: { audit: true }, ...config, tools: { search: true } } })

const byCall = (name: string, args: object = {}) => ['tools_call', { name, arguments: args }] as const

const audited = ({ log }: HostUnderTest): readonly LogLine[] =>
  log
    .filter(({ event, principal }) => event === 'audit' && principal === 'ada')
    .map(({ time: _time, level: _level, event: _event, ms: _ms, call: _call, ...line }) => line)

test('the audit of a call by tools_call is that of the tool, with the same words', async (t) => {
  const served = await searching(t)
  await served.host.call('tracker_items_get', { id: 7 }, { caller: ada })
  await served.host.call(...byCall('tracker_items_get', { id: 7 }), { caller: ada })
  await served.host.call(...byCall('tracker_nothing'), { caller: ada })
  const [direct, inner, unknown] = audited(served)
  assert.deepEqual(direct, inner)
  assert.equal(inner?.['name'], 'tracker_items_get')
  assert.deepEqual([unknown?.['decision'], unknown?.['name']], ['deny', 'tracker_nothing'])
  await served.host.call('tools_search', { query: 'secret-words' }, { caller: ada })
  const search = audited(served).at(-1)
  assert.deepEqual([search?.['name'], search?.['arguments']], ['tools_search', { query: 'string(12)' }])
})

test('limits, caches and output schemas hold for a call by tools_call', async (t) => {
  const served = await searching(t, { limits: { rate: { callsPerMinute: 30, burst: 4 } } })
  const call = async (name: string) => JSON.stringify(await served.host.call(...byCall(name), { caller: ada }))
  assert.match(await call('tracker_items_count'), /count 1/)
  assert.match(await call('tracker_items_count'), /count 1.*"mcp-patchbay\/cache":"hit"/)
  assert.match(await call('tracker_items_misfit'), /does not fit its output schema/)
  await served.host.call('tools_search', { query: 'count' }, { caller: ada })
  assert.match(await call('tracker_items_delete'), /Too many calls: the limit is 30 per minute/)
})

test('a tool that needs a yes gets none by tools_call where the client cannot ask', async (t) => {
  const served = await searching(t)
  const replies = await served.callInBothEras(...byCall('tracker_items_purge'))
  for (const { isError, content } of replies) {
    assert.equal(isError, true)
    assert.match(content?.[0]?.text ?? '', /tracker_items_purge needs a person's approval/)
  }
})
