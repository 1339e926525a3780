import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from './connected.ts'

const repository = { owner: 'octocat', repo: 'Hello-World' }

const reads: readonly { tool: string; input: Record<string, unknown>; sends: string }[] = [
  { tool: 'issues_get', input: { ...repository, issue_number: 42 }, sends: '/repos/octocat/Hello-World/issues/42' },
  {
    tool: 'issues_list',
    input: { ...repository, state: 'all', labels: ['bug', 'help wanted'], sort: 'updated', per_page: 100, page: 2 },
    sends: '/repos/octocat/Hello-World/issues?labels=bug%2Chelp+wanted&page=2&per_page=100&sort=updated&state=all',
  },
  {
    tool: 'issues_comments_list',
    input: { ...repository, issue_number: 42, since: '2011-04-14T16:00:49Z' },
    sends: '/repos/octocat/Hello-World/issues/42/comments?since=2011-04-14T16%3A00%3A49Z',
  },
  { tool: 'pulls_get', input: { ...repository, pull_number: 1347 }, sends: '/repos/octocat/Hello-World/pulls/1347' },
  {
    tool: 'pulls_list',
    input: { ...repository, head: 'octocat:new-topic', base: 'master' },
    sends: '/repos/octocat/Hello-World/pulls?base=master&head=octocat%3Anew-topic',
  },
  { tool: 'pulls_diff', input: { ...repository, pull_number: 1347 }, sends: '/repos/octocat/Hello-World/pulls/1347/files' },
  {
    tool: 'pulls_reviews_list',
    input: { ...repository, pull_number: 1347 },
    sends: '/repos/octocat/Hello-World/pulls/1347/reviews',
  },
  { tool: 'repositories_get', input: repository, sends: '/repos/octocat/Hello-World' },
  { tool: 'repositories_list', input: {}, sends: '/user/repos' },
  { tool: 'repositories_list', input: { org: 'github', sort: 'pushed' }, sends: '/orgs/github/repos?sort=pushed' },
  { tool: 'repositories_list', input: { user: 'dependabot[bot]' }, sends: '/users/dependabot%5Bbot%5D/repos' },
  {
    tool: 'branches_list',
    input: { ...repository, protected: true },
    sends: '/repos/octocat/Hello-World/branches?protected=true',
  },
  {
    tool: 'commits_list',
    input: { ...repository, sha: 'release/1.x', path: 'docs/a b.md' },
    sends: '/repos/octocat/Hello-World/commits?path=docs%2Fa+b.md&sha=release%2F1.x',
  },
  {
    tool: 'contents_get',
    input: { ...repository, path: 'docs/über uns.md', ref: 'main' },
    sends: '/repos/octocat/Hello-World/contents/docs/%C3%BCber%20uns.md?ref=main',
  },
  {
    tool: 'search_code',
    input: { query: 'addClass language:js', owner: 'jquery', repo: 'jquery' },
    sends: '/search/code?page=1&per_page=30&q=addClass+language%3Ajs+repo%3Ajquery%2Fjquery',
  },
  {
    tool: 'search_issues',
    input: { query: 'pinyin is:open', type: 'issue', owner: 'batterseapower', sort: 'created', order: 'asc' },
    sends:
      '/search/issues?advanced_search=true&order=asc&page=1&per_page=30&q=pinyin+is%3Aopen+user%3Abatterseapower+is%3Aissue&sort=created',
  },
  {
    tool: 'search_repositories',
    input: { query: 'tetris language:assembly', sort: 'stars', per_page: 1, page: 3 },
    sends: '/search/repositories?page=3&per_page=1&q=tetris+language%3Aassembly&sort=stars',
  },
  { tool: 'users_get', input: { username: 'octocat' }, sends: '/users/octocat' },
  { tool: 'users_me', input: {}, sends: '/user' },
]

