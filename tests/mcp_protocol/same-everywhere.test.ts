// Every rule, limit and courtesy holds on every transport and in every revision. The cells are in fixtures/http/wire-cells.ts.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { chartPlugin } from '../fixtures/plugins/chart-plugin.ts'
import type { StepUp } from '../../host/src/transport/streamable/step-up.ts'
import { demoPlugin } from '../fixtures/plugins/demo-plugin.ts'
import { newestPlugin } from '../fixtures/plugins/newest-plugin.ts'
import {
  CELLS,
  exchange,
  HTTP_CELLS,
  messagesOf,
  STREAMABLE_CELLS,
  textOf,
  type Cell,
  type Message,
} from '../fixtures/http/wire-cells.ts'

const waitFor = (key: string) => ({ name: 'demo_wait', arguments: { key } })
const isModern = ({ revision }: Cell) => revision === '2026-07-28'
const call = (cell: Cell, params: object, id: number | string = 7) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: isModern(cell)
    ? {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': cell.revision,
          'io.modelcontextprotocol/clientInfo': { name: 'cell', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      }
    : params,
})
/** The type of an answer, without its parameters. */
const typeOf = ({ headers }: IncomingMessage) => headers['content-type']?.split(';')[0]

for (const cell of STREAMABLE_CELLS) {
  test(`a long call begins its answer and is kept warm: ${cell.name}`, async (t) => {
    const demo = demoPlugin()
    const { connect } = await cell.serve(t, [demo.plugin], { deps: { tickMs: 1 } })
    const peer = await connect()
    for (const accept of ['application/json, text/event-stream', 'application/json']) {
      const started = demo.started('long')
      const answer = peer.post(call(cell, waitFor('long')), { accept })
      await started
      const response = await answer
      const isStream = accept.includes('event-stream')
      assert.deepEqual([response.statusCode, typeOf(response)], [200, isStream ? 'text/event-stream' : 'application/json'])
      // In a session the SDK keeps its streams warm, every 15 seconds; those of others are ours.
      if (!isStream || cell.transport === 'request') {
        await once(response, 'readable')
        assert.match(String(response.read()), isStream ? /^: keepalive\n\n/ : /^\n/)
      }
      demo.release('long')
      const [message] = messagesOf(await textOf(response))
      assert.deepEqual([message?.id, message?.result?.content?.[0]?.text], [7, 'waited for long'])
    }
  })

  test(`an answer comes in a form that the Accept header admits: ${cell.name}`, async (t) => {
    const { connect } = await cell.serve(t, [demoPlugin().plugin])
    const peer = await connect()
    const forms: readonly (readonly [accept: string | undefined, type: 'json' | 'event-stream' | 'either' | 'none'])[] = [
      [undefined, 'either'],
      ['', 'either'],
      ['*/*', 'either'],
      ['text/html, */*;q=0.1', 'either'],
      ['application/json, text/event-stream', 'either'],
      ['Text/Event-Stream;q=0.5,APPLICATION/JSON', 'either'],
      ['application/json', 'json'],
      ['application/*', 'json'],
      ['*/*, text/event-stream;q=0', 'json'],
      ['text/event-stream', 'event-stream'],
      ['text/*', 'event-stream'],
      ['text/html', 'none'],
      ['application/json;q=0', 'none'],
    ]
    const says = call(cell, { name: 'demo_log', arguments: {} })
    for (const [accept, expected] of forms)
      for (const sent of [call(cell, { name: 'demo_whoami', arguments: {} }), says]) {
        const response = await peer.post(sent, { accept })
        const text = await textOf(response)
        if (expected === 'none') {
          assert.deepEqual([accept, response.statusCode, messagesOf(text)[0]?.id], [accept, 406, 7])
          continue
        }
        const form = typeOf(response)?.split('/')[1]
        assert.ok(expected === 'either' || form === expected, `${accept} got ${form}`)
        assert.deepEqual(
          messagesOf(text)
            .filter(({ method }) => method === undefined)
            .map(({ id, result }) => [id, result?.content?.length]),
          [[7, 1]],
          `${accept}: ${text}`,
        )
      }
  })

  test(`initialize with the id of a session that is gone opens one: ${cell.name}`, async (t) => {
    const { connect, url } = await cell.serve(t, [demoPlugin().plugin])
    const live = await connect()
    const at = url ?? assert.fail()
    for (const id of ['11111111-2222-3333-4444-555555555555', live.headers['mcp-session-id'] ?? 'x']) {
      const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'old', version: '1' } }
      const message = { jsonrpc: '2.0', id: 1, method: 'initialize', params }
      const headers = { 'content-type': 'application/json', 'mcp-session-id': id, 'mcp-protocol-version': '2025-06-18' }
      const response = await exchange(at, 'POST', message, headers)
      assert.equal(messagesOf(await textOf(response))[0]?.result?.['protocolVersion'], '2025-06-18')
      assert.equal(response.statusCode, 200)
      assert.notEqual(response.headers['mcp-session-id'], id)
      if (cell.transport === 'session') {
        const other = { ...headers, 'mcp-session-id': 'not-a-session' }
        const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' }
        assert.equal((await exchange(at, 'POST', list, other)).statusCode, 404)
      }
    }
    assert.ok((await live.ask('tools/list')).result)
  })
}

