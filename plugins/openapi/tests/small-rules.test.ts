import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpClient, HttpResponse } from '@mcp-patchbay/plugin-api'
import { fitted } from '../document/fitting.ts'
import { readDocument } from '../document/read.ts'
import { createIsAtApi } from '../document/servers.ts'
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
      isAtApi: () => true,
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
    key('header', 'X-Original-URL'),
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

test('an operation with servers of its own is served where they are those of the API', () => {
  const at = (...urls: string[]) => urls.map((url) => ({ url }))
  const isAtApi = createIsAtApi({ servers: at('https://a.example/v1/') }, 'https://b.example')
  assert.equal(isAtApi(undefined, undefined), true)
  assert.equal(isAtApi(at('https://a.example/v1')), true)
  assert.equal(isAtApi(at('https://b.example/')), true)
  assert.equal(isAtApi(at('https://c.example', 'https://b.example')), true)
  assert.equal(isAtApi(at('https://c.example')), false)
  assert.equal(isAtApi(at('https://a.example/v1'), at('https://c.example')), false)
  const paths = (...servers: (string | undefined)[]) =>
    Object.fromEntries(servers.map((url, index) => [`/${index}`, url === undefined ? {} : { servers: at(url) }]))
  assert.equal(
    createIsAtApi({ paths: paths('https://c.example', 'https://c.example/') }, undefined)(at('https://c.example')),
    true,
  )
  assert.equal(
    createIsAtApi({ paths: paths('https://c.example', 'https://d.example') }, undefined)(at('https://c.example')),
    false,
  )
  const whole = { servers: at('https://a.example'), paths: paths('https://c.example') }
  assert.equal(createIsAtApi(whole, undefined)(at('https://c.example')), false, 'the API is somewhere else')
})

test('an input that is larger than the host takes loses texts first, and then what is far from its root', () => {
  const size = (schema: object) => JSON.stringify(schema).length
  const chain = (count: number, description: string) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `n${index}`,
        {
          type: 'object',
          description,
          properties: { next: { $ref: `#/$defs/n${index + 1}` }, description: { type: 'string', description } },
        },
      ]),
    )
  const root = (count: number, description: string) => ({
    type: 'object',
    properties: { body: { $ref: '#/$defs/n0', description: `What is sent: ${'it '.repeat(60)}.` } },
    required: ['body'],
    $defs: { ...chain(count, description), [`n${count}`]: { type: 'string' } },
  })
  const small = root(3, 'Short.')
  assert.equal(fitted(small), small)
  const wordy = fitted(root(40, `One sentence of some length. ${'word '.repeat(500)}`))
  assert.ok(size(wordy) < 65_536)
  assert.equal(Object.keys(wordy['$defs'] as object).length, 41)
  assert.match(JSON.stringify(wordy), /"description":\{"type":"string","description":"One sentence of some length\."\}/)
  const deep = fitted(root(400, 'Short.'))
  assert.deepEqual(Object.keys(deep['$defs'] as object), ['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7'])
  assert.match(JSON.stringify(deep), /"next":\{"description":"n8: its fields are in the documentation of the API"\}/)
  assert.match(JSON.stringify(deep), /"description":"What is sent: (?:it ){60}\."/)
})
