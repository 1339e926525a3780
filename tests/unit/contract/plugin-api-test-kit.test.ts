import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  definePlugin,
  definePrompt,
  defineResource,
  defineTool,
  elicit,
  hasCredential,
  inputRequired,
  Secret,
  ServiceError,
  Type,
  type AnyPlugin,
  type CallContext,
  type HttpClient,
  type TSchema,
} from '@mcp-patchbay/plugin-api'
import {
  callTool,
  checkPlugin,
  fakeCache,
  fakeHttp,
  fakeLog,
  fakePrincipal,
  getPrompt,
  listResources,
  readResource,
  toolSnapshot,
} from '@mcp-patchbay/plugin-api/testing'
import { pluginChecks } from '../../../plugin-api/src/testing/plugin-checks.ts'

const described = { description: 'What it is.' }

class Notes {
  readonly http: HttpClient
  closed = 0
  constructor(http: HttpClient) {
    this.http = http
  }
  [Symbol.dispose]() {
    this.closed += 1
  }
}

const made: Notes[] = []
const tool = <Call extends (ctx: CallContext<Notes>) => string | Promise<string>>(
  name: string,
  access: 'read' | 'write',
  run: Call,
) =>
  defineTool({
    name,
    description: 'For this test.',
    access,
    safePaths: ['/search/*'],
    input: Type.Object({}),
    run: (_, ctx: CallContext<Notes>) => run(ctx),
  })

const notes = definePlugin({
  name: 'notes',
  config: Type.Object({
    apiUrl: Type.String({ default: 'https://notes.example', ...described }),
    personalToken: Type.Optional(Secret(described)),
  }),
  isAuthConfigured: hasCredential,
  createClient: ({ http }) => {
    const client = new Notes(http)
    made.push(client)
    return client
  },
  tools: [
    defineTool({
      name: 'notes_get',
      description: 'Read a note.',
      access: 'read',
      input: Type.Object({ id: Type.Integer({ minimum: 1, ...described }), lang: Type.Optional(Type.String(described)) }),
      output: Type.Object({ text: Type.String() }),
      run: ({ id, lang }, { client }: CallContext<Notes>) =>
        client.http.json<{ text: string }>(`/notes/${id}`, { query: { lang } }),
    }),
    tool('notes_delete', 'write', async ({ client }) =>
      String((await client.http.request('/notes/1', { method: 'DELETE' })).status),
    ),
    tool('wrong_delete', 'read', async ({ client }) =>
      String((await client.http.request('/notes/1', { method: 'DELETE' })).status),
    ),
    tool('notes_search', 'read', ({ client }) => client.http.text('/search/all?q=x', { method: 'POST', body: { q: 'x' } })),
    tool('wrong_search', 'read', ({ client }) => client.http.text('/other/all', { method: 'POST' })),
    tool('config_show', 'read', ({ config, principal, log }) => {
      log.info('shown', { by: principal.id })
      return JSON.stringify(config)
    }),
    tool('wrong_answer', 'read', () => 42 as never),
    defineTool({
      name: 'notes_ask',
      description: 'Asks first.',
      access: 'read',
      interactive: true,
      input: Type.Object({}),
      run: (_, ctx) =>
        ctx.inputResponses
          ? `${String(ctx.inputResponses['name']?.content?.['name'])} ${String(ctx.requestState<{ step: number }>()?.step)}`
          : inputRequired({ requests: { name: elicit('Who?', {}) }, state: { step: 1 } }),
    }),
  ],
  resources: [
    defineResource({
      name: 'note',
      uri: 'notes://{folder}/{id}',
      read: (uri, params, { client }: CallContext<Notes>) => `${uri} ${JSON.stringify(params)} ${client.closed}`,
    }),
  ],
  prompts: [
    definePrompt({ name: 'summary', arguments: Type.Object({ id: Type.String(described) }), run: ({ id }) => `Summarise ${id}` }),
  ],
})

checkPlugin(notes)

const oneNote = () => fakeHttp([{ path: '/notes/1', json: { text: 'hello' } }])
const refusal = (input: unknown) =>
  callTool(notes, 'notes_get', input, { http: oneNote() }).then(
    () => 'accepted',
    (error: unknown) => (error instanceof ServiceError ? `${error.code} ${error.message}` : String(error)),
  )

