import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ServiceError } from '@mcp-patchbay/plugin-api'
import { callTool, fakeCache, fakeHttp, type FakeRoute, type Fakes } from '@mcp-patchbay/plugin-api/testing'
import web from '../index.ts'
import { fetchPage, html, open, site, url } from './site.ts'

suite('robots.txt', () => {
  const rules = (text: string): FakeRoute => ({ path: 'https://site.example/robots.txt', text })
  const ask = (robots: FakeRoute, { address = url, config = {} }: { address?: string; config?: Fakes['config'] & {} } = {}) => {
    const http = site({ text: '<p>read', headers: html }, robots)
    return callTool(web, 'pages_fetch', { url: address }, { http, config }).then(
      () => 'read',
      (error: unknown) => (error instanceof ServiceError ? `${error.code} after ${http.requests.length}` : String(error)),
    )
  }

  const cases: readonly (readonly [what: string, robots: FakeRoute, answer: string])[] = [
    ['that closes the page to all', rules('User-agent: *\nDisallow: /page'), 'PERMISSION_DENIED after 1'],
    [
      'that closes it to this agent',
      rules('User-agent: patchbayweb\nDisallow: /\n\nUser-agent: *\nAllow: /'),
      'PERMISSION_DENIED after 1',
    ],
    ['that closes it to others', rules('User-agent: GPTBot\nDisallow: /'), 'read'],
    ['that opens it by a longer rule', rules('User-agent: *\nDisallow: /\nAllow: /page$'), 'read'],
    ['that closes it by a pattern', rules('User-agent: *\nDisallow: /*ge'), 'PERMISSION_DENIED after 1'],
    ['that does not exist', { path: open.path, status: 404 }, 'read'],
    ['that needs a login', { path: open.path, status: 401 }, 'read'],
    ['that is a web page', { path: open.path, text: '<!doctype html><p>Not found', headers: html }, 'read'],
    ['that fails', { path: open.path, status: 503 }, 'UPSTREAM_FAILED after 1'],
    ['of a site that wants less traffic', { path: open.path, status: 429 }, 'UPSTREAM_FAILED after 1'],
    [
      'of a site that cannot be reached',
      {
        path: open.path,
        reply: () => {
          throw new ServiceError('TIMEOUT', 'no answer')
        },
      },
      'TIMEOUT after 1',
    ],
    ['that is too long', rules('#'.repeat(600_000)), 'UPSTREAM_FAILED after 1'],
  ]
  for (const [what, robots, answer] of cases)
    test(`${what} means: ${answer}`, async () => assert.equal(await ask(robots), answer))

  test('is not blamed for an address that the host refuses', async () => {
    const refusal = new ServiceError('PERMISSION_DENIED', 'the host is not at a public address')
    const http = fakeHttp([
      {
        path: 'http://10.0.0.1/**',
        reply: () => {
          throw refusal
        },
      },
    ])
    await assert.rejects(callTool(web, 'pages_fetch', { url: 'http://10.0.0.1/' }, { http }), (error) => error === refusal)
  })

  test('is not asked for where the config says so', async () => {
    assert.equal(await ask(rules('User-agent: *\nDisallow: /'), { config: { respectRobots: false } }), 'read')
  })

  test('is looked up by the name in the user agent', async () => {
    const closed = rules('User-agent: AcmeBot\nDisallow: /page')
    assert.equal(
      await ask(closed, { config: { userAgent: 'AcmeBot/2.1 (+https://acme.example/bot)' } }),
      'PERMISSION_DENIED after 1',
    )
  })

  test('is asked for once per origin and kept, failures are not', async () => {
    let robotsStatus = 500
    const http = fakeHttp([
      { path: 'https://*/robots.txt', reply: () => ({ status: robotsStatus }) },
      { path: 'https://**', text: '<p>x', headers: html },
    ])
    const cache = fakeCache()
    const read = (address: string) => callTool(web, 'pages_fetch', { url: address }, { http, cache })
    await assert.rejects(read('https://a.example/1'), /counts as closed: it answered 500/)
    robotsStatus = 404
    for (const address of ['https://a.example/1', 'https://a.example/2', 'https://b.example/1']) await read(address)
    assert.equal(http.requests.filter(({ path: asked }) => asked.endsWith('/robots.txt')).length, 3)
  })

  test('of the site that a redirect leads to counts too', async () => {
    const http = fakeHttp([
      { path: 'https://site.example/robots.txt', status: 404 },
      { path: 'https://closed.example/robots.txt', text: 'User-agent: *\nDisallow: /' },
      { path: url, reply: () => ({ text: 'secret', headers: html, url: 'https://closed.example/page' }) },
    ])
    await assert.rejects(fetchPage(http), { code: 'PERMISSION_DENIED', message: /closed\.example\/robots\.txt closes \/page/ })
  })
})
