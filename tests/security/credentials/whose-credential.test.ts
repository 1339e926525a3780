import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Principal } from '@mcp-patchbay/plugin-api'
import { fakePrincipal } from '@mcp-patchbay/plugin-api/testing'
import type { EmbeddedEntry } from 'mcp-patchbay'
import { rawClient } from '../../fixtures/http/raw-client.ts'
import { callerWith, trackedHost, trackerPlugin } from '../../fixtures/plugins/tracker.ts'
import { reply, startUpstream, type Behaviour, type Upstream, heard, told } from '../../fixtures/http/upstream.ts'

const ann = fakePrincipal({ id: 'ann' })
const bob = fakePrincipal({ id: 'bob' })

const levels = [
  { name: 'the caller', header: 'authorization', line: 'Bearer own-token-1' },
  { name: 'personal token', header: 'authorization', line: 'Bearer server-token' },
  { name: 'API key', header: 'x-api-key', line: 'server-key' },
  { name: 'basic', header: 'authorization', line: `Basic ${btoa('ada:pass:word')}` },
] as const

test('a call goes with the highest credential that there is, and with that one alone', async (t) => {
  const masks = Array.from({ length: 16 }, (_, mask) => ({
    as: `mask${mask}`,
    present: levels.filter((_, bit) => mask & (1 << bit)),
  }))
  await using upstream = await startUpstream(reply(200, 'issues'))
  const entries = masks.map(({ as, present }) => {
    const has = (name: string) => present.some((level) => level.name === name)
    const config = {
      apiUrl: upstream.url,
      ...(has('personal token') && { personalToken: 'server-token' }),
      ...(has('API key') && { apiKey: 'server-key' }),
      ...(has('basic') && { username: 'ada', password: 'pass:word' }),
    }
    return { use: { ...trackerPlugin(), isAuthConfigured: () => true }, as, config, serverCredentials: 'allow' as const }
  })
  const { call } = await trackedHost(t, entries)
  for (const { as, present } of masks) {
    const [highest] = present
    const caller = callerWith(ann, highest?.name === 'the caller' ? { [as]: 'Bearer own-token-1' } : {})
    const names = present.map(({ name }) => name).join(' + ') || 'nobody'
    assert.deepEqual(await call(`${as}_issues_get`, caller), { text: 'issues', isError: false }, names)
    assert.deepEqual(sentCredentials(upstream), highest ? [[highest.header, highest.line]] : [], names)
  }
})