suite('callTool', () => {
  test('gives back the value of a tool and disposes its client', async () => {
    assert.deepEqual(await callTool(notes, 'notes_get', { id: 1 }, { http: oneNote() }), { text: 'hello' })
    assert.equal(made.at(-1)?.closed, 1)
  })

  test('disposes the client of a tool that fails', async () => {
    await assert.rejects(callTool(notes, 'notes_get', { id: 2 }, { http: oneNote() }), /no route for GET \/notes\/2/)
    assert.equal(made.at(-1)?.closed, 1)
  })

  test('refuses input as the host does, unknown members too', async () => {
    assert.match(await refusal({}), /^INVALID_INPUT The input of notes_get is not valid: .*id/)
    assert.match(await refusal({ id: 0 }), /`id` must be >= 1/)
    assert.match(await refusal({ id: 1, langue: 'fr' }), /langue/)
    assert.match(await refusal([]), /must be object/)
  })

  test('refuses a value that is not the output, and an answer of no known kind', async () => {
    const wrong = fakeHttp([{ path: '/notes/1', json: { text: 1 } }])
    await assert.rejects(callTool(notes, 'notes_get', { id: 1 }, { http: wrong }), /not its output: `text` must be string/)
    await assert.rejects(callTool(notes, 'wrong_answer'), /returned number, not Markdown/)
  })

  test('names the tools there are when asked for another', async () => {
    await assert.rejects(callTool(notes, 'notes_gte'), /No tool named "notes_gte"; there are: notes_get, notes_delete/)
  })

  test('holds a read tool to requests that read', async () => {
    const service = fakeHttp([{ path: '/**', text: 'ok', status: 200 }])
    assert.equal(await callTool(notes, 'notes_delete', {}, { http: service }), '200')
    assert.equal(await callTool(notes, 'notes_search', {}, { http: service }), 'ok')
    const denied = { code: 'PERMISSION_DENIED' }
    await assert.rejects(callTool(notes, 'wrong_delete', {}, { http: service }), denied)
    await assert.rejects(callTool(notes, 'wrong_search', {}, { http: service }), denied)
    assert.deepEqual(
      service.requests.map(({ method, path }) => `${method} ${path}`),
      ['DELETE /notes/1', 'POST /search/all'],
    )
  })

  test('fills in defaults and hides secrets', async () => {
    const log = fakeLog()
    const fakes = { config: { personalToken: 'hunter2' }, principal: fakePrincipal({ id: 'ada' }), log }
    assert.deepEqual(JSON.parse(await callTool(notes, 'config_show', {}, fakes)), {
      apiUrl: 'https://notes.example',
      personalToken: '[secret]',
    })
    assert.deepEqual(log.lines, [{ level: 'info', event: 'shown', fields: { by: 'ada' } }])
    await assert.rejects(callTool(notes, 'config_show', {}, { config: { apiURL: 'x' } }), /`apiURL` is not a key/)
  })

  test('plays both halves of a question to the client', async () => {
    const asked = await callTool<{ requests: unknown; state: unknown }>(notes, 'notes_ask')
    assert.deepEqual(asked.state, { step: 1 })
    const answers = {
      inputResponses: { name: { action: 'accept' as const, content: { name: 'Ada' } } },
      requestState: asked.state,
    }
    assert.equal(await callTool(notes, 'notes_ask', {}, answers), 'Ada 1')
  })

  test('reads resources by their template and fills in prompts', async () => {
    assert.equal(await readResource(notes, 'notes://a%20b/7'), 'notes://a%20b/7 {"folder":"a b","id":"7"} 0')
    await assert.rejects(readResource(notes, 'files://7'), /there are: notes:\/\/\{folder\}\/\{id\}/)
    assert.equal(await getPrompt(notes, 'summary', { id: '7' }), 'Summarise 7')
    await assert.rejects(getPrompt(notes, 'summary'), /arguments of summary are not valid/)
  })
})