for (const cell of HTTP_CELLS.filter(({ transport }) => transport === 'session' || transport === 'sse')) {
  test(`a second stream of the same client hears of changes: ${cell.name}`, async (t) => {
    const demo = demoPlugin()
    const serving = await cell.serve(t, [demo.plugin])
    const { connect, url } = serving
    const peer = await connect()
    if (cell.transport === 'sse') return assert.notDeepEqual(peer, await connect())
    const open = (headers: object = {}) =>
      exchange(url ?? assert.fail(), 'GET', undefined, { ...peer.headers, accept: 'text/event-stream', ...headers })
    const first = await open()
    const second = await open()
    assert.deepEqual([first.statusCode, second.statusCode], [200, 200])
    await serving.publish([demoPlugin({ description: 'Another', extra: [] }).plugin], { tools: { deny: ['demo_delete'] } })
    await once(second, 'readable')
    const event = String(second.read())
    assert.match(event, /notifications\/tools\/list_changed/)
    assert.equal(await textOf(first), '', 'the older one has ended')
    // The connection of the second dies without a sign as well: the third asks for what came after the event that arrived.
    const id = /^id: (.*)$/m.exec(event)?.[1] ?? assert.fail(event)
    const third = await open({ 'last-event-id': id })
    assert.equal(third.statusCode, 200)
    await serving.publish([demoPlugin().plugin])
    await once(third, 'readable')
    assert.match(String(third.read()), /notifications\/tools\/list_changed/)
    for (const stream of [second, third]) stream.destroy()
  })
}

for (const cell of CELLS) {
  test(`clients with the same request ids at the same time get their own answers: ${cell.name}`, async (t) => {
    const demo = demoPlugin()
    const { connect } = await cell.serve(t, [demo.plugin])
    const peers = [await connect(), ...(cell.transport === 'stdio' ? [] : [await connect()])]
    for (const id of [1, '1', 0, 'a"\\ä', Number.MAX_SAFE_INTEGER]) {
      const keys = peers.map((_, index) => `${id} ${index}`)
      const started = Promise.all(keys.map((key) => demo.started(key)))
      const answers = peers.map((peer, index) => peer.ask('tools/call', waitFor(keys[index] ?? ''), id))
      await started
      for (const key of keys.toReversed()) demo.release(key)
      assert.deepEqual(
        (await Promise.all(answers)).map((answer) => [answer.id, answer.result?.content?.[0]?.text]),
        keys.map((key) => [id, `waited for ${key}`]),
      )
    }
  })
}

/** The revision that brought a field or a kind of content; what is not here all of them have. */
const SINCE: Readonly<Record<string, string>> = {
  audio: '2025-03-26',
  resource_link: '2025-06-18',
  structuredContent: '2025-06-18',
  outputSchema: '2025-06-18',
  title: '2025-06-18',
  _meta: '2025-06-18',
  lastModified: '2025-06-18',
  readOnlyHint: '2025-03-26',
  icons: '2025-11-25',
}

