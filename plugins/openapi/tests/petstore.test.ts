import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { callTool, checkPlugin, fakeHttp } from '@mcp-patchbay/plugin-api/testing'
import plugin from '../index.ts'
import { oneOperation, sent, served, written } from './described.ts'

checkPlugin(plugin, { anonymous: true })

const SWAGGER = `
swagger: "2.0"
info: { title: Pets, version: "1" }
host: pets.example
basePath: /v1
schemes: [https]
securityDefinitions: { token: { type: oauth2, flow: implicit, authorizationUrl: 'https://pets.example/a', scopes: {} } }
security: [{ token: [] }]
definitions:
  Pet:
    type: object
    required: [name, id]
    properties:
      id: { type: integer, readOnly: true }
      name: { type: string }
      status: { type: string, enum: [free, sold], default: free }
      parents: { type: array, items: { $ref: '#/definitions/Pet' } }
paths:
  /pets:
    get:
      operationId: listPets
      tags: [Pet Shop]
      summary: List pets
      parameters: [{ name: tags, in: query, type: array, items: { type: string }, collectionFormat: csv }]
      responses: { 200: { description: ok } }
    post:
      operationId: createPet
      parameters: [{ name: pet, in: body, required: true, schema: { $ref: '#/definitions/Pet' } }]
      responses: { 201: { description: ok } }
  /pets/{petId}:
    parameters: [{ name: petId, in: path, required: true, type: string }]
    get: { operationId: getPet, responses: { 200: { description: ok } } }
    delete: { responses: { 204: { description: gone } } }
`

function openApi(version: string): string {
  return `
openapi: ${version}
info: { title: Pets, version: "1" }
servers: [{ url: 'https://{place}.example/v1', variables: { place: { default: pets } } }]
components:
  securitySchemes: { token: { type: http, scheme: bearer } }
  schemas:
    Pet:
      type: object
      required: [name, id]
      properties:
        id: { type: integer, readOnly: true }
        name: { type: string }
        status: { type: string, enum: [free, sold], default: free }
        parents: { type: array, items: { $ref: '#/components/schemas/Pet' } }
security: [{ token: [] }]
paths:
  /pets:
    get:
      operationId: listPets
      tags: [Pet Shop]
      summary: List pets
      parameters: [{ name: tags, in: query, explode: false, schema: { type: array, items: { type: string } } }]
      responses: { 200: { description: ok } }
    post:
      operationId: createPet
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }
      responses: { 201: { description: ok } }
  /pets/{petId}:
    parameters: [{ name: petId, in: path, required: true, schema: { type: string } }]
    get: { operationId: getPet, responses: { 200: { description: ok } } }
    delete: { responses: { 204: { description: gone } } }
`
}

for (const [version, document] of [
  ['2.0', SWAGGER],
  ['3.0.3', openApi('3.0.3')],
  ['3.0, a number', openApi('3.0')],
  ['3.1.0', openApi('3.1.0')],
] as const)
  test(`${version}: operations are tools, with recursion, without what only answers have`, async () => {
    const api = await served(document)
    assert.deepEqual(api.leftOut, [])
    assert.deepEqual(
      api.plugin.tools.map(({ name, access }) => `${access} ${name}`),
      ['read list_pets', 'write create_pet', 'read get_pet', 'write delete_pets_pet_id'],
    )
    const [list, create] = api.plugin.tools
    assert.deepEqual([list?.title, list?.tags], ['List pets', ['pet_shop']])
    assert.deepEqual(create?.input, {
      type: 'object',
      properties: { body: { $ref: '#/$defs/Pet' } },
      required: ['body'],
      $defs: {
        Pet: {
          type: 'object',
          required: ['name'],
          properties: {
            name: { type: 'string' },
            status: { type: 'string', enum: ['free', 'sold'], description: 'Default: "free"' },
            parents: { type: 'array', items: { $ref: '#/$defs/Pet' } },
          },
        },
      },
    })
    assert.equal((await sent(api, 'list_pets', { tags: ['a', 'b'] })).query['tags'], 'a,b')
    const body = { name: 'x', parents: [{ name: 'y' }] }
    const post = await sent(api, 'create_pet', { body })
    assert.deepEqual([post.headers['content-type'], post.body], ['application/json', JSON.stringify(body)], 'no default is sent')
    assert.equal((await sent(api, 'get_pet', { petId: 'a/b c' })).path, '/pets/a%2Fb%20c')
    await assert.rejects(sent(api, 'delete_pets_pet_id', { petId: '..' }), { code: 'INVALID_INPUT' })
  })

