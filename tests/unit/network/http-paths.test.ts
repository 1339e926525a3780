import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '@mcp-patchbay/plugin-api'
import * as fc from 'fast-check'
import { HostError } from '../../../host/src/errors.ts'
import { createReach, resolveTarget, type Reach } from '../../../host/src/network/connect/target.ts'

const wiki = reach('https://acme.example.com/wiki')

const inside: readonly (readonly [path: string, url: string])[] = [
  ['/rest/page', 'https://acme.example.com/wiki/rest/page'],
  ['', 'https://acme.example.com/wiki'],
  ['/', 'https://acme.example.com/wiki/'],
  ['/search?cql=a%2F..%2Fb', 'https://acme.example.com/wiki/search?cql=a%2F..%2Fb'],
  ['/a//b', 'https://acme.example.com/wiki/a//b'],
  ['/a b/ü', 'https://acme.example.com/wiki/a%20b/%C3%BC'],
  ['/projects/group%2Fproject', 'https://acme.example.com/wiki/projects/group%2Fproject'],
  ['/@evil.example.com', 'https://acme.example.com/wiki/@evil.example.com'],
  ['/v1...2/..hidden', 'https://acme.example.com/wiki/v1...2/..hidden'],
  ['https://acme.example.com/wiki/next?page=2', 'https://acme.example.com/wiki/next?page=2'],
  ['HTTPS://ACME.example.com:443/wiki/x#part', 'https://acme.example.com/wiki/x'],
]
for (const [path, url] of inside)
  test(`sends ${JSON.stringify(path)} to the service`, () => {
    const target = resolveTarget(wiki, path)
    assert.equal(target.url.href, url)
    assert.equal(target.zone, 'service')
  })

const refused: readonly (readonly [path: string, why: RegExp])[] = [
  ['//evil.example.com', /names another host/],
  ['http://evil.example.com/', /was not granted/],
  ['https://evil.example.com/wiki/', /was not granted/],
  ['http://acme.example.com/wiki/', /was not granted/],
  ['https://acme.example.com:8443/wiki/', /was not granted/],
  ['https://acme.example.com/admin', /was not granted/],
  ['https://acme.example.com/wikileaks', /was not granted/],
  ['https://acme.example.com/wiki/../admin', /segment/],
  ['https://user:secret@acme.example.com/wiki/', /user name or password/],
  ['https://acme.example.com\\@evil.example.com/', /backslash/],
  ['/\\evil.example.com', /backslash/],
  ['\\\\evil.example.com', /backslash/],
  ['@evil.example.com', /does not begin with/],
  ['.evil.example.com', /does not begin with/],
  [':8443/', /does not begin with/],
  ['file:///etc/passwd', /does not begin with/],
  ['javascript:alert(1)', /does not begin with/],
  ['http:/evil.example.com', /does not begin with/],
  ['/ok/../../x', /segment/],
  ['/..', /segment/],
  ['/./x', /segment/],
  ['/%2e%2e/x', /segment/],
  ['/.%2E/x', /segment/],
  ['/%252e%252e/x', /segment/],
  ['/%25252e./x', /segment/],
  ['/a%2f..%2fx', /segment/],
  ['/a%5c..%5cx', /segment/],
  ['/a%252f%2e%2e', /segment/],
  ['/..;/admin', /segment/],
  ['/..%3bx=1/admin', /segment/],
  ['/%2e%2e%00', /segment/],
  ['/..%00.json', /segment/],
  ['/.%09./x', /segment/],
  ['/%0a../x', /segment/],
  ['/..%2520/x', /segment/],
  ['/a\r\nX-Evil: 1', /control characters/],
  ['/a\u0000', /control characters/],
  ['/\t/evil.example.com', /control characters/],
  ['ht\ntp://evil.example.com', /control characters/],
  ['/issues/#1', /nothing behind it/],
]
for (const [path, why] of refused)
  test(`refuses ${JSON.stringify(path)}`, () => {
    const error = refusalOf(() => resolveTarget(wiki, path))
    assert.match(error.message, /^github: the path "/)
    assert.match(error.message, why)
    assert.ok(error.fix)
  })

test('whatever the path, a request stays below the base URL or is refused', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '%2e',
      '%2F',
      '%5c',
      '@',
      ':',
      '//',
      'http://',
      '?',
      '#',
      ';',
      'wiki',
      '\t',
      '%00',
      '//evil',
    ),
    fc.string({ maxLength: 4 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      let target
      try {
        target = resolveTarget(wiki, pieces.join(''))
      } catch (error) {
        assert.ok(error instanceof ServiceError && error.code === 'INVALID_INPUT')
        return
      }
      const decoded = decodeFully(target.url.pathname)
      assert.equal(target.url.origin, 'https://acme.example.com')
      assert.match(new URL(decoded.replaceAll('?', '%3F'), 'https://acme.example.com').pathname, /^\/wiki(?:\/|$)/)
    }),
    { numRuns: 3_000 },
  )
})