for (const cell of CELLS) {
  test(`content that the revision lacks is text or is left out: ${cell.name}`, async (t) => {
    const { connect } = await cell.serve(t, [newestPlugin])
    const peer = await connect({ elicitation: {} })
    const has = (feature: string) => cell.revision >= (SINCE[feature] ?? '')
    // Twice: the direct path learns from the first.
    for (const round of [1, 2]) {
      const answers = await Promise.all([
        peer.ask('tools/list'),
        peer.ask('resources/list'),
        peer.ask('prompts/list'),
        peer.ask('resources/read', { uri: 'newest://a' }),
        peer.ask('prompts/get', { name: 'newest_link' }),
        ...['items_get', 'row_get', 'rows_get'].map((name) => peer.ask('tools/call', { name: `newest_${name}`, arguments: {} })),
      ])
      for (const { result } of answers) {
        // What the SDK says of itself in 2026-07-28 is not the plugin's.
        const found = new Set(keysAndTypes(result))
        for (const feature of Object.keys(SINCE))
          if (!has(feature)) assert.ok(!found.has(feature), `${feature} in round ${round}: ${JSON.stringify(result)}`)
      }
      const all = new Set(answers.flatMap(({ result }) => keysAndTypes(result)))
      for (const feature of Object.keys(SINCE)) assert.equal(all.has(feature), has(feature), `${feature} of ${cell.revision}`)
      const [, , , , , itemsAnswer, row, rows] = answers
      const texts = itemsAnswer?.result?.content?.flatMap(({ text }) => text ?? [])
      assert.deepEqual(
        texts,
        [
          'see',
          ...(has('resource_link') ? [] : [String.raw`[The \[report\]](https://example.com/r.pdf): All of it`]),
          ...(has('audio')
            ? []
            : ["[audio, audio/wav, 6 bytes: not sent, since the client's revision of the protocol has no audio]"]),
        ],
        'nothing is lost',
      )
      assert.deepEqual([row?.result?.content?.[0]?.text, rows?.result?.content?.[0]?.text], ['{"id":7}', '[7]'])
    }
    const [seen, asked] = await Promise.all([
      peer.ask('tools/call', { name: 'newest_capabilities_get', arguments: {} }),
      cell.transport === 'stdio' || cell.revision >= '2025-06-18'
        ? undefined
        : peer.ask('tools/call', { name: 'newest_name_ask', arguments: {} }),
    ])
    if (cell.transport !== 'stateless')
      assert.equal(
        Object.hasOwn(JSON.parse(seen.result?.content?.[0]?.text ?? '') as object, 'elicitation'),
        cell.revision >= '2025-06-18',
      )
    if (asked) assert.match(asked.result?.content?.[0]?.text ?? '', /revision .* has no elicitation/)
  })
}

/** Every key of a result, and every type of content in it. The 2025 dress of an array is not the plugin's. */
function keysAndTypes(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysAndTypes)
  if (typeof value !== 'object' || value === null) return []
  const below = Object.entries(value).flatMap(([key, part]) =>
    key === '_meta' && JSON.stringify(part).includes('serverInfo') ? [] : [key, ...keysAndTypes(part)],
  )
  return 'type' in value && typeof value.type === 'string' ? [value.type, ...below] : below
}