suite('fakeHttp', () => {
  test('answers by the first route that fits method, path and query', async () => {
    const http = fakeHttp([
      { method: 'POST', path: '/items', json: 'posted' },
      { path: '/items', query: { page: 2 }, json: 'second page' },
      { path: '/items', query: { tag: ['a', 'b'] }, json: 'tagged' },
      { path: '/items', json: 'any' },
      { path: /^\/items\/\d+$/, json: 'by number' },
      { path: '/users/*/items', json: 'of a user' },
      { path: 'https://cdn.example/**', text: 'far' },
    ])
    assert.equal(await http.json('/items', { method: 'POST' }), 'posted')
    assert.equal(await http.json('/items', { query: { page: 2, per: 5 } }), 'second page')
    assert.equal(await http.json('/items?page=2'), 'second page')
    assert.equal(await http.json('/items', { query: { tag: ['a', 'b'], none: undefined } }), 'tagged')
    assert.equal(await http.json('/items', { query: { tag: ['a'] } }), 'any')
    assert.equal(await http.json('/items/12'), 'by number')
    assert.equal(await http.json('/users/ada/items'), 'of a user')
    assert.equal(await http.text('https://cdn.example/a/b.txt#part'), 'far')
    await assert.rejects(http.json('/users/ada/more/items?x=1'), (error: Error) => {
      assert.match(
        error.message,
        /no route for GET \/users\/ada\/more\/items\?x=1. It has:\n {2}POST \/items\n {2}ANY \/items \{"page":2\}/,
      )
      return !(error instanceof ServiceError)
    })
  })

  test('turns statuses into the errors the host throws, and leaves them to request', async () => {
    const http = fakeHttp([
      { path: '/busy', status: 429, headers: { 'Retry-After': '3' } },
      { path: '/gone', status: 404, text: 'no' },
      { path: '/page', text: '<html>' },
    ])
    await assert.rejects(http.json('/busy'), { code: 'RATE_LIMITED', retryAfterMs: 3_000 })
    await assert.rejects(http.text('/gone'), { code: 'NOT_FOUND' })
    await assert.rejects(http.json('/page'), { code: 'UPSTREAM_FAILED', message: /not JSON/ })
    await assert.rejects(http.text('/page', { maxBytes: 3 }), { code: 'UPSTREAM_FAILED' })
    const { status, headers } = await http.request('/busy')
    assert.deepEqual([status, headers['retry-after']], [429, '3'])
  })

  test('has nothing to parse where HTTP sends no body, and knows charsets', async () => {
    const http = fakeHttp([
      { method: 'DELETE', path: '/items/1', status: 204 },
      { path: '/latin', bytes: new Uint8Array([0xe9]), headers: { 'Content-Type': 'text/plain; charset=ISO-8859-1' } },
    ])
    assert.equal(await http.json('/items/1', { method: 'DELETE' }), undefined)
    assert.equal(await http.text('/latin'), 'é')
  })

  test('refuses paths that the host refuses', async () => {
    for (const path of ['items', '//evil.example/items', 'file:///etc/passwd', ''])
      await assert.rejects(fakeHttp().request(path), { code: 'INVALID_INPUT' })
  })

  test('lets a route answer by what was sent, and remembers it', async () => {
    let stock = 2
    const http = fakeHttp([
      { method: 'POST', path: '/orders', reply: ({ body }) => ({ status: stock-- > 0 ? 201 : 409, json: body }) },
    ])
    const order = () =>
      http.request('/orders', { method: 'POST', body: { sku: 'x' }, headers: { 'x-a': 'b' }, query: { dry: true } })
    assert.deepEqual([(await order()).status, (await order()).status, (await order()).status], [201, 201, 409])
    assert.deepEqual(http.requests[2], {
      method: 'POST',
      path: '/orders',
      query: { dry: 'true' },
      headers: { 'x-a': 'b' },
      body: { sku: 'x' },
    })
  })
})

test('a fake cache loads once for everybody who asks and forgets failures', async () => {
  const cache = fakeCache()
  let loads = 0
  const load = async () => ({ load: ++loads })
  const options = { ttlMs: 1 }
  assert.deepEqual(await Promise.all([cache.wrap('a', options, load), cache.wrap('a', options, load)]), [
    { load: 1 },
    { load: 1 },
  ])
  assert.deepEqual(await cache.get('a'), { load: 1 })
  await assert.rejects(
    cache.wrap('b', options, () => Promise.reject(new Error('down'))),
    /down/,
  )
  assert.deepEqual(await cache.wrap('b', options, load), { load: 2 })
  await assert.rejects(cache.set('c', undefined, options), TypeError)
})

test('a tool snapshot depends on what clients see and on nothing else', () => {
  const [first, ...others] = notes.tools
  assert.ok(first)
  const turned = Object.fromEntries(Object.entries(first).toReversed()) as typeof first
  assert.equal(toolSnapshot({ ...notes, tools: [turned, ...others] }), toolSnapshot(notes))
  assert.notEqual(
    toolSnapshot({ ...notes, tools: [{ ...first, description: 'Read a note.\u200b' }, ...others] }),
    toolSnapshot(notes),
  )
  assert.match(toolSnapshot(notes), /"name": "notes_notes_get"/)
})

