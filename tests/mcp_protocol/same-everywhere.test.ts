// Every rule, limit and courtesy holds on every transport and in every revision. The cells are in fixtures/http/wire-cells.ts.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { demoPlugin } from '../fixtures/plugins/demo-plugin.ts'
import { CELLS, exchange, HTTP_CELLS, messagesOf, STREAMABLE_CELLS, textOf, type Cell } from '../fixtures/http/wire-cells.ts'

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
