import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import github from '../../../plugins/github/index.ts'
import { startOpenapiUpstream, type OpenapiUpstream } from '../../../plugins/github/tests/openapi-upstream.ts'
import postgres from '../../../plugins/postgres/index.ts'
import slack from '../../../plugins/slack/index.ts'
import sqlite from '../../../plugins/sqlite/index.ts'
import { startPatchbay, type PatchbayProcess } from '../../fixtures/projects/patchbay-process.ts'
import { rawClient, type RawAnswer } from '../../fixtures/http/raw-client.ts'
import { RawSession } from '../../fixtures/http/raw-session.ts'

/** Every tool that writes, of every plugin we ship. */
const WRITERS = [github, postgres, slack, sqlite].flatMap(({ name, tools }) =>
  tools.filter(({ access }) => access === 'write').map((tool) => `${name}_${tool.name}`),
)
/** What some of them would do something with. */
const ARGUMENTS: Readonly<Record<string, object>> = {
  github_issues_create: { owner: 'octocat', repo: 'Hello-World', title: 'Found a bug' },
  github_pulls_merge: { owner: 'octocat', repo: 'Hello-World', pull_number: 1347 },
  slack_messages_post: { channel: 'C123', text: 'Hello' },
  postgres_statement_execute: { sql: 'DROP TABLE albums' },
  sqlite_statement_execute: { sql: 'DROP TABLE albums' },
}

describe('patchbay start --read-only', () => {
  const opened = new AsyncDisposableStack()
  let upstream: OpenapiUpstream
  let host: PatchbayProcess
  before(async () => {
    upstream = opened.use(await startOpenapiUpstream())
    const env = {
      GITHUB_PERSONAL_TOKEN: 'x',
      GITHUB_API_URL: upstream.url,
      POSTGRES_CONNECTION_STRING: 'postgres://x@127.0.0.1/x',
      SLACK_PERSONAL_TOKEN: 'x',
      SLACK_API_URL: upstream.url,
    }
    host = opened.use(await startPatchbay(['--read-only'], { env }))
  })
  after(() => opened.disposeAsync())

  test('lists no tool that writes', async () => {
    const tools = await rawClient(host.url).tools()
    assert.ok(
      tools.includes('github_issues_get') && tools.includes('slack_messages_search') && tools.includes('sqlite_query_run'),
    )
    assert.deepEqual(
      tools.filter((name) => WRITERS.includes(name)),
      [],
    )
  })

  for (const name of WRITERS)
    test(`answers ${name} byte for byte like a tool that nobody has, and does not run it`, async () => {
      const unknown = `${name.slice(0, -1)}0`
      const client = rawClient(host.url)
      const session = await RawSession.open(host.url)
      for (const args of [{}, ARGUMENTS[name] ?? { number: 1 }, 'text', undefined]) {
        const hidden = await client.call(name, args)
        const absent = await client.call(unknown, args)
        assert.deepEqual(bytesOf(hidden, name), bytesOf(absent, unknown))
        assert.match(hidden.text, /-32602/)
        const params = (tool: string) => ({ name: tool, arguments: args })
        const older = await session.post('tools/call', params(name), 7)
        const olderAbsent = await session.post('tools/call', params(unknown), 7)
        assert.equal(withoutName(older.text, name), withoutName(olderAbsent.text, unknown))
        assert.equal(older.status, olderAbsent.status)
      }
    })

  test('leaves what they would have changed as it is', async () => {
    const { text } = await rawClient(host.url).call('sqlite_query_run', { sql: 'SELECT count(*) > 0 AS whole FROM albums' })
    assert.match(text, /\| 1 \|/)
    assert.deepEqual(upstream.requests, [])
  })
})

function bytesOf({ status, headers, text }: RawAnswer, name: string): readonly unknown[] {
  return [status, headers.get('content-type'), headers.get('content-length'), withoutName(text, name)]
}

/** The answer names what was asked for, and an event of a stream has a number of its own; nothing else may differ. */
function withoutName(text: string, name: string): string {
  return text.replaceAll(name, 'NAME').replaceAll(/^id: .*$/gm, 'id: ID')
}
