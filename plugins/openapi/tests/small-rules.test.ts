import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpClient, HttpResponse } from '@mcp-patchbay/plugin-api'
import { readDocument } from '../document/read.ts'
import { readAnswer } from '../operations/answer.ts'
import { selectOperations } from '../operations/select.ts'
import type { Operation } from '../operations/operations.ts'
import { requireAuthenticable } from '../operations/security.ts'
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
    const { input } = operationTool(operation(method, 'x', { requestBody }), 'x', { document: {}, maxAnswerCharacters: 1 })
    return 'body' in (input['properties' as keyof object] as object)
  })
  assert.deepEqual(taking, ['POST', 'DELETE'])
})

test('what an operation asks for goes before what the whole API asks for', () => {
  const securitySchemes = { session: { type: 'apiKey', in: 'cookie', name: 's' }, token: { type: 'http', scheme: 'bearer' } }
  const document = (security: object[]) => ({ security, components: { securitySchemes } })
  requireAuthenticable(document([{ session: [] }]), { security: [{ token: [] }] })
  requireAuthenticable(document([{ session: [] }]), { security: [] })
  assert.throws(() => requireAuthenticable(document([{ session: [] }]), {}), /cookie parameter "s"/)
  assert.throws(() => requireAuthenticable(document([]), { security: [{ session: [] }] }), /cookie parameter "s"/)
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