suite('parameters', () => {
  const cases: readonly (readonly [object, unknown, string])[] = [
    [{ in: 'path', name: 'id' }, [3, 4], '/things/3,4'],
    [{ in: 'path', name: 'id', explode: true }, { a: 1, b: 2 }, '/things/a=1,b=2'],
    [{ in: 'path', name: 'id', style: 'label', explode: true }, [3, 4], '/things/.3.4'],
    [{ in: 'path', name: 'id', style: 'matrix' }, [3, 4], '/things/;id=3,4'],
    [{ in: 'path', name: 'id', style: 'matrix', explode: true }, [3, 4], '/things/;id=3;id=4'],
    [{ in: 'query', name: 'q' }, 'a&b=c', '/things?q=a%26b%3Dc'],
    [{ in: 'query', name: 'q' }, [3, 4], '/things?q=3&q=4'],
    [{ in: 'query', name: 'q' }, { a: 1, b: 'x y' }, '/things?a=1&b=x%20y'],
    [{ in: 'query', name: 'q', explode: false }, { a: 1, b: 2 }, '/things?q=a,1,b,2'],
    [{ in: 'query', name: 'q', style: 'spaceDelimited', explode: false }, [3, 4], '/things?q=3%204'],
    [{ in: 'query', name: 'q', style: 'pipeDelimited', explode: false }, [3, 4], '/things?q=3|4'],
    [
      { in: 'query', name: 'q', style: 'deepObject', explode: true },
      { a: 1, b: { c: 2 } },
      '/things?q%5Ba%5D=1&q%5Bb%5D%5Bc%5D=2',
    ],
    [{ in: 'query', name: 'q', allowReserved: true }, '/a:b&c', '/things?q=/a:b%26c'],
    [{ in: 'query', name: 'q', schema: undefined, content: { 'application/json': {} } }, { a: 1 }, '/things?q=%7B%22a%22%3A1%7D'],
  ]
  for (const [parameter, value, expected] of cases)
    test(`${JSON.stringify(parameter)} of ${JSON.stringify(value)} is ${expected}`, async () => {
      const path = 'in' in parameter && parameter.in === 'path' ? '/things/{id}' : '/things'
      const api = await served(oneOperation({ parameters: [{ schema: {}, ...parameter }] }, { path }))
      let asked = ''
      const http = fakeHttp()
      const through = { ...http, request: (to: string) => ((asked = to), fakeHttp([{ path: /^/, json: {} }]).request(to)) }
      await callTool(api.plugin, 'things', { [path === '/things' ? 'q' : 'id']: value }, { http: through, config: api.config })
      assert.equal(asked, expected)
    })

  test('two of one name, and names that models may not write, are arguments of their own', async () => {
    const parameters = [
      { in: 'query', name: 'filter[name]', schema: { type: 'string' } },
      { in: 'query', name: 'id', schema: { type: 'string' } },
      { in: 'header', name: 'id', schema: { type: 'string' } },
      { in: 'query', name: 'body', schema: { type: 'string' } },
    ]
    const api = await served(oneOperation({ parameters }))
    const { query, headers } = await sent(api, 'things', { filter_name: 'a', id: 'b', id_header: 'c', body_query: 'd' })
    assert.deepEqual(query, { 'filter[name]': 'a', id: 'b', body: 'd' })
    assert.equal(headers['id'], 'c')
    await assert.rejects(sent(api, 'things', { id_header: 'c\r\nX: y' }), { code: 'INVALID_INPUT' })
  })
})

