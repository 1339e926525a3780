import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createMetrics } from '../../../host/src/observability/metrics.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { createCalls } from '../../../host/src/server/call/call.ts'
import { Cancellation } from '../../../host/src/server/call/cancellation.ts'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { instructionsFor } from '../../../host/src/server/catalog/instructions.ts'
import type { Snapshot } from '../../../host/src/server/catalog/snapshot.ts'
import { explainReach } from '../../../host/src/server/catalog/reach.ts'
import { viewOf } from '../../../host/src/server/catalog/view.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const calls = createCalls({
  log: silentLogger,
  metrics: createMetrics(),
  now: () => 0,
  limits: () => ({ callTimeoutMs: 1_000, resultBytes: 100_000 }),
  redact: createRedactor(),
})

const words = ['issues_get', 'issues_delete', 'issues_list', 'pulls_get', 'pulls_merge', 'users_list']
const scopes = fc.subarray(['read', 'admin'])
const tools = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom(...words),
    access: fc.constantFrom('read' as const, 'write' as const),
    permissions: scopes,
    tags: fc.subarray(['triage', 'reading']),
    quarantined: fc.boolean(),
    secret: fc.constantFrom('issue', 'merge of the plan', 'delete a user'),
  }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 6 },
)
const settings = fc.record({
  deny: fc.subarray(['*_delete', 'a_issues_*', '*_merge']),
  readOnly: fc.boolean(),
  always: fc.subarray(['a_issues_*', '*_list']),
})
const caller = fc.record({
  permissions: scopes,
  toolsets: fc.option(fc.subarray(['triage', 'reading']), { nil: undefined }),
  narrowed: fc.boolean(),
})
const query = fc.constantFrom('issue', 'merge a pull request', 'delete', 'user list plan', 'a_issues_delete', 'nothing like it')

test('the three tools answer as if what the caller may not see did not exist', async () => {
  await fc.assert(
    fc.asyncProperty(tools, settings, caller, query, async (shapes, { deny, readOnly, always }, who, wanted) => {
      const snapshotWith = (kept: (name: string) => boolean): Snapshot => {
        const shown = shapes.filter(({ name }) => kept(`a_${name}`))
        const record = activeRecord(
          emptyPlugin(
            'a',
            shown.map(({ name, access, permissions, tags, secret }) =>
              emptyTool(name, access, { permissions, tags, description: `Does the ${secret}.` }),
            ),
          ),
        )
        const quarantined = new Set(shown.filter((shape) => shape.quarantined).map(({ name }) => name))
        return snapshotOf([{ ...record, quarantined }], { tools: { deny, search: { always } }, readOnly })
      }
      const someone = createCaller(
        { id: 'x', tenant: undefined, permissions: who.permissions, kind: 'apiKey' },
        { toolsets: who.toolsets, readOnly: who.narrowed },
      )
      const all = snapshotWith(() => true)
      const callable = new Set(viewOf(all, someone).callable.map(({ name }) => name))
      const visibleOnly = snapshotWith((name) => callable.has(name))
      const names = words.map((word) => `a_${word}`)
      const asked: [string, object][] = [
        ['tools_search', { query: wanted }],
        ['tools_describe', { names }],
        ...names.flatMap((name): [string, object][] => [
          ['tools_call', { name, arguments: {} }],
          ['tools_call', { name, arguments: { surplus: 1 } }],
        ]),
      ]
      assert.deepEqual(viewOf(all, someone).tools, viewOf(visibleOnly, someone).tools)
      assert.equal(instructionsFor(viewOf(all, someone)), instructionsFor(viewOf(visibleOnly, someone)))
      for (const [name, args] of asked) {
        const answer = await answerOf(all, name, args)
        assert.deepEqual(answer, await answerOf(visibleOnly, name, args), `${name} ${JSON.stringify(args)}`)
        if (name !== 'tools_call' || !viewOf(all, someone).search) continue
        const { name: inner } = args as { name: string }
        const isUnknown = JSON.stringify(answer).includes('Unknown tool')
        assert.equal(isUnknown, !callable.has(inner), `${inner} is ${isUnknown ? 'unknown' : 'known'}`)
        const { visible, listed, found } = explainReach(all, inner, someone)
        assert.equal(visible, callable.has(inner))
        assert.equal(listed || found, callable.has(inner))
      }

      async function answerOf(snapshot: Snapshot, name: string, args: object): Promise<unknown> {
        const io = { cancellation: new Cancellation(), requestId: 'r1' }
        return calls.tool(snapshot, someone, name, args, io).then(
          (answer) => answer,
          (error: Error) => error.message,
        )
      }
    }),
    { numRuns: 150 },
  )
})

