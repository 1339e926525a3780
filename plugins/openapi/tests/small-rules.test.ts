import assert from 'node:assert/strict'
import { test } from 'node:test'
import { selectOperations } from '../operations/select.ts'
import type { Operation } from '../operations/operations.ts'
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