suite('bodies', () => {
  const post = (content: object) => served(oneOperation({ requestBody: { content } }, { method: 'post' }))

  test('a form is pairs', async () => {
    const schema = { type: 'object', properties: { a: {}, b: {}, c: {} } }
    const encoding = { c: { style: 'deepObject', explode: true } }
    const api = await post({ 'application/x-www-form-urlencoded': { schema, encoding } })
    const { body, headers } = await sent(api, 'things', { body: { a: 'x y', b: [1, 2], c: { d: 'e' } } })
    assert.equal(body, 'a=x%20y&b=1&b=2&c%5Bd%5D=e')
    assert.equal(headers['content-type'], 'application/x-www-form-urlencoded')
  })

  test('of several parts, files are base64 for the model and bytes for the service', async () => {
    const schema = {
      type: 'object',
      properties: { note: { type: 'string' }, file: { type: 'string', format: 'binary' }, more: { type: 'object' } },
    }
    const api = await post({ 'multipart/form-data': { schema } })
    const { body, headers } = await sent(api, 'things', {
      body: { note: 'ä"', file: Buffer.from('hello').toString('base64'), more: { a: 1 } },
    })
    const boundary = /boundary=(.+)$/.exec(headers['content-type'] ?? '')?.[1] ?? ''
    const form = await new Response(body as Uint8Array<ArrayBuffer>, {
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    }).formData()
    assert.equal(form.get('note'), 'ä"')
    assert.equal(await (form.get('file') as File).text(), 'hello')
    assert.equal(form.get('more'), '{"a":1}')
    await assert.rejects(sent(api, 'things', { body: { file: 'no base64!' } }), { code: 'INVALID_INPUT' })
  })

  test('text is text, bytes are bytes, and another form is a reason to leave the operation out', async () => {
    assert.equal((await sent(await post({ 'text/csv': {} }), 'things', { body: 'a,b' })).body, 'a,b')
    const bytes = await sent(await post({ 'application/octet-stream': {} }), 'things', { body: 'aGk=' })
    assert.equal(Buffer.from(bytes.body as Uint8Array).toString(), 'hi')
    const requestBody = { required: true, content: { 'application/x-protobuf': {} } }
    await assert.rejects(
      served(oneOperation({ requestBody }, { method: 'post' })),
      /its body is application\/x-protobuf, which this plugin does not write/,
    )
  })
})

suite('answers', async () => {
  const api = await served(oneOperation({}), { maxAnswerCharacters: 100 })
  const answer = (reply: object) =>
    callTool(api.plugin, 'things', {}, { http: fakeHttp([{ path: '/things', ...reply }]), config: api.config })

  test('are JSON and text as they are, cut at the limit, with the next page', async () => {
    assert.equal(await answer({ json: { a: 1 } }), '{"a":1}')
    assert.match(await answer({ text: 'x'.repeat(200) }), /^x{100}\n\nCut here: the answer has 200 characters, and 100 are shown/)
    const paged = await answer({ json: [], headers: { link: '<https://api.test/things?page=2>; rel="next"' } })
    assert.deepEqual(paged, [
      { type: 'text', text: '[]' },
      { type: 'text', text: 'There is a next page: page=2' },
    ])
    assert.equal(await answer({ status: 204, bytes: new Uint8Array() }), '204, without content.')
    assert.match(
      await answer({ bytes: new Uint8Array(9), headers: { 'content-type': 'application/zip' } }),
      /9 bytes of application\/zip/,
    )
  })

  test('of the service that refuses are errors in its own words', async () => {
    await assert.rejects(Promise.resolve(answer({ status: 404, json: { message: 'no such thing' } })), {
      code: 'NOT_FOUND',
      message: 'GET /things answered 404: {"message":"no such thing"}',
    })
  })
})

