import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReach, resolveTarget } from '../../../host/src/network/connect/target.ts'
import { followRedirect, isRedirect, MAX_REDIRECTS, redirectMethod } from '../../../host/src/network/request/redirects.ts'

const reach = createReach({
  instance: 'desk',
  baseUrl: 'https://desk.example/api',
  extraHosts: ['https://files.example', 'http://plain.example'],
  baseUrlVariable: 'DESK_API_URL',
})

/** [the request, where its answer leads, where the next request goes, or why there is none] */
const REDIRECTS: readonly (readonly [string, string, string | RegExp])[] = [
  ['/items', '/api/other', 'https://desk.example/api/other'],
  ['/items', 'other', 'https://desk.example/api/other'],
  ['/items', '/api/other?x=1#part', 'https://desk.example/api/other?x=1'],
  ['/items', '/admin', /out of its base URL/],
  ['/items', '/apis', /out of its base URL/],
  ['/items', '../admin', /out of its base URL/],
  ['/items', '/api/%2e%2e%2fadmin', /out of its base URL/],
  ['/items', 'https://files.example/x', /to another origin/],
  ['/items', 'https://evil.example/x', /to another origin/],
  ['/items', 'https://desk.example:8443/api/x', /to another origin/],
  ['/items', 'http://desk.example/api/x', /from https down to http/],
  ['/items', 'https://user@desk.example/api/x', /user name or password/],
  ['/items', 'https://:secret@desk.example/api/x', /user name or password/],
  ['/items', 'https://', /not a URL/],
  ['/items', 'file:///etc/passwd', /to another origin/],
  ['https://files.example/a', 'https://files.example/b', 'https://files.example/b'],
  ['https://files.example/a', 'https://desk.example/api/x', /to another origin/],
  ['https://files.example/a', 'http://plain.example/x', /from https down to http/],
  ['http://plain.example/a', 'https://files.example/b', 'https://files.example/b'],
]
for (const [from, location, expected] of REDIRECTS)
  test(`from ${from} to ${location}: ${typeof expected === 'string' ? expected : `refused, ${expected.source}`}`, () => {
    const target = followRedirect(resolveTarget(reach, from), location, reach)
    if (typeof expected === 'string') assert.equal('url' in target && target.url.href, expected)
    else assert.match('refused' in target ? target.refused : target.url.href, expected)
  })

test('a redirect is one of five answers with a place, three of them at most, and some turn into GET', () => {
  assert.deepEqual(
    [300, 301, 302, 303, 304, 305, 307, 308].filter((status) => isRedirect(status, '/x')),
    [301, 302, 303, 307, 308],
  )
  assert.equal(isRedirect(301, undefined), false)
  assert.equal(MAX_REDIRECTS, 3)
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
  const turned = (status: number) => methods.map((method) => redirectMethod(status, method)).join(' ')
  for (const status of [301, 302]) assert.equal(turned(status), 'GET HEAD GET PUT PATCH DELETE')
  assert.equal(turned(303), 'GET HEAD GET GET GET GET')
  for (const status of [307, 308]) assert.equal(turned(status), methods.join(' '))
})