const writes: readonly { tool: string; input: Record<string, unknown>; sends: string; body: unknown }[] = [
  {
    tool: 'issues_create',
    input: { ...repository, title: 'Found a bug', body: 'It broke.', labels: ['bug'], assignees: ['octocat'], milestone: 1 },
    sends: 'POST /repos/octocat/Hello-World/issues',
    body: { title: 'Found a bug', body: 'It broke.', labels: ['bug'], assignees: ['octocat'], milestone: 1 },
  },
  {
    tool: 'issues_update',
    input: { ...repository, issue_number: 42, state: 'closed', state_reason: 'not_planned' },
    sends: 'PATCH /repos/octocat/Hello-World/issues/42',
    body: { state: 'closed', state_reason: 'not_planned' },
  },
  {
    tool: 'issues_comment',
    input: { ...repository, issue_number: 42, body: 'Me too' },
    sends: 'POST /repos/octocat/Hello-World/issues/42/comments',
    body: { body: 'Me too' },
  },
  {
    tool: 'pulls_create',
    input: { ...repository, title: 'Amazing new feature', head: 'octocat:new-feature', base: 'master', draft: true },
    sends: 'POST /repos/octocat/Hello-World/pulls',
    body: { title: 'Amazing new feature', head: 'octocat:new-feature', base: 'master', draft: true },
  },
  {
    tool: 'pulls_merge',
    input: { ...repository, pull_number: 1347, sha: '6dcb09b5b57875f334f61aebed695e2e4193db5e', merge_method: 'squash' },
    sends: 'PUT /repos/octocat/Hello-World/pulls/1347/merge',
    body: { sha: '6dcb09b5b57875f334f61aebed695e2e4193db5e', merge_method: 'squash' },
  },
  {
    tool: 'pulls_reviews_create',
    input: {
      ...repository,
      pull_number: 1347,
      event: 'REQUEST_CHANGES',
      body: 'Nearly.',
      comments: [{ path: 'file.md', line: 6, body: 'Fix this typo.' }],
    },
    sends: 'POST /repos/octocat/Hello-World/pulls/1347/reviews',
    body: { event: 'REQUEST_CHANGES', body: 'Nearly.', comments: [{ path: 'file.md', line: 6, body: 'Fix this typo.' }] },
  },
]

test('every read tool sends what GitHub describes and shows the example GitHub publishes', async (t) => {
  await using github = await connect()
  for (const { tool, input, sends } of reads)
    await t.test(`${tool} ${sends}`, async (each) => {
      const answer = await github.call(tool, input)
      assert.equal(sent(github.upstream.requests.at(-1)), sends)
      each.assert.snapshot(answer, { serializers: [String] })
    })
})

test('every write tool sends a body that GitHub describes and shows the example GitHub publishes', async (t) => {
  await using github = await connect()
  for (const { tool, input, sends, body } of writes)
    await t.test(`${tool} ${sends}`, async (each) => {
      const answer = await github.call(tool, input)
      const request = github.upstream.requests.at(-1)
      assert.equal(`${request?.method} ${request?.path}`, sends)
      assert.deepEqual(request?.body, body)
      each.assert.snapshot(answer, { serializers: [String] })
    })
})

test('sends the media type, the API version and the token with every request', async () => {
  await using github = await connect()
  await github.call('users_me')
  const { headers = {} } = github.upstream.requests[0] ?? {}
  assert.equal(headers['accept'], 'application/vnd.github+json')
  assert.equal(headers['x-github-api-version'], '2022-11-28')
  assert.equal(headers['authorization'], 'Bearer test-token')
})

test('works against an Enterprise Server below /api/v3', async () => {
  await using github = await connect({ description: 'ghes-3.19', basePath: '/api/v3' })
  assert.match(await github.call('issues_get', { ...repository, issue_number: 42 }), /^## Issue: #1347 Found a bug/)
  assert.match(await github.call('search_issues', { query: 'bug' }), /1 of 280 issues/)
  assert.deepEqual(
    github.upstream.requests.map(({ path }) => path),
    ['/api/v3/repos/octocat/Hello-World/issues/42', '/api/v3/search/issues'],
  )
})

/** Path and query, the query sorted. */
function sent(request: { path: string; query: Readonly<Record<string, string>> } | undefined): string {
  const query = new URLSearchParams(Object.entries(request?.query ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return query.size === 0 ? `${request?.path}` : `${request?.path}?${query.toString()}`
}
