import assert from 'node:assert/strict'
import { test } from 'node:test'
import { credentialHeaderProblem, headerProblem, mergeHeaders } from '../../../host/src/network/request/headers.ts'

const NO_NAME = 'is not a header name'
const HOSTS = 'is set by the host alone'
const METHOD = 'would turn the request into another method'
const PATH = 'would lead the request to another path'
const NO_PLACE = 'is no place for a credential'

/** [a header, why a plugin may not send it, why no credential may go there] */
const NAMES: readonly (readonly [string, string | undefined, string | undefined])[] = [
  ['accept', undefined, undefined],
  ['X-Api-Key', undefined, undefined],
  ["!#$%&'*+.^_`|~-0aZ", undefined, undefined],
  ['', NO_NAME, NO_NAME],
  ['a b', NO_NAME, NO_NAME],
  ['a:', NO_NAME, NO_NAME],
  ['a\n', NO_NAME, NO_NAME],
  ['\u00e4', NO_NAME, NO_NAME],
  [':authority', NO_NAME, NO_NAME],
  ['Authorization', HOSTS, undefined],
  ['Cookie', HOSTS, undefined],
  ['Cookie2', HOSTS, NO_PLACE],
  ['Accept-Encoding', HOSTS, NO_PLACE],
  ['Connection', HOSTS, NO_PLACE],
  ['Content-Length', HOSTS, NO_PLACE],
  ['Expect', HOSTS, NO_PLACE],
  ['Host', HOSTS, NO_PLACE],
  ['HTTP2-Settings', HOSTS, NO_PLACE],
  ['Keep-Alive', HOSTS, NO_PLACE],
  ['TE', HOSTS, NO_PLACE],
  ['Trailer', HOSTS, NO_PLACE],
  ['Transfer-Encoding', HOSTS, NO_PLACE],
  ['Upgrade', HOSTS, NO_PLACE],
  ['Proxy-Authorization', HOSTS, NO_PLACE],
  ['proxy-connection', HOSTS, NO_PLACE],
  ['x-proxy-a', undefined, undefined],
  ['proxy', undefined, undefined],
  ['X-HTTP-Method', METHOD, NO_PLACE],
  ['X-HTTP-Method-Override', METHOD, NO_PLACE],
  ['X-Method-Override', METHOD, NO_PLACE],
  ['X-Original-URL', PATH, NO_PLACE],
  ['X-Rewrite-URL', PATH, NO_PLACE],
]
for (const [name, plugins, credentials] of NAMES)
  test(`a plugin ${plugins ? 'may not' : 'may'} send ${JSON.stringify(name)}, and a credential ${credentials ? 'may not' : 'may'} go there`, () => {
    assert.equal(headerProblem(name, 'v', new Set()), plugins)
    assert.equal(credentialHeaderProblem(name, undefined), credentials)
    assert.equal(credentialHeaderProblem(name, 'Bearer'), credentials)
  })

test('a plugin may not send a header that holds a credential of its service, in whatever case', () => {
  assert.equal(
    headerProblem('X-Api-KEY', 'v', new Set(['x-api-key'])),
    'is a credential, which the host puts on the request itself',
  )
  assert.equal(headerProblem('X-Api-Key2', 'v', new Set(['x-api-key'])), undefined)
})

const BAD = 'has a value with line breaks, control characters or characters beyond Latin-1'
/** [a value, what is wrong with it] */
const VALUES: readonly (readonly [unknown, string | undefined])[] = [
  ['', undefined],
  ['a\tb ~', undefined],
  ['\u0080\u00ff', undefined],
  ['a\r', BAD],
  ['a\n', BAD],
  ['\na', BAD],
  ['\u0000', BAD],
  ['\u001f', BAD],
  ['\u007f', BAD],
  ['\u0100', BAD],
  ['\u{1f600}', BAD],
  [5, 'has a value that is not a string'],
  [undefined, 'has a value that is not a string'],
  [['a'], 'has a value that is not a string'],
]
for (const [value, expected] of VALUES)
  test(`the value ${JSON.stringify(value)} ${expected ?? 'is one'}`, () => {
    assert.equal(headerProblem('x-a', value, new Set()), expected)
    if (typeof value === 'string')
      assert.equal(credentialHeaderProblem('x-a', value), expected && 'has a scheme with line breaks or control characters')
  })

test('of headers of one name in several cases the last is sent, under a name in lower case', () => {
  assert.deepEqual(mergeHeaders({ 'X-A': '1', b: '2' }, { 'x-a': '3' }, {}, { C: '4', B: '5' }), { 'x-a': '3', b: '5', c: '4' })
  assert.deepEqual(mergeHeaders(), {})
})
