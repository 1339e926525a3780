import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServicePlugin } from '@mcp-patchbay/plugin-api'
import github from '../../../plugins/github/index.ts'
import slack from '../../../plugins/slack/index.ts'
import sqlite from '../../../plugins/sqlite/index.ts'
import web from '../../../plugins/web/index.ts'
import { searchAnswer } from '../../../host/src/server/call/search-answers.ts'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { viewOf } from '../../../host/src/server/catalog/view.ts'
import { githubOperations } from '../../fixtures/search/github-operations.ts'
import { QUESTIONS } from '../../fixtures/search/questions.ts'
import { activeRecord, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const plugins = [github, slack, sqlite, web, githubOperations()] as readonly object[]
const snapshot = snapshotOf(
  plugins.map((plugin) => activeRecord(plugin as ServicePlugin)),
  { tools: { search: true } },
)
const caller = createCaller({ id: 'x', tenant: undefined, permissions: ['*'], kind: 'local' })
const view = viewOf(snapshot, caller)

async function found(query: string): Promise<readonly string[]> {
  const bounds = { maxBytes: 1_048_576, redact: (text: string) => text }
  const answer = await searchAnswer({ snapshot, caller, name: 'tools_search', args: { query, limit: 5 } }, bounds)
  assert.ok(answer.kind === 'result')
  const { tools } = answer.result.structuredContent as { tools: { name: string }[] }
  return tools.map(({ name }) => name)
}

test('each question has tools that exist', () => {
  const names = new Set(view.callable.map(({ name }) => name))
  assert.equal(QUESTIONS.length, 60)
  assert.ok(names.size > 1_150, `${names.size} tools`)
  const wrong = QUESTIONS.flatMap(([, ...right]) => right.filter((name) => !names.has(name)))
  assert.deepEqual(wrong, [])
})

test('of sixty questions as people ask them, among 1,250 tools, nine in ten have a right tool within five', async (t) => {
  const missed: string[] = []
  for (const [question, ...right] of QUESTIONS) {
    const names = await found(question)
    if (!names.some((name) => right.includes(name))) missed.push(`${question} -> ${names.join(', ')}`)
  }
  for (const one of missed) t.diagnostic(one)
  assert.ok(missed.length <= QUESTIONS.length / 10, missed.join('\n'))
})

test('a search costs at most a twentieth of the list', async () => {
  const whole = JSON.stringify(view.callable.map(({ wire }) => wire)).length
  const bounds = { maxBytes: 1_048_576, redact: (text: string) => text }
  for (const [query] of QUESTIONS) {
    const answer = await searchAnswer({ snapshot, caller, name: 'tools_search', args: { query } }, bounds)
    assert.ok(answer.kind === 'result')
    assert.ok(JSON.stringify(answer.result.structuredContent).length + JSON.stringify(view.tools).length < whole / 20, query)
  }
})
