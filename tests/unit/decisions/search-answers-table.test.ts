import assert from 'node:assert/strict'
import { test } from 'node:test'
import { searchAnswer } from '../../../host/src/server/call/search-answers.ts'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { explainReach, reachOf } from '../../../host/src/server/catalog/reach.ts'
import { createSearchCatalog, innerCall } from '../../../host/src/server/catalog/search-tools.ts'
import { viewOf } from '../../../host/src/server/catalog/view.ts'
import { createValidators } from '../../../host/src/data/schema/validate.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const caller = createCaller({ id: 'x', tenant: undefined, permissions: [], kind: 'local' })

interface Answer {
  readonly tools: readonly { readonly name: string; readonly [part: string]: unknown }[]
  readonly unknown?: readonly string[]
  readonly notShown?: readonly string[]
}

/** Eight tools that a search for "issue" finds, each with `description` behind its first sentence. */
async function answerOf(name: string, args: object, { description = '', maxBytes = 1_048_576 } = {}): Promise<Answer> {
  const tools = Array.from({ length: 8 }, (_, index) =>
    emptyTool(`issue_${index}`, 'read', {
      description: `Gets an issue. ${description}`,
      icons: [{ src: 'https://example.com/icon.png' }],
      meta: { 'example.com/for': 'clients' },
    }),
  )
  const snapshot = snapshotOf([activeRecord(emptyPlugin('a', tools))], { tools: { search: true } })
  const answer = await searchAnswer({ snapshot, caller, name, args }, { maxBytes, redact: (text) => text })
  assert.ok(answer.kind === 'result')
  return answer.result.structuredContent as Answer
}

const isWhole = (tool: object) => 'inputSchema' in tool

test('of a search the best five come whole, and of the rest the name and the first sentence', async () => {
  const { tools } = await answerOf('tools_search', { query: 'issue' })
  assert.deepEqual(tools.map(isWhole), [true, true, true, true, true, false, false, false])
  for (const tool of tools.slice(5)) assert.deepEqual(tool, { name: tool.name, description: 'Gets an issue.' })
})

test('the whole hits of a search have 16,000 characters together', async () => {
  const { tools } = await answerOf('tools_search', { query: 'issue' }, { description: 'x'.repeat(7_000) })
  assert.deepEqual(tools.map(isWhole), [true, true, false, false, false, false, false, false])
})

test('the whole hits of a search take a quarter of what a result may have', async () => {
  const { tools } = await answerOf('tools_search', { query: 'issue' }, { description: 'x'.repeat(700), maxBytes: 8_000 })
  assert.deepEqual(tools.map(isWhole), [true, true, false, false, false, false, false, false])
})

test('a hit has no pictures and no metadata, and a description of it has both', async () => {
  const hits = await answerOf('tools_search', { query: 'issue' })
  for (const hit of hits.tools) assert.deepEqual([hit['icons'], hit['_meta']], [undefined, undefined])
  const described = await answerOf('tools_describe', { names: ['a_issue_0'] })
  assert.deepEqual(described.tools[0]?.['icons'], [{ src: 'https://example.com/icon.png' }])
  assert.deepEqual(described.tools[0]?.['_meta'], { 'example.com/for': 'clients' })
})

test('descriptions take half of what a result may have, and the rest is named', async () => {
  const names = ['a_issue_0', 'a_issue_1', 'a_issue_2', 'a_none']
  const { tools, notShown, unknown } = await answerOf(
    'tools_describe',
    { names },
    { description: 'x'.repeat(3_000), maxBytes: 16_000 },
  )
  assert.deepEqual(
    tools.map(({ name }) => name),
    ['a_issue_0', 'a_issue_1'],
  )
  assert.deepEqual([notShown, unknown], [['a_issue_2'], ['a_none']])
})

test('a tool that is named twice is described once', async () => {
  const { tools } = await answerOf('tools_describe', { names: ['a_issue_0', 'a_issue_0'] })
  assert.equal(tools.length, 1)
})

test('tools_call calls what its arguments name, and nothing where they do not fit its schema', () => {
  const table: [args: unknown, expected: unknown][] = [
    [{ name: 'a_x' }, { name: 'a_x', args: {} }],
    [
      { name: 'a_x', arguments: { id: 1 } },
      { name: 'a_x', args: { id: 1 } },
    ],
    [{ name: 'tools_search' }, { name: 'tools_search', args: {} }],
    [{ name: 'tools_call' }, undefined],
    [{ name: 'tools_call', arguments: { name: 'a_x' } }, undefined],
    [{ name: 'a_x', arguments: {}, surplus: 1 }, undefined],
    [{ name: 'a_x', surplus: undefined }, undefined],
    [{ name: 'a_x', arguments: [] }, undefined],
    [{ name: 'a_x', arguments: null }, undefined],
    [{ name: 'a_x', arguments: 'text' }, undefined],
    [{ name: 7 }, undefined],
    [{ arguments: {} }, undefined],
    [[], undefined],
    ['a_x', undefined],
    [undefined, undefined],
  ]
  for (const [args, expected] of table) assert.deepEqual(innerCall(args), expected, JSON.stringify(args))
})

test('a tool is listed, found or both as tools.search has it', () => {
  const table: [search: boolean | { always: string[] } | { above: number }, listed: boolean, found: boolean][] = [
    [false, true, false],
    [{ above: 2 }, true, false],
    [{ above: 1 }, false, true],
    [true, false, true],
    [{ always: ['a_one'] }, true, true],
    [{ always: ['a_*'] }, true, false],
  ]
  const plugin = activeRecord(emptyPlugin('a', [emptyTool('one'), emptyTool('two')]))
  for (const [search, listed, found] of table) {
    const snapshot = snapshotOf([plugin], { tools: { search } })
    assert.deepEqual(reachOf(viewOf(snapshot, caller), 'a_one'), { listed, found }, JSON.stringify(search))
    const explained = explainReach(snapshot, 'a_one', caller)
    assert.deepEqual([explained.visible, explained.listed, explained.found], [true, listed, found], JSON.stringify(search))
    assert.deepEqual(reachOf(viewOf(snapshot, caller), 'a_none'), { listed: false, found: false })
  }
})

test('a search of one list finds nothing of a newer one that the index goes on to meanwhile, nor the reverse', async () => {
  const snapshot = snapshotOf([activeRecord(emptyPlugin('a', [emptyTool('issue_one'), emptyTool('issue_two')]))])
  const both = [...snapshot.tools.values()]
  const [one, two] = both.map((tool) => [tool])
  assert.ok(one && two)
  const catalog = createSearchCatalog(createValidators())
  const search = (tools: typeof both) => catalog.indexOf('class', tools).find('issue', tools)
  assert.deepEqual(await search(both), ['a_issue_one', 'a_issue_two'])
  assert.deepEqual(await Promise.all([search(one), search(two)]), [['a_issue_one'], ['a_issue_two']])
})
