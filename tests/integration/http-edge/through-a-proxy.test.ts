import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { localDialing, refusal, serviceHttp } from '../../fixtures/http/service-http.ts'
import { trackedHost, trackerPlugin } from '../../fixtures/plugins/tracker.ts'
import { FAR_HOSTS, reply, startUpstream, testAuthority } from '../../fixtures/http/upstream.ts'

for (const protocol of ['http', 'https', 'h2'] as const)
  test(`requests to an ${protocol} service go through the proxy of its entry, whatever they hold unseen by it`, async (t) => {
    await using upstream = await startUpstream(reply(200, { fine: true }), { protocol })
    const proxy = await startProxy(t)
    const port = upstream.port
    const baseUrl = `${protocol === 'http' ? 'http' : 'https'}://localhost:${port}`
    await using http = serviceHttp({ baseUrl, proxy: proxy.settings, ca: testAuthority, http2: protocol === 'h2' })
    assert.deepEqual(await http.json('/a'), { fine: true })
    assert.deepEqual(proxy.asked, [`localhost:${port}`])
    assert.equal(upstream.requests[0]?.httpVersion, protocol === 'h2' ? '2.0' : '1.1')
  })

test('a service that offers HTTP/2 is spoken to as its entry says', async () => {
  await using upstream = await startUpstream(reply(200, {}), { protocol: 'h2' })
  await using http = serviceHttp({ baseUrl: `https://localhost:${upstream.port}`, ca: testAuthority, http2: false })
  const error = await refusal(http.json('/a'), 'UPSTREAM_FAILED')
  assert.match(error.message, /failed/)
  assert.equal(upstream.requests.length, 0, 'this one speaks nothing else')
})

test('the proxy is given the credential of its URL, and a wrong one is an error that shows none', async (t) => {
  await using upstream = await startUpstream(reply(200, 'issues'))
  const proxy = await startProxy(t, `Basic ${btoa('ada:canary-proxy')}`)
  const config = { apiUrl: upstream.url, personalToken: 'server-token' }
  const serve = (userinfo: string) =>
    trackedHost(t, [{ use: trackerPlugin(), config, http: { proxyUrl: `http://${userinfo}@127.0.0.1:${proxy.port}` } }])
  const { call } = await serve('ada:canary-proxy')
  assert.equal((await call('tracker_issues_get')).text, 'issues')
  const wrong = await serve('ada:canary-wrong')
  const { text } = await wrong.call('tracker_issues_get')
  assert.match(text, /the proxy gave no connection \(it answered 407 to CONNECT\)/)
  assert.doesNotMatch(text + wrong.lines.join(), /canary/)
  assert.equal(upstream.requests.length, 1)
})

// The rule of Host holds behind a proxy as well.
test('a host that a page may name is resolved before the proxy is asked, which gets an address that passed and no other', async (t) => {
  const [far] = FAR_HOSTS
  await using upstream = await startUpstream(reply(200, {}), { host: far })
  const proxy = await startProxy(t)
  const dialing = localDialing({ 'far.example': ['10.0.0.1', far], 'inside.example': ['10.0.0.1'] })
  await using http = serviceHttp({ extraHosts: ['public'], proxy: proxy.settings, dialing })
  await http.json(`http://far.example:${upstream.port}/a`)
  assert.deepEqual(proxy.asked, [`${far.includes(':') ? `[${far}]` : far}:${upstream.port}`])
  for (const host of ['inside.example', '127.0.0.1', '169.254.169.254']) {
    const error = await refusal(http.json(`http://${host}:${upstream.port}/a`), 'PERMISSION_DENIED')
    assert.match(error.message, /not at a public address/)
  }
  assert.equal(proxy.asked.length, 1)
})

test('a proxy that is not there, or is no proxy, is an error that names its setting', async () => {
  await using upstream = await startUpstream(reply(200, {}))
  for (const url of ['http://127.0.0.1:1', upstream.url]) {
    await using http = serviceHttp({ baseUrl: upstream.url, proxy: { url: new URL(url), authorization: undefined } })
    const error = await refusal(http.json('/a', { method: 'POST' }), 'UPSTREAM_FAILED')
    assert.match(error.fix ?? '', /http\.proxyUrl/)
  }
})

interface TestProxy {
  readonly port: number
  readonly settings: { readonly url: URL; readonly authorization: undefined }
  /** What it was asked to connect to. */
  readonly asked: readonly string[]
}

/** A proxy that knows CONNECT; `authorization` is what it wants to see. `localhost` and names of tests are this machine. */
async function startProxy(t: TestContext, authorization?: string): Promise<TestProxy> {
  const asked: string[] = []
  const server: Server = createServer()
  server.on('connect', (request, client) => {
    client.on('error', () => {})
    if (authorization !== undefined && request.headers['proxy-authorization'] !== authorization)
      return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    asked.push(request.url ?? '')
    const { hostname, port } = new URL(`http://${request.url ?? ''}`)
    const onward = connect(Number(port), hostname === 'localhost' ? '127.0.0.1' : hostname.replace(/^\[|\]$/g, ''), () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      client.pipe(onward).pipe(client)
    })
    onward.on('error', () => client.destroy())
    client.on('close', () => onward.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return { port, asked, settings: { url: new URL(`http://127.0.0.1:${port}`), authorization: undefined } }
}
