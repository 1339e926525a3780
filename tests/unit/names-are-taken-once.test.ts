import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineResource } from '@mcp-patchbay/plugin-api'
import { findCollisions } from '../../host/src/plugin/run/names.ts'
import { urisOf } from '../../host/src/plugin/run/plugin-uris.ts'
import { activeRecord, emptyPlugin, emptyTool } from '../fixtures/projects/snapshots.ts'

const record = (name: string, tools: readonly string[]) =>
  activeRecord(
    emptyPlugin(
      name,
      tools.map((tool) => emptyTool(tool)),
    ),
  )
const messages = (...args: Parameters<typeof findCollisions>) =>
  [...findCollisions(...args).values()].map(({ message }) => message)

test('the later of two plugins with one instance name is refused', () => {
  const first = record('jira', ['a_b'])
  const second = record('jira', ['c_d'])
  assert.deepEqual(messages([], [first, second]), ['Plugin "jira" has the instance name "jira", which "jira" already has'])
})

test('a tool name that two instances make in different ways is taken by the earlier', () => {
  const first = record('jira', ['eu_issues'])
  const second = record('jira_eu', ['issues'])
  assert.deepEqual(messages([], [first, second]), ['Plugin "jira_eu" has the tool "jira_eu_issues", which "jira" already has'])
  assert.deepEqual(messages([], [second, first]), ['Plugin "jira" has the tool "jira_eu_issues", which "jira_eu" already has'])
})

test('whoever serves keeps its names, whatever comes earlier in the config', () => {
  assert.deepEqual(messages([record('jira_eu', ['issues'])], [record('jira', ['eu_issues'])]).length, 1)
})

test('one prompt and one resource address are not served by two plugins', () => {
  const asks = { name: 'eu_ask', description: 'Asks.', run: () => 'x' }
  const page = { name: 'page', uri: 'file:///page', description: 'A page.', read: () => 'x' }
  const of = (name: string, more: object) => activeRecord(emptyPlugin(name, [], more))
  const prompts = [of('jira', { prompts: [asks] }), of('jira_eu', { prompts: [{ ...asks, name: 'ask' }] })]
  assert.match(String(messages([], prompts)), /has the prompt "jira_eu_ask", which "jira" already has/)
  const resources = [of('jira', { resources: [page] }), of('wiki', { resources: [page] })]
  assert.match(String(messages([], resources)), /has the resource "file:\/\/\/page", which "jira" already has/)
})

test('a resource is taken for other plugins, not for another mount of the same one', () => {
  const resources = [defineResource({ name: 'view', uri: 'ui://view', read: () => '' })]
  const chart = activeRecord(emptyPlugin('chart', [], { resources }))
  const again = { ...chart, instance: 'chart_two' }
  assert.deepEqual(messages([], [chart, again]), [])
  assert.deepEqual(messages([chart], [again]), [])
  assert.deepEqual(messages([], [chart, activeRecord(emptyPlugin('other', [], { resources }))]), [
    'Plugin "other" has the resource "ui://view", which "chart" already has',
  ])
})

test('which mount of a plugin keeps its URIs is the first in the config, also when that one failed', () => {
  const resources = [defineResource({ name: 'view', uri: 'ui://view', read: () => '' })]
  const chart = activeRecord(emptyPlugin('chart', [], { resources }))
  const [first, second, third] = ['chart', 'b', 'c'].map((instance) => ({ ...chart, instance }))
  assert.ok(first && second && third)
  const carry = (...records: (typeof chart)[]) => [...urisOf(records).keys()].map(({ instance }) => instance)
  assert.deepEqual(carry(first, second, third), ['b', 'c'])
  assert.deepEqual(carry(second, first), ['chart'])
  const { surface: _, live: __, ...rest } = first
  assert.deepEqual(carry({ ...rest, state: 'failed' }, second), ['b'])
})

for (const [uri, mounted] of [
  ['ui://chart/view.html', 'ui://two/chart/view.html'],
  ['file:///etc/hosts', 'file://two//etc/hosts'],
  ['urn:isbn:1', 'urn:two/isbn:1'],
  ['chart://{row}/{id}', 'chart://two/{row}/{id}'],
  ['no scheme', 'two/no scheme'],
] as const)
  test(`the URI ${uri} carries the instance as ${mounted}, and gives it back`, () => {
    const chart = activeRecord(emptyPlugin('chart', [], { resources: [defineResource({ name: 'a', uri, read: () => '' })] }))
    const uris = urisOf([chart, { ...chart, instance: 'two' }])
      .values()
      .next().value
    assert.deepEqual(
      [uris?.mounted(uri), uris?.toPlugin(mounted), uris?.toPlugin('x://elsewhere')],
      [mounted, uri, 'x://elsewhere'],
    )
  })