for (const cell of CELLS) {
  test(`URIs of a plugin that is mounted again carry its instance: ${cell.name}`, async (t) => {
    const asked: string[] = []
    const chart = chartPlugin(asked)
    const { connect } = await cell.serve(t, [chart, chart])
    const peer = await connect()
    const knowsLinks = cell.revision >= '2025-06-18'
    for (const [instance, view, row] of [
      ['chart', 'ui://chart/view.html', 'chart:row:'],
      ['chart_two', 'ui://chart_two/chart/view.html', 'chart:chart_two/row:'],
    ] as const) {
      const [tools, resources, templates, read, rows, called, prompt] = await Promise.all([
        peer.ask('tools/list'),
        peer.ask('resources/list'),
        peer.ask('resources/templates/list'),
        peer.ask('resources/read', { uri: view }),
        peer.ask('resources/read', { uri: `${row}7` }),
        peer.ask('tools/call', { name: `${instance}_view_show`, arguments: {} }),
        peer.ask('prompts/get', { name: `${instance}_look` }),
      ])
      const has = (message: Message, text: string) =>
        assert.ok(JSON.stringify(message.result).includes(text), `${text} in ${JSON.stringify(message)}`)
      if (knowsLinks)
        assert.deepEqual(
          (tools.result?.tools?.find(({ name }) => name === `${instance}_view_show`) as { _meta?: object } | undefined)?._meta,
          { ui: { resourceUri: view }, 'openai/outputTemplate': view, other: 'ui://chart' },
        )
      has(resources, `"uri":"${view}"`)
      has(templates, `"uriTemplate":"${row}{id}"`)
      has(read, `"uri":"${view}"`)
      assert.deepEqual(urisIn(rows.result), [`${row}7`, view])
      const all = [view, `${row}7`, 'https://example.com/', view]
      assert.deepEqual(knowsLinks ? urisIn(called.result) : urisInText(called.result), all)
      assert.deepEqual(knowsLinks ? urisIn(prompt.result) : urisInText(prompt.result), [view])
      const ref = { type: 'ref/resource', uri: `${row}{id}` }
      has(await peer.ask('completion/complete', { ref, argument: { name: 'id', value: '' } }), '"values":[]')
      if (cell.revision < '2026-07-28' && cell.transport !== 'stateless')
        assert.deepEqual((await peer.ask('resources/subscribe', { uri: view })).error, undefined)
    }
    assert.deepEqual(asked, ['row 7', 'row 7'], 'the plugin knows nothing of it')
    assert.match(
      String((await peer.ask('resources/read', { uri: 'ui://chart_three/chart/view.html' })).error?.message),
      /not found/,
    )
  })
}

const urisIn = (result: unknown): string[] => [...JSON.stringify(result).matchAll(/"uri":"([^"]*)"/g)].map(([, uri]) => uri ?? '')
/** As Markdown has links; an embedded resource has its URI. */
const urisInText = (result: unknown): string[] =>
  [...JSON.stringify(result).matchAll(/\]\(([^)]*)\)|"uri":"([^"]*)"/g)].map(([, link, uri]) => link ?? uri ?? '')

for (const cell of CELLS) {
  test(`arguments, cursors and ids are read alike: ${cell.name}`, async (t) => {
    const { connect } = await cell.serve(t, [demoPlugin().plugin])
    const peer = await connect()
    const echo = (args: unknown) => peer.ask('tools/call', { name: 'demo_echo', arguments: args })
    const outcome = ({ result, error }: Message) => (error ? error.code : result?.['isError'] === true ? 'refused' : 'done')
    // Twice: the direct path learns from the first.
    for (const _ of [1, 2]) {
      assert.deepEqual(
        (
          await Promise.all([
            echo({ text: 'x' }),
            echo({}),
            echo({ text: 7 }),
            echo({ text: 'x', more: 1 }),
            echo(undefined),
            peer.ask('tools/call', { name: 'demo_missing', arguments: {} }),
          ])
        ).map(outcome),
        ['done', 'refused', 'refused', 'refused', 'refused', -32602],
      )
      for (const list of ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']) {
        assert.equal(outcome(await peer.ask(list)), 'done')
        assert.equal(outcome(await peer.ask(list, { cursor: 'of-another-server' })), -32602, `${list} with a cursor`)
      }
      for (const id of [0, -1, Number.MAX_SAFE_INTEGER, 'x'.repeat(5_000), '', '\u2028 "\\'])
        assert.equal((await peer.ask('tools/call', { name: 'demo_whoami', arguments: {} }, id)).id, id)
    }
  })
}

