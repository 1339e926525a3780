import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '@mcp-patchbay/plugin-api'
import { allowedRepositories } from '../allowed-repositories.ts'
import plugin from '../index.ts'
import { connect } from './connected.ts'

const config = { allowedRepositories: ['octocat/hello-*', 'acme/web'] }
const secret = { owner: 'acme', repo: 'secret' }

test('refuses every tool that names a repository outside the restriction, before anything is sent', async () => {
  await using github = await connect({ config })
  const others = { issue_number: 1, pull_number: 1, query: 'x', title: 'x', body: 'x', head: 'a', base: 'b', event: 'APPROVE' }
  const touching = plugin.tools.filter((tool) => takes(tool, 'repo'))
  assert.ok(touching.length > 15)
  for (const tool of touching) {
    const { name } = tool
    const needed = Object.entries(others).filter(([key]) => takes(tool, key))
    await assert.rejects(github.call(name, { ...Object.fromEntries(needed), ...secret }), (error: unknown) => {
      assert.ok(error instanceof ServiceError, `${name}: ${String(error)}`)
      assert.equal(error.code, 'PERMISSION_DENIED', name)
      assert.match(error.fix ?? '', /octocat\/hello-\*, acme\/web/)
      return true
    })
  }
  assert.deepEqual(github.upstream.requests, [])
})

test('allows what the globs match, whatever the case', async () => {
  await using github = await connect({ config })
  await github.call('repositories_get', { owner: 'OCTOCAT', repo: 'Hello-World' })
  await github.call('issues_get', { owner: 'acme', repo: 'Web', issue_number: 1 })
  await assert.rejects(github.call('repositories_get', { owner: 'acme', repo: 'web2' }))
  await assert.rejects(github.call('repositories_get', { owner: 'octocat-hello', repo: 'hello-world' }))
})

test('allows nothing where the list is empty', async () => {
  await using github = await connect({ config: { allowedRepositories: [] } })
  await assert.rejects(github.call('repositories_get', { owner: 'octocat', repo: 'Hello-World' }), { code: 'PERMISSION_DENIED' })
  await assert.rejects(github.call('search_code', { query: 'x' }), { code: 'PERMISSION_DENIED' })
  await assert.rejects(github.call('search_issues', { query: 'x', owner: 'octocat' }), { code: 'PERMISSION_DENIED' })
})

test('leaves repositories outside the restriction out of a list', async () => {
  await using github = await connect({ config: { allowedRepositories: ['acme/*'] } })
  const answer = await github.call('repositories_list')
  assert.match(answer, /^No repositories found\./)
  assert.match(answer, /left out/)
  assert.doesNotMatch(answer, /Hello-World/)
})

test('ANDs the restriction with every search', async () => {
  await using github = await connect({ config })
  await github.call('search_code', { query: 'addClass' })
  await github.call('search_issues', { query: 'leak is:open' })
  await github.call('search_repositories', { query: 'tetris', owner: 'acme' })
  await github.call('search_issues', { query: 'leak', owner: 'acme', repo: 'web' })
  assert.deepEqual(
    github.upstream.requests.map(({ query }) => query['q']),
    [
      'addClass user:octocat repo:acme/web',
      'leak is:open (user:octocat OR repo:acme/web)',
      'tetris repo:acme/web',
      'leak repo:acme/web',
    ],
  )
})

test('keeps results outside the restriction out of what a search shows, and their count', async () => {
  await using github = await connect({ config })
  for (const tool of ['search_code', 'search_issues', 'search_repositories']) {
    const answer = await github.call(tool, { query: 'x' })
    assert.match(answer, /^No (files|issues and pull requests|repositories) found\./)
    assert.doesNotMatch(answer, /jquery|pinyin|Tetris|\b(7|280|40)\b/)
  }
})