test("a caller without a credential of its own does not get the server's, and nothing is sent", async (t) => {
  const { upstream, call } = await serve(t)
  const { text, isError } = await call('tracker_issues_get', callerWith(ann))
  assert.ok(isError)
  assert.match(text, /tracker needs a credential of yours for this call: the server's own is not for callers/)
  assert.match(text, /Link your account or send X-Upstream-Tracker-Authorization/)
  assert.match(text, /docs\/errors\.md#credential_required/)
  assert.equal(upstream.requests.length, 0)
})

test("a caller without a credential of its own gets the server's where the config allows it", async (t) => {
  const { upstream, call } = await serve(t, { serverCredentials: 'allow' })
  await call('tracker_issues_get', callerWith(ann))
  assert.deepEqual(sentCredentials(upstream), [['authorization', 'Bearer server-token']])
})

test("with readOnly callers read with the server's credential and write with their own", async (t) => {
  const { upstream, call } = await serve(t, { serverCredentials: 'readOnly' })
  assert.equal((await call('tracker_issues_get', callerWith(ann))).isError, false)
  const refused = await call('tracker_issues_write', callerWith(ann))
  assert.match(refused.text, /the server's own is for reading only/)
  assert.equal((await call('tracker_issues_write', callerWith(ann, { tracker: 'Bearer anns' }))).isError, false)
  assert.deepEqual(
    upstream.requests.map(({ method, headers }) => [method, headers['authorization']]),
    [
      ['GET', 'Bearer server-token'],
      ['POST', 'Bearer anns'],
    ],
  )
})

test("the operator, on stdio or in process, has the server's credential whatever callers may", async (t) => {
  const { upstream, call } = await serve(t, { serverCredentials: 'deny' })
  assert.equal((await call('tracker_issues_get')).isError, false)
  assert.deepEqual(sentCredentials(upstream), [['authorization', 'Bearer server-token']])
})

test("somebody over HTTP is not the operator where the config denies the server's credential", async (t) => {
  const { upstream, host } = await serve(t, { serverCredentials: 'deny' }, { inbound: 'none' })
  const { url } = await host.listen({ http: { port: 0 } })
  const client = rawClient(new URL(url ?? ''))
  assert.match((await client.call('tracker_issues_get')).text, /Link your account or send X-Upstream-Tracker-Authorization/)
  assert.equal(upstream.requests.length, 0)
  const answer = await client.call('tracker_issues_get', {}, { 'x-upstream-tracker-authorization': 'Bearer anns' })
  assert.match(answer.text, /issues/)
  assert.deepEqual(sentCredentials(upstream), [['authorization', 'Bearer anns']])
})

test("on loopback, where nobody is asked who calls, everybody has the server's credential unless the config says otherwise", async (t) => {
  const { upstream, host } = await serve(t, {}, { inbound: 'none' })
  const { url } = await host.listen({ http: { port: 0 } })
  assert.match((await rawClient(new URL(url ?? '')).call('tracker_issues_get')).text, /issues/)
  assert.deepEqual(sentCredentials(upstream), [['authorization', 'Bearer server-token']])
})

test('a service that the server has no credential for is served to callers who bring theirs, once the config counts on them', async (t) => {
  await using upstream = await startUpstream(reply(200, 'issues'))
  const entry = { use: trackerPlugin(), config: { apiUrl: upstream.url } }
  const hidden = await trackedHost(t, [entry])
  assert.equal(hidden.host.list().plugins[0]?.state, 'unconfigured')
  assert.match(JSON.stringify(hidden.host.list().plugins[0]), /serverCredentials: 'deny'/)
  const { call } = await trackedHost(t, [{ ...entry, serverCredentials: 'deny' }])
  assert.match((await call('tracker_issues_get', callerWith(ann))).text, /tracker needs a credential of yours/)
  assert.match((await call('tracker_issues_get')).text, /the server has none/)
  assert.equal(upstream.requests.length, 0)
  assert.equal((await call('tracker_issues_get', callerWith(ann, { tracker: 'Bearer anns' }))).text, 'issues')
})

test('what a caller proves itself to this server with reaches no service, no plugin and no line of the log', async (t) => {
  const { upstream, host, lines } = await serve(t, {}, { inbound: 'none' })
  const { url } = await host.listen({ http: { port: 0 } })
  const client = rawClient(new URL(url ?? ''))
  const texts: string[] = []
  for (const name of ['issues_get', 'issues_raw', 'context_show']) {
    const headers = { authorization: 'Bearer canary-inbound', cookie: 'session=canary-inbound', 'x-api-key': 'canary-inbound' }
    texts.push((await client.call(`tracker_${name}`, {}, headers)).text)
  }
  assert.ok(upstream.requests.length > 0)
  assert.doesNotMatch(JSON.stringify([upstream.requests, texts, lines]), /canary-inbound/)
})

test("a caller's credential is in nothing that a plugin sees or the log has, also when the service sends it back", async (t) => {
  const echo: Behaviour = (response, { headers }) => {
    response.writeHead(500, { 'content-type': 'text/plain' })
    response.end(`refused: ${String(headers['authorization'])} ${btoa(String(headers['authorization']))}`)
  }
  const { call, lines } = await serve(t, {}, { behaviour: echo })
  const own = callerWith(ann, { tracker: 'Bearer canary-own-credential' })
  const texts: string[] = []
  for (const name of ['issues_write', 'issues_raw', 'context_show']) texts.push((await call(`tracker_${name}`, own)).text)
  assert.match(texts[0] ?? '', /answered 500: refused: Bearer \\\[redacted/)
  assert.ok(lines.some((line) => line.includes('"event":"answered"') || line.includes('answered')))
  assert.doesNotMatch(texts.join() + lines.join(), /canary-own|Y2FuYXJ5LW93/)
})

for (const status of [401, 403])
  test(`a caller's credential that the service answers ${status} is an error, and the server's is not tried`, async (t) => {
    const { upstream, call } = await serve(t, { serverCredentials: 'allow' }, { behaviour: reply(status, { message: 'no' }) })
    const { text, isError } = await call('tracker_issues_get', callerWith(ann, { tracker: 'Bearer stale' }))
    assert.ok(isError)
    assert.match(text, new RegExp(`tracker: GET /issues answered ${status}`))
    if (status === 401)
      assert.match(text, /Send X-Upstream-Tracker-Authorization with a credential that is valid.*#credential_refused/)
    assert.deepEqual(
      upstream.requests.map(({ headers }) => headers['authorization']),
      ['Bearer stale'],
    )
  })

test("a credential of the server's that is refused is named by its variable", async (t) => {
  const { call } = await serve(t, { serverCredentials: 'allow' }, { behaviour: reply(401) })
  const { text } = await call('tracker_issues_get', callerWith(ann))
  assert.match(text, /Set TRACKER_PERSONAL_TOKEN in the environment or in \.env.*docs\/errors\.md#credential_refused/)
})

test('a credential for one service is never seen by another', async (t) => {
  await using upstream = await startUpstream(reply(200, 'issues'))
  const config = { apiUrl: upstream.url, personalToken: 'server-token' }
  const { call } = await trackedHost(t, [
    { use: trackerPlugin(), as: 'jira_eu', config, serverCredentials: 'allow' },
    { use: trackerPlugin(), as: 'confluence', config, serverCredentials: 'allow' },
  ])
  const caller = callerWith(ann, { 'Jira-EU': 'Bearer anns-jira' })
  await call('confluence_issues_get', caller)
  await call('jira_eu_issues_get', caller)
  assert.deepEqual(
    upstream.requests.map(({ headers }) => headers['authorization']),
    ['Bearer server-token', 'Bearer anns-jira'],
  )
})

for (const [what, header, value, words] of [
  [
    'a credential for a service that takes none of callers',
    'X-Upstream-Tracker-Authorization',
    'Bearer a',
    /takes no credentials of callers/,
  ],
  ['a credential for a service that is not there', 'X-Upstream-Trackr-Authorization', 'Bearer a', /there is no \\"trackr\\"/],
  ['the address of a service', 'X-Upstream-Tracker-Url', 'https://evil.example', /addresses are the operator's/],
  [
    'a header that is nearly the right one',
    'X-Upstream-Tracker-Authorisation',
    'Bearer a',
    /X-Upstream-<INSTANCE>-Authorization/,
  ],
  ['a credential for no service in particular', 'X-Upstream-Authorization', 'Bearer a', /X-Upstream-<INSTANCE>-Authorization/],
] as const)
  test(`a request with ${what} is refused and not served without it`, async (t) => {
    const { upstream, host } = await serve(t, { allowRequestCredentials: false }, { inbound: 'none' })
    const { url } = await host.listen({ http: { port: 0 } })
    const answer = await rawClient(new URL(url ?? '')).call('tracker_issues_get', {}, { [header]: value })
    assert.equal(answer.status, 400)
    assert.match(answer.text, words)
    assert.equal(upstream.requests.length, 0)
  })

for (const [where, location] of [
  ['another origin', (origin: Upstream) => `http://127.0.0.2:${origin.port}/issues`],
  ['another port of this machine', () => 'http://127.0.0.1:1/issues'],
  ['outside of its base', (origin: Upstream) => `${origin.url}/elsewhere`],
] as const)
  test(`a service that redirects to ${where} is not followed, so the caller's credential stays`, async (t) => {
    const origin: { upstream?: Upstream } = {}
    const behaviour: Behaviour = (response) => {
      response.writeHead(302, { location: origin.upstream ? location(origin.upstream) : '' }).end()
    }
    await using upstream = await startUpstream(behaviour)
    origin.upstream = upstream
    const { call } = await trackedHost(t, [
      { use: trackerPlugin(), config: { apiUrl: `${upstream.url}/base`, personalToken: 'x' } },
    ])
    const { text } = await call('tracker_issues_get', callerWith(ann, { tracker: 'Bearer anns' }))
    assert.match(text, /redirects (?:to another origin|out of its base URL), which is not followed/)
    assert.equal(upstream.requests.length, 1)
  })

test('a thousand interleaved calls of two callers each go with their own credential, and each gets its own answer', async (t) => {
  const pending: (() => void)[] = []
  const release = () => {
    // Whoever waits is answered in an order of its own: the last come first, every third later.
    const ready = pending.splice(0).toReversed()
    for (const [index, answer] of ready.entries()) if (index % 3) answer()
    for (const [index, answer] of ready.entries()) if (index % 3 === 0) answer()
  }
  const { upstream, call } = await serve(
    t,
    {},
    {
      behaviour: (response, { headers, path }) => {
        pending.push(() => response.end(`${path} for ${told(headers['authorization'])}`))
        setImmediate(release)
      },
    },
  )
  const people: readonly Principal[] = [ann, bob]
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, async (_, index) => {
      const principal = people[index % 2] ?? ann
      const caller = callerWith(principal, { tracker: `Bearer token-of-${principal.id}` })
      const { text } = await call('tracker_issues_get', caller, { path: `/${principal.id}/${index}` })
      return [text, `/${principal.id}/${index} for Bearer token-of-${principal.id}`]
    }),
  )
  for (const [text, expected] of answers) assert.equal(text, expected)
  assert.equal(upstream.requests.length, 1_000)
  for (const { path, headers } of upstream.requests)
    assert.equal(headers['authorization'], `Bearer token-of-${path.split('/')[1] ?? ''}`)
})

test('fifty clients with the same request id each get the answer to their own request', async (t) => {
  const { host } = await serve(
    t,
    {},
    { inbound: 'none', behaviour: (response, { headers }) => response.end(told(headers['authorization'])) },
  )
  const { url } = await host.listen({ http: { port: 0 } })
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const headers = { 'x-upstream-tracker-authorization': `Bearer client-${index}-end` }
      return heard((await rawClient(new URL(url ?? '')).call('tracker_issues_get', {}, headers)).text)
    }),
  )
  for (const [index, text] of answers.entries()) assert.match(text, new RegExp(`client-${index}-end`))
})

test("what one caller's credential brought is not given to another caller, nor to the same one with another credential", async (t) => {
  const { upstream, call } = await serve(
    t,
    {},
    { behaviour: (response, { headers }) => response.end(told(headers['authorization'])) },
  )
  for (const name of ['tracker_issues_cached', 'tracker_issues_shared']) {
    const from = upstream.requests.length
    for (const [principal, token] of [
      [ann, 'anns'],
      [bob, 'bobs'],
      [ann, 'anns-next'],
      [ann, 'anns'],
    ] as const)
      assert.equal((await call(name, callerWith(principal, { tracker: `Bearer ${token}` }))).text, `Bearer ${token}`)
    assert.equal(upstream.requests.length - from, 3, 'the fourth is the first again')
  }
})

test("what the server's credential brought is not given to callers who may not use it", async (t) => {
  const { upstream, call } = await serve(t)
  assert.equal((await call('tracker_issues_shared')).text, 'issues')
  assert.match((await call('tracker_issues_shared', callerWith(ann))).text, /tracker needs a credential of yours/)
  assert.equal(upstream.requests.length, 1)
})

test('a plugin that has the secrets itself is not called by those who may not use them, whatever they bring', async (t) => {
  const { call } = await serve(t, { capabilities: { credentials: 'raw' } })
  for (const caller of [callerWith(ann), callerWith(ann, { tracker: 'Bearer anns' })])
    assert.match((await call('tracker_nothing_send', caller)).text, /tracker needs a credential of yours/)
  assert.equal((await call('tracker_nothing_send')).text, 'sent nothing')
})

for (const [line, header, value] of [
  ['Bearer abc', 'authorization', 'Bearer abc'],
  ['bearer abc', 'authorization', 'Bearer abc'],
  [`Basic ${btoa('a:b')}`, 'authorization', `Basic ${btoa('a:b')}`],
  ['token abc', 'authorization', 'token abc'],
  ['glpat-abc', 'private-token', 'glpat-abc'],
] as const)
  test(`a caller's "${line.split(' ', 1)[0]}" credential goes where the plugin puts such ones`, async (t) => {
    await using upstream = await startUpstream(reply(200, 'issues'))
    const plugin = { ...trackerPlugin(), credentials: { personalToken: { header: 'Private-Token' } } }
    const { call } = await trackedHost(t, [{ use: plugin, config: { apiUrl: upstream.url, personalToken: 'server-token' } }])
    await call('tracker_issues_get', callerWith(ann, { tracker: line }))
    assert.deepEqual(sentCredentials(upstream), [[header, value]])
  })

async function serve(
  t: TestContext,
  entry: Partial<EmbeddedEntry> = {},
  {
    behaviour = reply(200, 'issues'),
    inbound = 'apiKey',
    config = {},
  }: { behaviour?: Behaviour; inbound?: 'none' | 'apiKey'; config?: object } = {},
) {
  const upstream = await startUpstream(behaviour)
  t.after(() => upstream[Symbol.asyncDispose]())
  const keys = [{ id: 'one', hash: '0'.repeat(64), scopes: [] }]
  const tracked = await trackedHost(
    t,
    [{ use: trackerPlugin(), config: { apiUrl: upstream.url, personalToken: 'server-token' }, ...entry }],
    { config: { ...config, ...(inbound === 'apiKey' && { auth: { inbound: { mode: 'apiKey', keys } } }) } },
  )
  return { upstream, ...tracked }
}

/** The headers of the last request that can hold a credential. */
function sentCredentials({ requests }: Upstream): [string, unknown][] {
  return Object.entries(requests.at(-1)?.headers ?? {}).filter(([name]) => /authorization|api-key|token|cookie/.test(name))
}
