import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from './connected.ts'

const repository = { owner: 'octocat', repo: 'Hello-World' }
const operation = 'repos/get-content'

test('lists a folder, and the root without a path', async () => {
  await using github = await connect()
  github.upstream.answer(operation, { example: 'response-if-content-is-a-directory' })
  assert.match(
    await github.call('contents_get', { ...repository, path: '/lib/' }),
    /^\d+ entries in \/lib\/[^]*\| file \| octokit\.rb \| 625 \|/,
  )
  assert.match(await github.call('contents_get', repository), /entries in the root/)
  assert.deepEqual(
    github.upstream.requests.map(({ path }) => path),
    ['/repos/octocat/Hello-World/contents/lib', '/repos/octocat/Hello-World/contents/'],
  )
})

test('describes symbolic links and submodules', async () => {
  await using github = await connect()
  github.upstream.answer(operation, { example: 'response-if-content-is-a-symlink' })
  assert.match(
    await github.call('contents_get', { ...repository, path: 'some-symlink' }),
    /^## Symbolic link: bin\/some-symlink[^]*\*\*target\*\*/,
  )
  github.upstream.answer(operation, { example: 'response-if-content-is-a-submodule' })
  assert.match(
    await github.call('contents_get', { ...repository, path: 'qunit' }),
    /^## Submodule: test\/qunit[^]*jquery\/qunit\.git/,
  )
})

test('shows text in a fence that the text cannot close', async () => {
  await using github = await connect()
  github.upstream.answer(operation, { body: file('# A\n\n````\n```js\nx\n```\n````\n') })
  const answer = await github.call('contents_get', { ...repository, path: 'README.md' })
  assert.ok(answer.endsWith('\n`````\n# A\n\n````\n```js\nx\n```\n````\n`````'), answer)
})

test('leaves out what nobody would see', async () => {
  await using github = await connect()
  github.upstream.answer(operation, { body: file('a\u200bb\u202ec\u{e0041}d') })
  assert.match(await github.call('contents_get', { ...repository, path: 'a.txt' }), /```\nabcd\n```/)
})

test('shows the lines asked for and says how many there are', async () => {
  await using github = await connect()
  github.upstream.answer(operation, { body: file('one\ntwo\nthree\nfour\n') })
  const answer = await github.call('contents_get', { ...repository, path: 'a.txt', start_line: 2, end_line: 3 })
  assert.ok(answer.endsWith('```\ntwo\nthree\n```\n\nLines 2 to 3 of 4.'), answer)
  await assert.rejects(github.call('contents_get', { ...repository, path: 'a.txt', start_line: 5 }), {
    code: 'INVALID_INPUT',
    message: 'The file has 4 lines and start_line is 5',
  })
})

test('cuts a long file at a line and says where to go on', async () => {
  await using github = await connect()
  github.upstream.answer(operation, { body: file(`${'x'.repeat(99)}\n`.repeat(1500)) })
  const answer = await github.call('contents_get', { ...repository, path: 'long.txt' })
  assert.ok(answer.length < 101_000)
  assert.match(answer, /Lines 1 to 1000 of 1500\.$/)
})

test('cuts a line that is too long for one answer', async () => {
  await using github = await connect()
  github.upstream.answer(operation, { body: file('x'.repeat(150_000)) })
  assert.match(
    await github.call('contents_get', { ...repository, path: 'bundle.js' }),
    /Cut after 100000 of 150000 characters\.$/,
  )
})

test('describes a binary file and one over a megabyte instead of showing it', async () => {
  await using github = await connect()
  github.upstream.answer(operation, { body: file('\u0000\u0001') })
  assert.match(await github.call('contents_get', { ...repository, path: 'a.bin' }), /^## File: a[^]*The file is binary/)
  github.upstream.answer(operation, { body: { ...file(''), encoding: 'none', content: '', size: 5_000_000 } })
  assert.match(await github.call('contents_get', { ...repository, path: 'big.csv' }), /\*\*bytes\*\*: 5000000[^]*too large/)
})

test('refuses a path that climbs, before anything is sent', async () => {
  await using github = await connect()
  for (const path of ['../../../user', 'a/../../b', './x', 'a/%2e%2e/b', 'a\\..\\b'])
    await assert.rejects(github.call('contents_get', { ...repository, path }), { code: 'INVALID_INPUT' })
  await assert.rejects(github.call('repositories_get', { owner: 'octocat', repo: '..' }), { code: 'INVALID_INPUT' })
  assert.deepEqual(github.upstream.requests, [])
})

test('encodes what has a meaning in a URL', async () => {
  await using github = await connect()
  await github.call('contents_get', { ...repository, path: 'a?b#c/100%/d\\e' })
  assert.equal(github.upstream.requests[0]?.path, '/repos/octocat/Hello-World/contents/a%3Fb%23c/100%25/d%5Ce')
})

function file(text: string) {
  const content = Buffer.from(text).toString('base64')
  return { type: 'file', name: 'a', path: 'a', size: text.length, sha: 'abc', html_url: null, encoding: 'base64', content }
}
