import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneOperation, served } from './described.ts'

const get = (more: object) => ({ get: { responses: {}, ...more } })
const taking = (schema: unknown) => get({ parameters: [{ in: 'query', name: 'q', schema }] })

test('what refers out of the description is left out with the place, and the others serve', async () => {
  const references = [
    '/etc/passwd',
    'file:///etc/passwd',
    'http://169.254.169.254/latest',
    'other.yaml#/a',
    '#/components/schemas/Gone',
    '#',
  ]
  const paths = Object.fromEntries(references.map((reference, index) => [`/${index}`, taking({ $ref: reference })]))
  const { plugin, leftOut } = await served({
    openapi: '3.1.0',
    info: {},
    paths: { ...paths, '/item': { $ref: 'http://10.0.0.1/x' }, '/good': get({}) },
  })
  assert.deepEqual(
    plugin.tools.map(({ name }) => name),
    ['get_good'],
  )
  assert.equal(leftOut.length, 7)
  for (const [index, reference] of references.entries()) {
    const said = leftOut.find(({ operation }) => operation === `GET /${index}`)
    assert.ok(String(said?.['reason']).includes(JSON.stringify(reference)), `${reference}: ${String(said?.['reason'])}`)
  }
})

test('a schema that refers to itself is a definition that does, also through others', async () => {
  const schemas = {
    A: { $ref: '#/components/schemas/B' },
    B: { anyOf: [{ $ref: '#/components/schemas/A' }, { type: 'string' }] },
  }
  const { plugin, leftOut } = await served({
    openapi: '3.1.0',
    info: {},
    components: { schemas },
    paths: { '/a': taking({ $ref: '#/components/schemas/A' }) },
  })
  assert.deepEqual(leftOut, [])
  assert.deepEqual(plugin.tools[0]?.input['$defs' as keyof object], {
    A: { $ref: '#/$defs/B' },
    B: { anyOf: [{ $ref: '#/$defs/A' }, { type: 'string' }] },
  })
})

test('parameters and bodies that lead in a circle are left out', async () => {
  const components = {
    parameters: { P: { $ref: '#/components/parameters/P' } },
    requestBodies: { R: { $ref: '#/components/requestBodies/R' } },
  }
  const paths = {
    '/p': get({ parameters: [{ $ref: '#/components/parameters/P' }] }),
    '/r': { post: { responses: {}, requestBody: { $ref: '#/components/requestBodies/R' } } },
    '/good': get({}),
  }
  const { plugin, leftOut } = await served({ openapi: '3.1.0', info: {}, components, paths })
  assert.equal(plugin.tools.length, 1)
  assert.deepEqual(
    leftOut.map(({ reason }) => /leads in a circle/.test(String(reason))),
    [true, true],
  )
})

test('schemas without end, by size and by reference, are bounded for each operation', async () => {
  const schemas = Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [
      `S${index}`,
      {
        type: 'object',
        properties: Object.fromEntries(
          Array.from({ length: 100 }, (_, key) => [`p${key}`, { $ref: `#/components/schemas/S${(index + key) % 300}` }]),
        ),
      },
    ]),
  )
  const { leftOut } = await served({
    openapi: '3.1.0',
    info: {},
    components: { schemas },
    paths: { '/big': taking({ $ref: '#/components/schemas/S0' }), '/good': get({}) },
  })
  assert.deepEqual(leftOut, [{ operation: 'GET /big', reason: 'its schemas have more than 20000 parts' }])
})

test('a document that is too large, too deep, a bomb or not a description is refused with the place', async () => {
  let deep: unknown = {}
  for (let level = 0; level < 200; level++) deep = { a: deep }
  await assert.rejects(
    served(oneOperation({ 'x-deep': deep })),
    /deeper than 128 levels, at #\/paths\/~1things\/get\/x-deep\/a\//,
  )
  await assert.rejects(served(oneOperation({}), { maxDocumentBytes: 50 }), /has \d+ bytes, and maxDocumentBytes is 50/)
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 10; level++)
    lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`)
  await assert.rejects(served(`openapi: 3.1.0\n${lines.join('\n')}\npaths: {}\n`), /neither JSON nor YAML: Excessive alias count/)
  await assert.rejects(served('openapi: 3.1.0\npaths: &p\n  /a: *p\n'), /deeper than 128 levels|neither JSON nor YAML/)
  await assert.rejects(
    served('{ "openapi": "3.1.0", "paths": { "__proto__": {} } }'),
    /a key "__proto__", at #\/paths\/__proto__/,
  )
  await assert.rejects(served('{ "openapi": '), /neither JSON nor YAML/)
  await assert.rejects(served('openapi: 3.1.0\npaths: {}\nx: [\n'), /neither JSON nor YAML: Flow sequence/)
  await assert.rejects(served('just: text'), /is not an OpenAPI description/)
  await assert.rejects(served({ openapi: '3.1.0', paths: [] }), /describes no operation/)
})

test('descriptions of nonsense leave out what makes none', async () => {
  const paths = {
    '/a': get({ parameters: 'x', tags: 5, operationId: 7, summary: {}, security: 'no', requestBody: 3, responses: [] }),
    '/b': get({ parameters: [null, 1] }),
    '/c': null,
    '/d/{x}': get({}),
    'no-slash': get({}),
    '//evil.example/x': get({}),
    '/e?x=1': get({}),
    '/f': { trace: { responses: {} }, get: 'x' },
    '/g': get({ parameters: [{ in: 'cookie', name: 's', required: true }] }),
    '/h': get({
      parameters: [
        { in: 'header', name: 'Host', required: true, schema: {} },
        { in: 'header', name: 'X-API-Key', schema: {} },
      ],
    }),
    '/i': get({ parameters: [{ in: 'header', name: 'X-Original-URL', required: true, schema: {} }] }),
  }
  const { plugin, leftOut } = await served({ openapi: '3.1.0', info: {}, paths })
  assert.deepEqual(
    plugin.tools.map(({ name }) => name),
    ['get_a'],
  )
  assert.deepEqual(
    leftOut.map(({ operation, reason }) => `${String(operation)}: ${String(reason)}`),
    [
      'GET /b: one of its parameters has no name',
      'GET /d/{x}: its path has {x}, which is not one of its parameters',
      'GET no-slash: its path is not a plain path that begins with /',
      'GET //evil.example/x: its path is not a plain path that begins with /',
      'GET /e?x=1: its path is not a plain path that begins with /',
      'TRACE /f: the host does not send TRACE',
      'GET /g: its required parameter "s" is a cookie, which the host does not send',
      'GET /h: its required parameter "Host" is a header that only the host sets',
      'GET /i: its required parameter "X-Original-URL" is a header that only the host sets',
    ],
  )
})
