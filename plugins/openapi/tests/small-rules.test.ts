import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpClient, HttpResponse } from '@mcp-patchbay/plugin-api'
import { readDocument } from '../document/read.ts'
import { readAnswer } from '../operations/answer.ts'
import { selectOperations } from '../operations/select.ts'
import type { Operation } from '../operations/operations.ts'
import { readSecurity } from '../operations/security.ts'
import { operationTool } from '../operations/tool.ts'

const operation = (method: string, operationId: string, said: object = {}): Operation => ({
  method,
  path: '/things',
  label: `${method} /things`,
  operationId,
  tags: [],
  pathItem: {},
  said: { responses: {}, ...said },
})

test('the parts of a pattern match one after the other, and share no letter', () => {
  const operations = ['aba', 'abba', 'ab', 'aab'].map((id) => operation('GET', id))
  const selected = (pattern: string) =>
    selectOperations(operations, { allow: [pattern] }).selected.map(({ operationId }) => operationId)
  assert.deepEqual(selected('ab*ba'), ['abba'])
  assert.deepEqual(selected('*ab*ab'), [])
  assert.deepEqual(selected('a*b'), ['ab', 'aab'])
  assert.deepEqual(selected('a*'), ['aba', 'abba', 'ab', 'aab'])
})

test('what only reads has no body, whatever its description says', () => {
  const requestBody = { content: { 'application/json': { schema: { type: 'object' } } } }
  const taking = ['GET', 'HEAD', 'POST', 'DELETE'].filter((method) => {
    const { input } = operationTool(operation(method, 'x', { requestBody }), 'x', {
      document: {},
      security: readSecurity({}, []),
      maxAnswerCharacters: 1,
    })
    return 'body' in (input['properties' as keyof object] as object)
  })
  assert.deepEqual(taking, ['POST', 'DELETE'])
})

test('what an operation asks for goes before what the whole API asks for', () => {
  const securitySchemes = { signed: { type: 'http', scheme: 'signature' }, token: { type: 'http', scheme: 'bearer' } }
  const isOpen = (security: unknown, said: object) =>
    readSecurity({ security, components: { securitySchemes } }, []).isOpen({ ...said })
  assert.equal(isOpen([{ signed: [] }], { security: [{ token: [] }] }), false)
  assert.equal(isOpen([{ signed: [] }], { security: [] }), true)
  assert.throws(() => isOpen([{ signed: [] }], {}), /"signed" is HTTP signature/)
  assert.throws(() => isOpen([], { security: [{ signed: [] }] }), /"signed" is HTTP signature/)
  assert.equal(isOpen(undefined, {}), false, 'a description that says nothing of it')
  assert.equal(isOpen([], {}), true)
})

test('a credential that is optional is sent where there is one, and never in a way that the host does not know', () => {
  const securitySchemes = { token: { type: 'oauth2' }, signed: { type: 'http', scheme: 'signature' } }
  const isOpen = (...security: object[]) => readSecurity({ components: { securitySchemes } }, []).isOpen({ security })
  assert.equal(isOpen({}, { token: [] }), false)
  assert.equal(isOpen({ token: [] }, {}), false)
  assert.equal(isOpen({}, { signed: [] }), true)
  assert.equal(isOpen({}), true)
})

test('where a credential goes is what the description says, of the API key that its operations name', () => {
  const placed = (securitySchemes: object, ...security: object[]) =>
    readSecurity({ components: { securitySchemes } }, [operation('GET', 'a', { security })]).credentials
  const key = (place: string, name: string) => ({ type: 'apiKey', in: place, name })
  const cases: readonly (readonly [object, object])[] = [
    [key('header', 'X-Auth-Token'), { header: 'X-Auth-Token' }],
    [key('header', 'Authorization'), { header: 'Authorization' }],
    [key('query', 'api_key'), { query: 'api_key' }],
    [key('cookie', 'sid'), { cookie: 'sid' }],
  ]
  for (const [scheme, place] of cases) assert.deepEqual(placed({ it: scheme }), { apiKey: place, personalToken: place })
  assert.deepEqual(placed({ a: key('query', 'a'), b: key('header', 'B') }, { b: [] }).apiKey, { header: 'B' })
  const withToken = { it: key('query', 'key'), token: { type: 'http', scheme: 'Bearer' } }
  assert.deepEqual(placed(withToken), { apiKey: { query: 'key' } })
  assert.deepEqual(placed({ it: { type: 'http', scheme: 'basic' } }), {})
  for (const hostile of [
    key('header', 'Host'),
    key('header', 'X-HTTP-Method-Override'),
    key('header', 'a: b'),
    key('query', 'a&b=c'),
    key('query', ''),
    key('body', 'a'),
    { $ref: 'https://evil.example/s' },
    null,
    key('cookie', 'a;b'),
  ])
    assert.deepEqual(placed({ it: hostile }), {}, JSON.stringify(hostile))
})

test('a second API key in another place, and two credentials at once, leave the operation out', () => {
  const securitySchemes = {
    one: { type: 'apiKey', in: 'query', name: 'one' },
    same: { type: 'apiKey', in: 'query', name: 'one' },
    two: { type: 'apiKey', in: 'header', name: 'Two' },
  }
  const operations = [operation('GET', 'a', { security: [{ one: [] }] })]
  const isOpen = (security: object) =>
    readSecurity({ components: { securitySchemes } }, operations).isOpen({ security: [security] })
  assert.equal(isOpen({ same: [] }), false)
  assert.throws(() => isOpen({ two: [] }), /"two" is the header "two", and the API key is "one" in the query/)
  assert.throws(() => isOpen({ one: [], same: [] }), /"one" and "same" at once/)
})

test('an answer is refused from status 400 on', () => {
  const answer = (status: number): Partial<HttpResponse> => ({
    status,
    headers: {},
    body: Buffer.from('said'),
    text: () => 'said',
  })
  const read = (status: number) => readAnswer(answer(status) as HttpResponse, 'GET /', 100)
  assert.equal(read(399), 'said')
  for (const status of [400, 404, 500]) assert.throws(() => read(status), /answered \d+: said/)
})

test('a description is asked of the API alone, not of a host whose name only begins the same', async () => {
  const asked: string[] = []
  const http: Partial<HttpClient> = { text: async (path) => (asked.push(path), '{ "openapi": "3.1.0", "paths": {} }') }
  const from = (document: string) =>
    readDocument({ document, apiUrl: 'https://api.example.com/', maxBytes: 1_000 }, http as HttpClient)
  await from('https://api.example.com/openapi.json')
  await assert.rejects(from('https://api.example.com.evil.org/openapi.json'), /does not begin with apiUrl/)
  assert.deepEqual(asked, ['/openapi.json'])
})