/** Own accessors survive: an object spread would read them once. */
const changedBy = (changes: Partial<AnyPlugin>): AnyPlugin => Object.create(notes, Object.getOwnPropertyDescriptors(changes))
const faultsOf = (plugin: AnyPlugin, options = {}) => pluginChecks.flatMap(({ faults }) => faults(plugin, options)).join('\n')
const withInput = (input: TSchema): Partial<AnyPlugin> => ({
  tools: notes.tools.slice(0, 1).map((first) => ({ ...first, input: Type.Object({ x: input }) })),
})

suite('checkPlugin finds', () => {
  const found: readonly (readonly [what: string, changes: Partial<AnyPlugin>, fault: RegExp])[] = [
    ['a name that is too long with its prefix', { name: 'n'.repeat(60) }, /n+_notes_get is 70 characters long/],
    ['input without a description', withInput(Type.String()), /notes_get.input.x has no description/],
    ['a draft-07 tuple', withInput(Type.Tuple([Type.String()], described)), /tuple in draft-07 form/],
    ['a bigint', withInput(Type.BigInt(described)), /type "bigint"/],
    ['a refinement', withInput(Type.Refine(Type.String(described), () => true)), /Type.Refine, which is not in the JSON Schema/],
    ['a codec', withInput(Type.Codec(Type.String(described)).Decode(Number).Encode(String)), /Type.Codec/],
    ['a default that JSON cannot hold', withInput(Type.Integer({ ...described, default: 1n })), /cannot be JSON/],
    ['a config key without a variable', { config: Type.Object({ api_url: Type.String(described) }) }, /api_url is not camelCase/],
    [
      'two keys of one variable',
      { config: Type.Object({ apiUrl: Type.String(described), apiURL: Type.String(described) }) },
      /both read from NOTES_API_URL/,
    ],
    [
      'a key that is the file of another',
      { config: Type.Object({ key: Secret(described), keyFile: Type.String(described) }) },
      /NOTES_KEY_FILE/,
    ],
    [
      'a config key nobody described',
      { config: Type.Object({ page: Type.Object({ size: Type.Integer() }) }) },
      /page.size has no description.*NOTES_PAGE_SIZE/,
    ],
    ['a secret in plain text', { config: Type.Object({ botToken: Type.String(described) }) }, /botToken is named like a secret/],
    ['a service that needs no secret though it has one', { isAuthConfigured: () => true }, /true for an empty config/],
    [
      'a check that throws',
      { isAuthConfigured: (config: { personalToken: object }) => Object.keys(config.personalToken).length === 0 },
      /an empty config\) threw/,
    ],
    ['an answer that is neither', { isAuthConfigured: (() => 'yes') as never }, /answered yes, not true or false/],
    [
      'a tool that changes',
      {
        get tools() {
          return [{ ...notes.tools[0], description: `Call ${made.push(new Notes(fakeHttp()))}` }] as never
        },
      },
      /changes from one look to the next/,
    ],
  ]
  for (const [what, changes, fault] of found)
    test(what, () => {
      assert.match(faultsOf(changedBy(changes)), fault)
    })

  test('nothing in a service that works without credentials and says so', () => {
    assert.equal(faultsOf(changedBy({ isAuthConfigured: () => true }), { anonymous: true }), '')
  })
})

test('a page of the resources of a template is given as the plugin gives it, with the client of the fakes', async () => {
  const listing = {
    ...notes,
    resources: [
      defineResource<Notes>({
        name: 'note',
        uri: 'notes://{id}',
        list: (cursor, { client }) => ({
          resources: [{ uri: `notes://${cursor ?? 'first'}/${client instanceof Notes}` }],
          next: 'b',
        }),
        read: () => '',
      }),
    ],
  }
  assert.deepEqual(await listResources(listing, 'notes://{id}'), { resources: [{ uri: 'notes://first/true' }], next: 'b' })
  assert.deepEqual((await listResources(listing, 'notes://{id}', {}, 'b')).resources, [{ uri: 'notes://b/true' }])
  await assert.rejects(listResources(notes, 'notes://{folder}/{id}'), /lists no resources of notes:/)
})