for (const cell of HTTP_CELLS) {
  test(`a client below the path of the public address is served, whether the proxy keeps it or not: ${cell.name}`, async (t) => {
    const { connect, url } = await cell.serve(t, [demoPlugin().plugin], { options: { publicUrl: 'http://127.0.0.1/tools/mcp' } })
    // Over HTTP+SSE the client posts to the address that the host wrote, which has the path.
    const peer = await connect()
    assert.ok((await peer.ask('tools/list')).result)
    for (const path of ['/tools/healthz', '/tools/sse'])
      assert.equal((await exchange(new URL(path, url), 'HEAD', undefined, {})).statusCode, path === '/tools/healthz' ? 200 : 405)
    if (cell.transport === 'sse') return
    const response = await exchange(new URL('/tools/mcp', url), 'POST', call(cell, { name: 'demo_whoami', arguments: {} }), {
      ...peer.headers,
      ...(isModern(cell) && { 'mcp-method': 'tools/call', 'mcp-name': 'demo_whoami' }),
    })
    assert.equal(messagesOf(await textOf(response))[0]?.result?.content?.[0]?.text, 'local of nobody')
  })

  test(`a call that needs more scopes is a challenge that names them: ${cell.name}`, async (t) => {
    const challenge = { status: 403, code: -32600, message: 'more', headers: { 'www-authenticate': 'Bearer scope="admin"' } }
    const stepUp: StepUp = (_, message) => (JSON.stringify(message).includes('demo_admin') ? challenge : undefined)
    const { connect } = await cell.serve(t, [demoPlugin().plugin], {
      config: { tools: { deny: ['demo_admin'] } },
      deps: { stepUp },
    })
    const peer = await connect()
    for (const _ of [1, 2]) {
      const response = await peer.post(call(cell, { name: 'demo_admin', arguments: {} }))
      assert.deepEqual([response.statusCode, response.headers['www-authenticate']], [403, 'Bearer scope="admin"'])
      assert.equal(messagesOf(await textOf(response))[0]?.id, 7)
      // The id is free again, and the connection goes on.
      assert.ok((await peer.ask('tools/call', { name: 'demo_whoami', arguments: {} }, 7)).result)
    }
  })
}

for (const cell of CELLS) {
  test(`parameters that are wrong are said so in a sentence, and null is no arguments: ${cell.name}`, async (t) => {
    const server = { name: 'cells', title: 'Cells' }
    const { connect } = await cell.serve(t, [demoPlugin().plugin], { config: { server } })
    const peer = await connect()
    const wrong = async (method: string, params: object) => {
      const { error } = await peer.ask(method, params)
      return [error?.code, error?.message]
    }
    const says = (method: string, problem: string) => [-32602, `Invalid params for ${method}: ${problem}`]
    assert.deepEqual(await wrong('tools/call', {}), says('tools/call', 'name must be a string'))
    assert.deepEqual(await wrong('tools/call', { name: 5 }), says('tools/call', 'name must be a string'))
    const listed = { name: 'demo_whoami', arguments: [] }
    assert.deepEqual(await wrong('tools/call', listed), says('tools/call', 'arguments must be an object'))
    const { result } = await peer.ask('tools/call', { name: 'demo_whoami', arguments: null })
    assert.equal(result?.content?.length, 1)
    if (isModern(cell)) return

    const hello = { protocolVersion: cell.revision, capabilities: {}, clientInfo: { name: 'cell', version: '1' } }
    for (const [params, problem] of [
      [{ ...hello, protocolVersion: 5 }, 'protocolVersion must be a string'],
      [{ ...hello, capabilities: null }, 'capabilities must be an object'],
      [{ ...hello, clientInfo: { name: 'cell' } }, 'version must be a string'],
      [{}, 'clientInfo must be an object'],
    ] as const)
      assert.deepEqual(await wrong('initialize', params), says('initialize', problem))
    const opened = await peer.ask('initialize', hello)
    assert.deepEqual(
      [opened.result?.['protocolVersion'], Reflect.get(opened.result?.['serverInfo'] ?? {}, 'title')],
      [cell.revision, cell.revision >= (SINCE['title'] ?? '') ? 'Cells' : undefined],
    )
    const newest = await peer.ask('initialize', { ...hello, protocolVersion: 'no such revision' })
    assert.equal(newest.result?.['protocolVersion'], '2025-11-25', 'what is not known is negotiated')
  })
}
