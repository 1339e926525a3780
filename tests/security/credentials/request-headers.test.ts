import assert from 'node:assert/strict'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import type { EmbeddedConfig, EmbeddedEntry } from 'mcp-patchbay'
import { makeKey } from '../../../host/src/auth/inbound/keys/api-key.ts'
import { trackedHost, trackerPlugin } from '../../fixtures/plugins/tracker.ts'
import { reply, startUpstream, type Upstream } from '../../fixtures/http/upstream.ts'

const basic = (pair: string | Buffer) => `Basic ${Buffer.from(pair).toString('base64')}`
const TRACKER = 'X-Upstream-Tracker-Authorization'

/** A header that is meant as a credential and cannot be one: somebody else's must not be used in its place. */
const REFUSED: readonly (readonly [string, string, string, RegExp])[] = [
  ['a service that does not exist', 'X-Upstream-Trackr-Authorization', 'Bearer a', /there is no \\"trackr\\"/],
  ['an instance that does not exist', 'X-Upstream-Tracker-Eu-Authorization', 'Bearer a', /there is no \\"tracker_eu\\"/],
  ['a service that takes none of callers', 'X-Upstream-Closed-Authorization', 'Bearer a', /takes no credentials of callers/],
  ['the address of a service', 'X-Upstream-Tracker-Url', 'https://evil.example', /addresses are the operator's/],
  ['a header that is nearly the right one', 'X-Upstream-Tracker-Authorisation', 'Bearer a', /X-Upstream-<INSTANCE>-Auth/],
  ['no service in particular', 'X-Upstream-Authorization', 'Bearer a', /X-Upstream-<INSTANCE>-Authorization/],
  ['underscores, which proxies drop', 'X_Upstream_Tracker_Authorization', 'Bearer a', /write hyphens/],
  ['a prefix alone', 'X-Upstream-', 'Bearer a', /X-Upstream-<INSTANCE>-Authorization/],
  ['nothing', TRACKER, '', /holds no credential/],
  ['a scheme alone', TRACKER, 'Bearer', /holds no credential/],
  ['two tokens', TRACKER, 'Bearer a b', /holds no credential/],
  ['Basic alone', TRACKER, 'Basic', /holds no credential/],
  ['Basic that is not Base64', TRACKER, 'Basic ada:password', /holds no credential/],
  ['Basic in the alphabet of URLs', TRACKER, 'Basic YTr_-_8', /holds no credential/],
  ['Basic with bits left over', TRACKER, 'Basic YTp', /holds no credential/],
  ['Basic without a colon', TRACKER, basic('ada'), /holds no credential/],
  ['Basic with a line break', TRACKER, basic('ada:pass\r\nx'), /holds no credential/],
  ['Basic with a NUL', TRACKER, basic('ada:\0'), /holds no credential/],
  ['a token beyond ASCII', TRACKER, 'Bearer t\u00f6ken', /holds no credential/],
  ['a token alone beyond ASCII', TRACKER, 't\u00f6ken', /holds no credential/],
  ['a no-break space', TRACKER, 'Bearer a\u00a0b', /holds no credential/],
  ['a tab inside', TRACKER, 'Bearer a\tb', /holds no credential/],
]

for (const mode of ['none', 'apiKey'] as const)
  test(`with auth.inbound.mode "${mode}", a request whose credential for a service cannot be used is 400, and nothing is sent`, async (t) => {
    const { key, hash } = makeKey('one')
    const { upstream, send } = await serve(t, {
      ...(mode === 'apiKey' && { auth: { inbound: { mode, keys: [{ id: 'one', hash, scopes: [] }] } } }),
    })
    const who = mode === 'apiKey' ? ['X-API-Key', key] : []
    for (const [what, header, value, words] of REFUSED)
      for (const era of ['2026-07-28', '2025-11-25'] as const) {
        const answer = await send([...who, header, value], era)
        assert.equal(answer.status, 400, `${what}, ${era}: ${answer.text}`)
        assert.match(answer.text, words, what)
      }
    assert.equal((await send([...who, TRACKER, 'Bearer a', TRACKER, 'Bearer b'])).status, 400, 'two of them')
    assert.equal(upstream.requests.length, 0)
    for (const line of ['Bearer 1|a:b~', basic('ada:p\u00e4ss'), basic(':x'), 'PRIVATE a', 'glpat-abc'])
      assert.equal((await send([...who, TRACKER, line])).status, 200, line)
    assert.equal(upstream.requests.length, 5)
  })

test("with compat.authorizationIsUpstream, a caller's bearer token goes before its API key, and the server's comes after both", async (t) => {
  const { upstream, send } = await serve(t, { compat: { authorizationIsUpstream: true } }, [])
  const sent = async (...headers: string[]) => {
    const before = upstream.requests.length
    const { status } = await send(headers)
    const seen = upstream.requests
      .slice(before)
      .map(({ headers: { authorization, 'x-api-key': apiKey } }) => [authorization, apiKey])
    return [status, ...seen.flat()]
  }
  assert.deepEqual(await sent('Authorization', 'Bearer anns'), [200, 'Bearer anns', undefined])
  assert.deepEqual(await sent('X-API-Key', 'anns-key'), [200, undefined, 'anns-key'])
  assert.deepEqual(await sent('X-API-Key', 'anns-key', 'Authorization', 'Bearer anns'), [200, 'Bearer anns', undefined])
  assert.deepEqual(await sent('Authorization', basic('ann:pw')), [200, basic('ann:pw'), undefined])
  assert.deepEqual(await sent(), [200, 'Bearer server-token', undefined])
  for (const malformed of [
    ['X-API-Key', ''],
    ['X-API-Key', 'two words'],
    ['X-API-Key', 'schl\u00fcssel'],
    ['Authorization', 'Bearer', 'X-API-Key', 'anns-key'],
    ['Authorization', 'Basic x'],
    ['Authorization', 'Bearer anns', TRACKER, 'Bearer anns'],
  ])
    assert.deepEqual(await sent(...malformed), [400], malformed.join())
})

async function serve(
  t: TestContext,
  config: Omit<EmbeddedConfig, 'plugins'>,
  more: readonly EmbeddedEntry[] = [{ use: trackerPlugin(), as: 'closed', allowRequestCredentials: false }],
): Promise<{
  upstream: Upstream
  send: (headers: readonly string[], era?: string) => Promise<{ status: number; text: string }>
}> {
  const upstream = await startUpstream(reply(200, 'issues'))
  t.after(() => upstream[Symbol.asyncDispose]())
  const entry = {
    use: trackerPlugin(),
    config: { apiUrl: upstream.url, personalToken: 'server-token' },
    serverCredentials: 'allow',
  } as const
  const { host } = await trackedHost(t, [entry, ...more], { config })
  const { url = '' } = await host.listen({ http: { port: 0 } })
  return { upstream, send: (headers, era = '2026-07-28') => post(new URL(url), headers, era) }
}

/** With exactly these headers, in this order; a value is sent in Latin-1. */
function post(url: URL, headers: readonly string[], era: string): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const params = { name: 'tracker_issues_get', arguments: {}, _meta: META }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
  const usual = ['Host', url.host, 'Content-Type', 'application/json', 'Accept', 'application/json, text/event-stream']
  const ofEra = [
    'MCP-Protocol-Version',
    era,
    ...(era === '2026-07-28' ? ['Mcp-Method', 'tools/call', 'Mcp-Name', params.name] : []),
  ]
  const sent = request(url, {
    method: 'POST',
    headers: [...usual, ...ofEra, 'Content-Length', String(Buffer.byteLength(body)), ...headers],
  })
  sent.on('error', reject)
  sent.on('response', (response) => {
    text(response).then((answer) => resolve({ status: response.statusCode ?? 0, text: answer }), reject)
  })
  sent.end(body)
  return promise
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}
