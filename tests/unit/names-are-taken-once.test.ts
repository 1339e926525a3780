import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type, type TObject } from '@mcp-patchbay/plugin-api'
import { findCollisions } from '../../host/src/plugin/run/names.ts'
import { activeRecord, emptyPlugin, emptyTool } from '../fixtures/projects/snapshots.ts'

const record = (name: string, tools: readonly string[], config: TObject = Type.Object({})) =>
  activeRecord(
    emptyPlugin(
      name,
      tools.map((tool) => emptyTool(tool)),
      { config },
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

test('one environment variable is not read for two plugins', () => {
  const first = record('github', [], Type.Object({ euApiUrl: Type.Optional(Type.String()) }))
  const second = record('github_eu', [], Type.Object({ apiUrl: Type.Optional(Type.String()) }))
  assert.match(String(messages([], [first, second])), /environment variable "GITHUB_EU_API_URL", which "github" already has/)
})
