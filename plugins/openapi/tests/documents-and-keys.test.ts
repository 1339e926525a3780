// Where a description may come from, and where its credentials may go.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fakeHttp } from '@mcp-patchbay/plugin-api/testing'
import { readDocument } from '../document/read.ts'
import { readSecurity } from '../operations/security.ts'
import { written } from './described.ts'

const description = { openapi: '3.1.0', info: { title: 'Things', version: '1' }, paths: {} }

test('a description is fetched from below apiUrl and nowhere else, and a path is a file whatever it holds', async () => {
  const read = async (document: string, apiUrl: string | undefined) => {
    const http = fakeHttp([{ path: /^/, reply: () => ({ json: description }) }])
    const failed = await readDocument({ document, apiUrl, maxBytes: 1_000 }, http).then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    )
    return failed === undefined ? http.requests.map(({ path }) => path) : failed
  }
  for (const [document, apiUrl, path] of [
    ['https://api.test/v1/openapi.json', 'https://api.test', '/v1/openapi.json'],
    ['https://api.test/v1/openapi.json', 'https://api.test/v1', '/openapi.json'],
    ['https://api.test/v1/openapi.json', 'https://api.test/v1//', '/openapi.json'],
  ] as const)
    assert.deepEqual(await read(document, apiUrl), [path], `${document} below ${apiUrl}`)
  for (const [document, apiUrl] of [
    ['https://api.test/openapi.json', undefined],
    ['https://api.test/openapi.json', ''],
    ['https://api.test/openapi.json', 'https://api.test/v1'],
    ['https://api.test.evil.example/openapi.json', 'https://api.test'],
    ['https://evil.example/?x=https://api.test/', 'https://api.test'],
    ['http://api.test/openapi.json', 'https://api.test'],
    ['HTTPS://api.test/openapi.json', 'https://api.test'],
  ] as const)
    assert.match(String(await read(document, apiUrl)), /which does not begin with apiUrl/, `${document} below ${apiUrl}`)
  const file = join(dirname(written('')), 'https:', 'api.test', 'openapi.json')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(description))
  assert.deepEqual(await read(file, 'https://api.test'), [])
  assert.match(String(await read('./openapi.json', undefined)), /is not an absolute path/)
})

test('a document that cannot be read says why: what it is, how large, or what is missing', async () => {
  const none = fakeHttp([])
  const file = written('x'.repeat(100))
  for (const [document, maxBytes, message] of [
    [file, 99, /has 100 bytes, and maxDocumentBytes is 99/],
    [file, 100, /is not an OpenAPI description/],
    [dirname(file), 100, /it is not a file/],
    [`${file}.none`, 100, /cannot be read: ENOENT/],
    [written('{"openapi":'), 100, /is neither JSON nor YAML/],
    [written('\uFEFF{"openapi":"2.0"}'), 100, /is not an OpenAPI description/],
    [written('swagger: "3.0"'), 100, /is not an OpenAPI description/],
  ] as const)
    await assert.rejects(readDocument({ document, apiUrl: undefined, maxBytes }, none), message, document)
  for (const text of [
    'openapi: 3.0',
    'openapi: 3.1.0',
    'openapi: "3.0.3"',
    'swagger: 2.0',
    'swagger: "2.0"',
    '\uFEFF{"openapi":"3.1.0"}',
  ])
    assert.ok(await readDocument({ document: written(text), apiUrl: undefined, maxBytes: 100 }, none), text)
})

test('an API key goes where the description says, but to no header that decides where a request goes or which one it is', () => {
  const placeOf = (scheme: object) =>
    readSecurity({ components: { securitySchemes: { key: { type: 'apiKey', ...scheme } } } }, []).credentials.apiKey
  for (const name of [
    'X-Key',
    'Private-Token',
    'Authorization',
    'X-Accept',
    'X-Host',
    'Contents',
    'Te-Key',
    'My-Connection',
    'X-Proxy-Key',
    'Cookies',
    'Host-Key',
    'Upgrade-Key',
    'X-Trailer',
  ])
    assert.deepEqual(placeOf({ in: 'header', name }), { header: name }, name)
  for (const name of [
    'Cookie',
    'cookie2',
    'HOST',
    'Connection',
    'Keep-Alive',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'Expect',
    'Content-Length',
    'Content-Type',
    'Accept',
    'Accept-Language',
    'HTTP2-Settings',
    'Proxy-Authorization',
    'X-HTTP-Method',
    'X-HTTP-Method-Override',
    'X-Method-Override',
    'X-Original-URL',
    'X-Rewrite-URL',
    'traceparent',
    'tracestate',
    'baggage',
    'User-Agent',
    'X Key',
    'X:Key',
    'X\r\nKey',
    '',
    'x'.repeat(101),
  ])
    assert.equal(placeOf({ in: 'header', name }), undefined, name)
  for (const [place, name, expected] of [
    ['query', 'key', { query: 'key' }],
    ['query', 'a[b]', { query: 'a[b]' }],
    ['query', 'a&b', undefined],
    ['query', 'a=b', undefined],
    ['cookie', 'sid', { cookie: 'sid' }],
    ['cookie', 'a;b', undefined],
    ['cookie', 'a[b]', undefined],
    ['path', 'key', undefined],
    ['Header', 'X-Key', undefined],
  ] as const)
    assert.deepEqual(placeOf({ in: place, name }), expected, `${place} ${name}`)
})

test('an operation that takes one of several credentials needs one that the host can send, and each of those that it wants at once', () => {
  const securitySchemes = {
    token: { type: 'http', scheme: 'Bearer' },
    basic: { type: 'http', scheme: 'basic' },
    key: { type: 'apiKey', in: 'header', name: 'X-Key' },
    other: { type: 'apiKey', in: 'header', name: 'X-Other' },
    signed: { type: 'http', scheme: 'signature' },
    mutual: { type: 'mutualTLS' },
  }
  const isOpen = (security: unknown) => {
    try {
      return readSecurity({ components: { securitySchemes } }, []).isOpen({ security })
    } catch (error) {
      return (error as Error).message.replace('it wants a credential that the host cannot send: ', '')
    }
  }
  const at = (...names: string[]) => Object.fromEntries(names.map((name) => [name, []]))
  for (const [security, expected] of [
    [[at('token')], false],
    [[at('basic')], false],
    [[at('key')], false],
    [[at('signed'), at('token')], false],
    [[at('token'), at('signed')], false],
    [[at('signed'), at('mutual')], '"signed" is HTTP signature; or "mutual" is of type mutualTLS'],
    [[at('token', 'key')], '"token" and "key" at once'],
    [[at('token', 'signed')], '"signed" is HTTP signature'],
    [[at('unknown')], '"unknown" is not described'],
    [[at('other')], '"other" is the header "x-other", and the API key is the header "x-key"'],
    [[at(), at('token')], false],
    [[at(), at('signed')], true],
    [[at('signed'), at()], true],
    [[at()], true],
    [[], true],
    ['none', false],
    [undefined, false],
  ] as const)
    assert.equal(isOpen(security), expected, JSON.stringify(security))
})
