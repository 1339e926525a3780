import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { checkPlugin } from '../../../host/src/plugin/source/check-contract.ts'
import { isObject, listOf, objectOf, type JsonObject } from '../json.ts'
import { sent, served } from './described.ts'

const file = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json')
const document: JsonObject = JSON.parse(readFileSync(file, 'utf8'))
const api = await served(file)
const operations = Object.entries(objectOf(document['paths'])).flatMap(([path, item]) =>
  Object.entries(objectOf(item))
    .filter(([method]) => ['get', 'put', 'post', 'delete', 'patch'].includes(method))
    .map(([method, said]) => ({ method: method.toUpperCase(), path, said: objectOf(said) })),
)
const toolOf = new Map(api.plugin.tools.map((tool) => [tool.description.split('\n\n').at(-1), tool]))

test('every operation of GitHub is served, or named with the reason', () => {
  assert.ok(operations.length > 1_200)
  const missing = operations
    .filter(({ method, path }) => !toolOf.has(`${method} ${path}`))
    .map(({ method, path }) => `${method} ${path}`)
  assert.deepEqual(
    api.leftOut,
    missing.map((operation) => ({ operation, reason: 'it has servers of its own, and requests go to apiUrl only' })),
  )
  assert.equal(missing.length, 1)
})

test('the host takes each of them', () => {
  const { leftOut } = checkPlugin(api.plugin, 'github_api', 'github_api')
  assert.deepEqual(leftOut, [])
  for (const { name } of api.plugin.tools) assert.match(name, /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/)
})

test('what GET asks reads, and everything else writes', () => {
  const wrong = operations.filter(({ method, path }) => {
    const access = toolOf.get(`${method} ${path}`)?.access
    return access !== undefined && access !== (method === 'GET' ? 'read' : 'write')
  })
  assert.deepEqual(wrong, [])
})

test('each request is the one that the description gives as an example', async () => {
  const faults: string[] = []
  let bodies = 0
  for (const { method, path, said } of operations) {
    const tool = toolOf.get(`${method} ${path}`)
    if (!tool) continue
    const parameters = listOf(said['parameters']).map(follow)
    const wanted = parameters.filter(
      (each) => each['required'] === true || each['in'] === 'path' || exampleOf(each) !== undefined,
    )
    const values = new Map(wanted.map((each) => [String(each['name']), exampleOf(each) ?? sample(objectOf(each['schema']))]))
    const json = objectOf(objectOf(follow(said['requestBody'])['content'])['application/json'])
    const [example] = Object.values(objectOf(json['examples'])).map(follow)
    const body = example?.['value'] ?? (isRequired(said) ? sample(objectOf(json['schema'])) : undefined)
    if (example) bodies++
    try {
      const request = await sent(api, tool.name, {
        ...Object.fromEntries(values),
        ...(body !== undefined && isRequired(said, json) && { body }),
      })
      const expected = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) =>
        encodeURIComponent(String(values.get(name))).replaceAll('%2F', '/'),
      )
      if (`${request.method} ${request.path}` !== `${method} ${expected}`) faults.push(`${method} ${path} sent ${request.path}`)
      if (example && isRequired(said, json) && body !== undefined && !isDeepStrictEqual(JSON.parse(String(request.body)), body))
        faults.push(`${method} ${path} sent ${JSON.stringify(request.body)}`)
    } catch (error) {
      faults.push(`${method} ${path}: ${String(error).slice(0, 200)}`)
    }
  }
  assert.ok(bodies > 200, `${bodies} bodies`)
  assert.deepEqual(
    faults.filter((fault) => !CONTRADICTIONS.some((operation) => fault.startsWith(`${operation}:`))),
    [],
  )
  assert.equal(faults.length, CONTRADICTIONS.length)
})

/** Their examples do not fit their own schemas. */
const CONTRADICTIONS = [
  'POST /orgs/{org}/issue-fields',
  'PUT /user/codespaces/secrets/{secret_name}/repositories',
  'POST /user/keys',
  'POST /user/ssh_signing_keys',
]

function isRequired(said: JsonObject, json: JsonObject = {}): boolean {
  return follow(said['requestBody'])['required'] === true || Object.keys(json).length > 0
}

function follow(value: unknown): JsonObject {
  const reference = isObject(value) ? value['$ref'] : undefined
  if (typeof reference !== 'string') return objectOf(value)
  return follow(
    reference
      .split('/')
      .slice(1)
      .reduce<unknown>((at, key) => objectOf(at)[key], document),
  )
}

function exampleOf(parameter: JsonObject): unknown {
  const [first] = Object.values(objectOf(parameter['examples'])).map(follow)
  return parameter['example'] ?? first?.['value'] ?? objectOf(parameter['schema'])['default']
}

/** A value that the schema allows, for the plain schemas of parameters. */
function sample(schema: JsonObject): unknown {
  const {
    type,
    enum: [first] = [],
    items,
    required,
    properties,
    minimum,
    oneOf,
    anyOf,
    allOf,
    format,
    pattern,
  } = follow(schema) as JsonObject & { enum?: readonly unknown[] }
  if (first !== undefined) return first
  const [way] = [...listOf(oneOf), ...listOf(anyOf), ...listOf(allOf)]
  if (type === undefined && way !== undefined) return sample(objectOf(way))
  if (type === 'integer' || type === 'number') return typeof minimum === 'number' ? minimum : 1
  if (type === 'boolean') return true
  if (type === 'array') return [sample(objectOf(items))]
  if (type === 'object')
    return Object.fromEntries(
      listOf(required).map((name) => [String(name), sample(objectOf(objectOf(properties)[String(name)]))]),
    )
  if (format === 'date') return '2026-01-01'
  if (typeof pattern === 'string') return pattern.includes('sha256') ? `sha256:${'a'.repeat(64)}` : '1.0.0'
  return format === 'date-time' ? '2026-01-01T00:00:00Z' : 'octocat'
}