test('asks for an owner where GitHub cannot search what the globs say', async () => {
  await using github = await connect({ config: { allowedRepositories: ['*/docs'] } })
  await assert.rejects(github.call('search_code', { query: 'x' }), {
    code: 'INVALID_INPUT',
    fix: 'Give owner, or owner and repo',
  })
  await github.call('search_code', { query: 'x', owner: 'acme' })
  assert.equal(github.upstream.requests[0]?.query['q'], 'x repo:acme/docs')
})

test('asks for the owner of a repository that is searched', async () => {
  await using github = await connect()
  await assert.rejects(github.call('search_code', { query: 'x', repo: 'web' }), {
    code: 'INVALID_INPUT',
    message: 'repo needs owner',
  })
})

test('refuses what has moved out of the repository it was asked for in', async () => {
  const moved = { status: 301, headers: { Location: '/repos/acme/secret' } }
  await using free = await connect()
  free.upstream.answer('issues/get', moved)
  await free.call('issues_get', { owner: 'acme', repo: 'web', issue_number: 1 })
  assert.equal(free.upstream.requests.at(-1)?.path, '/repos/acme/secret')

  await using held = await connect({ config })
  held.upstream.answer('issues/get', moved)
  await assert.rejects(held.call('issues_get', { owner: 'acme', repo: 'web', issue_number: 1 }), {
    code: 'PERMISSION_DENIED',
    message: '/repos/acme/web/issues/1 has moved out of the repository it was asked for in',
  })
})

test('writes nothing to what has moved out of the repository it was asked for in', async () => {
  await using github = await connect({ config })
  github.upstream.answer('issues/get', { status: 301, headers: { Location: '/repos/acme/secret' } })
  github.upstream.answer('repos/get', { status: 301, headers: { Location: '/users/acme' } })
  const issue = { owner: 'acme', repo: 'web', issue_number: 1 }
  await assert.rejects(github.call('issues_update', { ...issue, state: 'closed' }), { code: 'PERMISSION_DENIED' })
  await assert.rejects(github.call('issues_comment', { ...issue, body: 'x' }), { code: 'PERMISSION_DENIED' })
  await assert.rejects(github.call('issues_create', { owner: 'acme', repo: 'web', title: 'x' }), { code: 'PERMISSION_DENIED' })
  assert.deepEqual([...new Set(github.upstream.requests.map(({ method }) => method))], ['GET'])
})

test('writes to what is where it was asked for', async () => {
  await using github = await connect({ config })
  await github.call('issues_comment', { owner: 'acme', repo: 'web', issue_number: 1, body: 'x' })
  assert.deepEqual(
    github.upstream.requests.map(({ method, path }) => `${method} ${path}`),
    ['GET /repos/acme/web/issues/1', 'POST /repos/acme/web/issues/1/comments'],
  )
})

function takes({ input }: { readonly input: object }, argument: string): boolean {
  return 'properties' in input && Object.hasOwn(Object(input.properties), argument)
}

for (const [glob, name, expected] of [
  ['a*b*c/*', 'aXbXc/r', true],
  ['a*b*c/*', 'abc/r', true],
  ['a*bc*c/*', 'abc/r', false],
  ['*ab/*', 'xabab/r', true],
  ['a**/x', 'a/x', true],
  ['a/*x*x', 'a/x', false],
  ['a/*x*x', 'a/xx', true],
  ['a.c/*', 'abc/r', false],
  ['K/*', 'k/r', true],
  ['k/*', '\u212a/r', false],
  ['*/*', 'a/b/c', false],
  ['a', 'a/b', false],
] as const)
  test(`${glob} ${expected ? 'allows' : 'does not allow'} ${name}`, () => {
    assert.equal(allowedRepositories([glob]).allows(name), expected)
  })

test('a glob with many stars is as quick as any other', () => {
  const allowed = allowedRepositories([`${'*a'.repeat(200)}*b/*`])
  for (let call = 0; call < 1_000; call++) assert.equal(allowed.allows(`${'a'.repeat(5_000)}/r`), false)
})