test('an index follows its tools: what a search finds is the same as with an index made for them', async () => {
  const tool = fc.record({
    name: fc.constantFrom(...words),
    text: fc.constantFrom('opens', 'closes', 'reads the file', 'merges'),
  })
  const generation = fc.uniqueArray(tool, { selector: ({ name }) => name, minLength: 1, maxLength: 6 })
  const someone = createCaller({ id: 'x', tenant: undefined, permissions: ['*'], kind: 'local' })
  await fc.assert(
    fc.asyncProperty(fc.array(generation, { minLength: 2, maxLength: 4 }), query, async (generations, wanted) => {
      let followed: Snapshot | undefined
      for (const shapes of generations) {
        const record = activeRecord(
          emptyPlugin(
            'a',
            shapes.map(({ name, text }) => emptyTool(name, 'read', { description: `It ${text}.` })),
          ),
        )
        const fresh = snapshotOf([record], { tools: { search: true } })
        followed = Object.freeze({ ...fresh, search: followed?.search ?? fresh.search })
        const found = await viewOf(followed, someone).search?.find(wanted)
        assert.deepEqual(found, await viewOf(fresh, someone).search?.find(wanted))
      }
    }),
    { numRuns: 100 },
  )
})

test('callers with few tools list them, and cannot call what is not listed for them', async () => {
  const record = activeRecord(emptyPlugin('a', [emptyTool('one'), emptyTool('two'), emptyTool('three', 'write')]))
  const snapshot = snapshotOf([record], { tools: { search: { above: 2 } } })
  const wide = createCaller({ id: 'x', tenant: undefined, permissions: ['*'], kind: 'local' })
  const narrow = createCaller(wide.principal, { toolsets: undefined, readOnly: true })
  const listed = (of: typeof wide) => viewOf(snapshot, of).tools.map(({ name }) => name)
  assert.deepEqual(listed(wide), ['tools_search', 'tools_describe', 'tools_call'])
  assert.deepEqual(listed(narrow), ['a_one', 'a_two'])
  const io = { cancellation: new Cancellation(), requestId: 'r1' }
  await assert.rejects(calls.tool(snapshot, narrow, 'tools_call', { name: 'a_one' }, io), /Unknown tool: tools_call/)
  assert.equal(explainReach(snapshot, 'tools_search', narrow).visible, false)
  assert.match(
    explainReach(snapshot, 'tools_search', narrow).chain[0]?.source ?? '',
    /more than 2 tools, and the caller may call 2/,
  )
})

test('tools_call says that it only reads for callers who see no tool that writes', () => {
  const record = activeRecord(emptyPlugin('a', [emptyTool('one'), emptyTool('two', 'write')]))
  const snapshot = snapshotOf([record], { tools: { search: true } })
  const wide = createCaller({ id: 'x', tenant: undefined, permissions: ['*'], kind: 'local' })
  const hint = (of: typeof wide) => viewOf(snapshot, of).tools.find(({ name }) => name === 'tools_call')?.['annotations']
  assert.deepEqual(hint(wide), { readOnlyHint: false })
  assert.deepEqual(hint(createCaller(wide.principal, { toolsets: undefined, readOnly: true })), { readOnlyHint: true })
})
