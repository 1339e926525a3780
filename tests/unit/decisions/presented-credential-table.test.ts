import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { KEY_ID, keyId } from '../../../host/src/auth/inbound/keys/api-key.ts'
import { takeCredential, type Presented } from '../../../host/src/auth/inbound/presented-credential.ts'
import { bearerChallenge, createRefusals } from '../../../host/src/auth/inbound/refusals.ts'

const NONE: Presented = { kind: 'none' }
const SEVERAL: Presented = { kind: 'several' }
const UNUSABLE: Presented = { kind: 'unusable' }
const bearer = (token: string): Presented => ({ kind: 'token', token, isApiKeyHeader: false })
const apiKey = (token: string): Presented => ({ kind: 'token', token, isApiKeyHeader: true })

/** [Authorization, X-API-Key, the address, what the request proves itself with] */
const PRESENTED: readonly (readonly [string | undefined, string | undefined, string | undefined, Presented])[] = [
  [undefined, undefined, '/mcp', NONE],
  [undefined, undefined, undefined, NONE],
  [undefined, undefined, '/mcp?x=access_token', NONE],
  [undefined, undefined, '/mcp?my_access_token=t', NONE],
  [undefined, undefined, '/access_token=t', NONE],
  [undefined, undefined, '/mcp?access_token=t', UNUSABLE],
  [undefined, undefined, '/mcp?a=1&access_token=', UNUSABLE],
  [undefined, undefined, '/mcp?a=?&access_token=t', UNUSABLE],
  [undefined, undefined, '/mcp?access_token=t?', UNUSABLE],
  [undefined, undefined, '/mcp?access%5Ftoken=t', UNUSABLE],
  ['Bearer t', undefined, '/mcp', bearer('t')],
  ['bearer t', undefined, '/mcp', bearer('t')],
  ['BEARER aZ09-._~+/==', undefined, '/mcp', bearer('aZ09-._~+/==')],
  ['Bearer aa.bb.cc', undefined, '/mcp?a=1', bearer('aa.bb.cc')],
  ['', undefined, '/mcp', UNUSABLE],
  ['Bearer', undefined, '/mcp', UNUSABLE],
  ['Bearer ', undefined, '/mcp', UNUSABLE],
  ['Bearer  t', undefined, '/mcp', UNUSABLE],
  ['Bearer =', undefined, '/mcp', UNUSABLE],
  ['Bearer t=t', undefined, '/mcp', UNUSABLE],
  ['Bearer t u', undefined, '/mcp', UNUSABLE],
  ['Bearer t, Bearer u', undefined, '/mcp', UNUSABLE],
  ['Basic Bearer t', undefined, '/mcp', UNUSABLE],
  ['Basic dDp0', undefined, '/mcp', UNUSABLE],
  ['t', undefined, '/mcp', UNUSABLE],
  [undefined, 't', '/mcp', apiKey('t')],
  [undefined, 'aZ09-._~+/=', '/mcp', apiKey('aZ09-._~+/=')],
  [undefined, '', '/mcp', UNUSABLE],
  [undefined, '=', '/mcp', UNUSABLE],
  [undefined, ' t', '/mcp', UNUSABLE],
  [undefined, 't, u', '/mcp', UNUSABLE],
  [undefined, 'Bearer t', '/mcp', UNUSABLE],
  ['Bearer t', 't', '/mcp', SEVERAL],
  ['', '', '/mcp', SEVERAL],
  ['Bearer t', undefined, '/mcp?access_token=t', SEVERAL],
  [undefined, 't', '/mcp?access_token=t', SEVERAL],
]

const OTHERS = ['Host', 'h', 'X-Length-9', 'kept', 'X-Of-Length13', 'kept']