test('takes an absolute URL to a granted origin, without calling it the service', () => {
  const granted = reach('https://api.example.com', ['https://uploads.example.com'])
  assert.equal(resolveTarget(granted, 'https://uploads.example.com/a').zone, 'elsewhere')
  refusalOf(() => resolveTarget(granted, 'https://uploads.example.com:444/a'))
  refusalOf(() => resolveTarget(granted, 'http://uploads.example.com/a'))
})

test('takes any http or https URL where public was granted, and only whole ones without a base URL', () => {
  const open = reach(undefined, ['public'])
  assert.equal(resolveTarget(open, 'http://example.org/page#part').url.href, 'http://example.org/page')
  refusalOf(() => resolveTarget(open, 'ftp://example.org/'))
  refusalOf(() => resolveTarget(open, '/page'))
  refusalOf(() => resolveTarget(open, 'https://user@example.org/'))
})

test('says how to grant a host that was not granted', () => {
  const error = refusalOf(() => resolveTarget(wiki, 'https://cdn.example.com/x'))
  assert.equal(error.fix, "Grant it in the config file: capabilities: { hosts: ['https://cdn.example.com'] }")
})

test('builds the query by encoding, repeating arrays and leaving undefined out', () => {
  const query = { q: 'a b&c=d', state: ['open', 'closed'], none: undefined, page: 2, all: true, 'ü[]': '\ud800' }
  assert.equal(
    resolveTarget(wiki, '/s?x=%20y', query).url.search,
    '?x=%20y&q=a%20b%26c%3Dd&state=open&state=closed&page=2&all=true&%C3%BC%5B%5D=%EF%BF%BD',
  )
})

const unusable: readonly (readonly [baseUrl: string, problem: RegExp])[] = [
  ['api.example.com', /not a URL/],
  ['ftp://api.example.com', /not a URL/],
  ['https:/api.example.com', /not a URL/],
  ['https://ada:secret@api.example.com', /user name or password/],
  ['https://api.example.com/?key=1', /query or a fragment/],
]
for (const [baseUrl, problem] of unusable)
  test(`does not take ${baseUrl} for a base URL`, () => {
    assert.throws(
      () => reach(baseUrl),
      (error) => error instanceof HostError && error.code === 'SERVICE_URL_INVALID' && problem.test(error.message),
    )
  })

test('an unusable base URL is named by its variable and never shown', () => {
  assert.throws(
    () => reach('https://ada:hunter22@api.example.com'),
    (error: Error) => {
      assert.match(error.message, /GITHUB_API_URL/)
      assert.doesNotMatch(error.message, /hunter22/)
      return true
    },
  )
})

function reach(baseUrl: string | undefined, extraHosts: readonly string[] = []): Reach {
  return createReach({ instance: 'github', baseUrl, extraHosts, baseUrlVariable: 'GITHUB_API_URL' })
}

function refusalOf(work: () => unknown): ServiceError {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof ServiceError)
    assert.equal(error.code, 'INVALID_INPUT')
    return error
  }
  return assert.fail('It was not refused')
}

/** As the most careless server would: until nothing changes. */
function decodeFully(path: string): string {
  const decoded = path.replace(/%[0-9a-f]{2}/gi, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16)))
  return decoded === path ? path.replaceAll('\\', '/') : decodeFully(decoded)
}
