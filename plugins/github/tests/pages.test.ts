import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from './connected.ts'

const repository = { owner: 'octocat', repo: 'Hello-World' }

test('says on every page but the last how to get the next', async () => {
  await using github = await connect()
  assert.match(await github.call('issues_list', repository), /Page 1 of 5\. There is more: call again with page 2\.$/)
  assert.match(
    await github.call('issues_list', { ...repository, page: 4 }),
    /Page 4 of 5\. There is more: call again with page 5\.$/,
  )
  assert.match(await github.call('issues_list', { ...repository, page: 5 }), /\n\nPage 5, the last\.$/)
})

test('says nothing of pages where there is one', async () => {
  await using github = await connect()
  github.upstream.answer('repos/list-branches', { headers: { Link: '' } })
  assert.match(await github.call('branches_list', repository), /\| yes \|$/)
})

test('counts the pages of a search from its total, as far as GitHub gives them', async () => {
  await using github = await connect()
  assert.match(await github.call('search_issues', { query: 'x', per_page: 100 }), /Page 1 of 3\./)
  assert.match(await github.call('search_issues', { query: 'x', per_page: 100, page: 3 }), /Page 3, the last\.$/)
  github.upstream.answer('search/repos', {
    body: { total_count: 50_000, incomplete_results: true, items: [{ full_name: 'a/b' }] },
  })
  const answer = await github.call('search_repositories', { query: 'x', per_page: 100 })
  assert.match(answer, /^1 of 50000 repositories/)
  assert.match(answer, /GitHub ran out of time[^]*Page 1 of 10\./)
})

test('refuses more than a hundred of a list', async () => {
  await using github = await connect()
  await assert.rejects(github.call('issues_list', { ...repository, per_page: 101 }), { code: 'INVALID_INPUT' })
})

test('fills one answer with patches and says how many are missing', async () => {
  await using github = await connect()
  const patch = '+x\n'.repeat(20_000)
  const files = ['a', 'b', 'c', 'd'].map((filename) => ({ filename, status: 'added', additions: 1, deletions: 0, patch }))
  github.upstream.answer('pulls/list-files', { body: files })
  const answer = await github.call('pulls_diff', { ...repository, pull_number: 1 })
  assert.ok(answer.length < 102_000)
  assert.match(answer, /Cut after 40000 of 60000 characters\./)
  assert.match(answer, /2 patches are missing/)
})