for (const [authorization, key, url, expected] of PRESENTED)
  test(`Authorization ${JSON.stringify(authorization)}, X-API-Key ${JSON.stringify(key)} at ${url}: ${JSON.stringify(expected)}`, () => {
    const req = new IncomingMessage(new Socket())
    if (url !== undefined) req.url = url
    else delete req.url
    req.rawHeaders = [...OTHERS]
    for (const [name, value] of [
      ['AUTHORIZATION', authorization],
      ['X-Api-Key', key],
    ] as const)
      if (value !== undefined) {
        req.headers[name.toLowerCase()] = value
        req.rawHeaders.push(name, value)
      }
    assert.deepEqual(takeCredential(req), expected)
    // What was taken can be read nowhere, and nothing else is gone.
    assert.deepEqual(req.rawHeaders, [
      ...OTHERS,
      ...(authorization === undefined ? [] : ['AUTHORIZATION', '']),
      ...(key === undefined ? [] : ['X-Api-Key', '']),
    ])
    assert.deepEqual(
      { ...req.headers },
      { ...(authorization !== undefined && { authorization: '' }), ...(key !== undefined && { 'x-api-key': '' }) },
    )
  })

const SECRET = 'aZ09-_'.repeat(7) + 'x'
/** [a text, the id of the key that it is] */
const KEYS: readonly (readonly [string, string | undefined])[] = [
  [`pbk_ada_${SECRET}`, 'ada'],
  [`pbk_0-a_${SECRET}`, '0-a'],
  [`pbk_${'a'.repeat(40)}_${SECRET}`, 'a'.repeat(40)],
  [`pbk_${'a'.repeat(41)}_${SECRET}`, undefined],
  [`pbk__${SECRET}`, undefined],
  [`pbk_-a_${SECRET}`, undefined],
  [`pbk_Ada_${SECRET}`, undefined],
  [`pbk_a.a_${SECRET}`, undefined],
  [`PBK_ada_${SECRET}`, undefined],
  [`xpbk_ada_${SECRET}`, undefined],
  [`pbk_ada_${SECRET}x`, undefined],
  [`pbk_ada_${SECRET.slice(1)}`, undefined],
  [`pbk_ada_${SECRET.slice(1)}.`, undefined],
  [`pbk_ada${SECRET}`, undefined],
  [` pbk_ada_${SECRET}`, undefined],
  ['', undefined],
]
for (const [text, id] of KEYS) test(`the id of the key ${JSON.stringify(text)} is ${id}`, () => assert.equal(keyId(text), id))

for (const [id, expected] of [
  ['a', true],
  ['0a-', true],
  ['a'.repeat(40), true],
  ['a'.repeat(41), false],
  ['-a', false],
  ['A', false],
  ['a b', false],
  [' a', false],
  ['a\n', false],
  ['', false],
] as const)
  test(`${JSON.stringify(id)} ${expected ? 'may' : 'may not'} name a key`, () => assert.equal(KEY_ID.test(id), expected))

const body = (message: string) => `{"jsonrpc":"2.0","error":{"code":-32600,"message":"${message}"},"id":null}`
const JSON_TYPE = { 'content-type': 'application/json' }

test('a refusal says the same whatever is wrong with a credential, and how a client goes on', () => {
  const refusals = createRefusals({ resource_metadata: 'https://h/m', scope: 'a b' })
  const challenged = (error: string) => ({
    ...JSON_TYPE,
    'www-authenticate': `Bearer ${error}resource_metadata="https://h/m", scope="a b"`,
  })
  const missing = body('Send a valid credential')
  assert.deepEqual(refusals.missing, { status: 401, headers: challenged(''), body: missing })
  assert.deepEqual(refusals.unauthorized, { status: 401, headers: challenged('error="invalid_token", '), body: missing })
  assert.deepEqual(refusals.several, {
    status: 400,
    headers: challenged('error="invalid_request", '),
    body: body('Send exactly one credential'),
  })
  assert.deepEqual(refusals.throttled(7), {
    status: 429,
    headers: { ...JSON_TYPE, 'retry-after': '7' },
    body: body('Too many credentials were refused; try again in 7 s'),
  })
  assert.deepEqual(refusals.unavailable(5), {
    status: 503,
    headers: { ...JSON_TYPE, 'retry-after': '5' },
    body: body('Credentials cannot be checked now; try again'),
  })
})

test('a challenge quotes its values, and is a word alone where it has none', () => {
  assert.equal(bearerChallenge({}), 'Bearer')
  assert.equal(bearerChallenge({ scope: 'a"b\\c"', error: 'x' }), 'Bearer scope="a\\"b\\\\c\\"", error="x"')
})
