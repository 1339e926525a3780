import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startOpenapiUpstream } from './openapi-upstream.ts'

test('answers an operation with the example GitHub publishes for it', async () => {
  await using upstream = await startOpenapiUpstream()
  const response = await fetch(`${upstream.url}/repos/octocat/Hello-World/issues/1347`)
  assert.equal(response.status, 200)
  assert.equal((await json(response))['title'], 'Found a bug')
})

test('answers the most literal of the paths that fit', async () => {
  await using upstream = await startOpenapiUpstream()
  await fetch(`${upstream.url}/repos/o/r/issues/comments`)
  await fetch(`${upstream.url}/repos/o/r/branches/a/b/protection`)
  await fetch(`${upstream.url}/repos/o/r/contents/a/b.md`)
  assert.deepEqual(
    upstream.requests.map(({ operationId }) => operationId),
    ['issues/list-comments-for-repo', 'repos/get-branch-protection', 'repos/get-content'],
  )
})

test('refuses what the description does not allow, and says why', async () => {
  await using upstream = await startOpenapiUpstream()
  const reasons = async (path: string, init?: RequestInit) => {
    const response = await fetch(upstream.url + path, init)
    assert.equal(response.status, 422)
    return JSON.stringify((await json(response))['errors'])
  }
  assert.match(await reasons('/repos/o/r/issues/abc'), /issue_number must be integer/)
  assert.match(await reasons('/repos/o/r/issues?state=shut'), /state must be equal to one of the allowed values/)
  assert.match(await reasons('/repos/o/r/issues?colour=red'), /colour is not a parameter/)
  assert.match(await reasons('/search/issues'), /q is missing/)
  assert.match(
    await reasons('/repos/o/r/issues', { method: 'POST', body: '{"titel":"x"}' }),
    /'title'[^]*body\/titel is not a property/,
  )
  assert.match(await reasons('/repos/o/r/issues', { method: 'POST' }), /the body is missing/)
})

test('answers 404 where there is no operation', async () => {
  await using upstream = await startOpenapiUpstream({ basePath: '/api/v3' })
  assert.equal((await fetch(`${upstream.url}/no/such/path`)).status, 404)
  assert.equal((await fetch(upstream.url.replace('/api/v3', '/user'))).status, 404)
  assert.equal((await fetch(`${upstream.url}/user`)).status, 200)
})

test('is a program that prints where it listens', async () => {
  const program = fileURLToPath(new URL('openapi-upstream.ts', import.meta.url))
  const child = spawn(process.execPath, [program, '--description', 'ghes-3.19', '--base-path', '/api/v3'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [url] = await once(createInterface(child.stdout), 'line')
    assert.match(String(url), /^http:\/\/127\.0\.0\.1:\d+\/api\/v3$/)
    assert.equal((await fetch(`${url}/users/octocat`)).status, 200)
  } finally {
    child.kill()
    await once(child, 'exit')
  }
})

async function json(response: Response): Promise<Record<string, unknown>> {
  return JSON.parse(await response.text())
}