suite('the operator', () => {
  test('selects by method and path, tag and operationId', async () => {
    const names = async (settings: Readonly<Record<string, unknown>>) =>
      (await served(openApi('3.1.0'), settings)).plugin.tools.map(({ name }) => name)
    assert.deepEqual(await names({ allow: ['get *'] }), ['list_pets', 'get_pet'])
    assert.deepEqual(await names({ allow: ['Pet Shop', 'getPet'] }), ['list_pets', 'get_pet'])
    assert.deepEqual(await names({ deny: ['* /pets/*', 'create*'] }), ['list_pets'])
    const { leftOut } = await served(openApi('3.1.0'), { deny: ['GET /pet'] })
    assert.deepEqual(leftOut, [{ pattern: 'GET /pet' }])
    await assert.rejects(names({ allow: ['PUT *'] }), /None of the 4 operations .* can be served. Look at allow and deny/)
  })

  test('says where requests go, not the description', async () => {
    await assert.rejects(
      served(openApi('3.1.0'), { apiUrl: undefined }),
      /apiUrl is not set: .* names https:\/\/pets\.example\/v1/,
    )
    const own = served(oneOperation({ servers: [{ url: 'http://169.254.169.254' }] }))
    await assert.rejects(own, /it has servers of its own, and requests go to apiUrl only/)
  })

  test('gets names that clients take: cut, with a digest, and the same whatever is selected', async () => {
    const paths = Object.fromEntries(
      ['a', 'b'].map((path) => [`/${path}`, { get: { operationId: 'x'.repeat(80), responses: {} } }]),
    )
    const document = { openapi: '3.1.0', info: {}, paths }
    const names = (await served(document)).plugin.tools.map(({ name }) => name)
    assert.equal(new Set(names).size, 2)
    for (const name of names) assert.match(name, /^x{39}_[0-9a-f]{8}$/)
    assert.deepEqual(
      (await served(document, { allow: ['GET /b'] })).plugin.tools.map(({ name }) => name),
      names.slice(1),
    )
  })

  test('is told which credential cannot be sent', async () => {
    const schemes = {
      header: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
      query: { type: 'apiKey', in: 'query', name: 'key' },
      basic: { type: 'http', scheme: 'basic' },
      digest: { type: 'http', scheme: 'digest' },
    }
    const secured = (security: readonly object[]) =>
      served(oneOperation({ security }, { components: { securitySchemes: schemes } }))
    for (const security of [[], [{}], [{ header: [] }], [{ basic: [] }], [{ query: [] }], [{ query: [] }, { basic: [] }]])
      assert.equal((await secured(security)).leftOut.length, 0)
    await assert.rejects(secured([{ absent: [] }, { digest: [] }]), /"absent" is not described; or "digest" is HTTP digest/)
    await assert.rejects(secured([{ header: [], basic: [] }]), /"header" and "basic" at once/)
  })
})

test('a POST that reads, as x-patchbay-read says, may be sent by a read tool, and nowhere else', async () => {
  const parameters = [{ in: 'path', name: 'id', required: true, schema: { type: 'string' } }]
  const api = await served(oneOperation({ 'x-patchbay-read': true, parameters }, { path: '/things/{id}/search', method: 'post' }))
  assert.deepEqual([api.plugin.tools[0]?.access, api.plugin.tools[0]?.safePaths], ['read', ['/things/*/search']])
  assert.equal((await sent(api, 'things', { id: 'a' })).method, 'POST')
})

test('a description is read from the API itself, and from no other address', async () => {
  const http = fakeHttp([{ path: '/openapi.json', json: oneOperation({}) }])
  const { discover } = plugin
  const from = (document: string) =>
    discover?.({ config: { ...defaults, document, apiUrl: 'https://api.test/v1' }, http, log: { warn() {} } } as never)
  const defaults = { maxDocumentBytes: 1_000_000, maxNameLength: 48, maxAnswerCharacters: 1_000 }
  assert.equal((await from('https://api.test/v1/openapi.json'))?.tools.length, 1)
  await assert.rejects(async () => from('https://api.test.evil.example/openapi.json'), /does not begin with apiUrl/)
  await assert.rejects(async () => from('http://127.0.0.1/v1/openapi.json'), /does not begin with apiUrl/)
  assert.equal(http.requests.length, 1)
  await assert.rejects(async () => from('petstore.yaml'), /is not an absolute path/)
  await assert.rejects(async () => from(`${written('')}x`), /cannot be read: ENOENT/)
})
