import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakePrincipal } from '@mcp-patchbay/plugin-api/testing'
import type { EmbeddedConfig } from 'mcp-patchbay'
import { resolveConfig } from '../../host/src/config/file/resolve-config.ts'
import { callerWith, trackedHost, trackerPlugin, type TrackerClient } from '../fixtures/plugins/tracker.ts'
import { held, reply, silent, startUpstream, type Behaviour, type Upstream, told } from '../fixtures/http/upstream.ts'

const acme = callerWith(fakePrincipal({ id: 'ann', tenant: 'acme' }))
const umbrella = callerWith(fakePrincipal({ id: 'ann', tenant: 'umbrella' }))
const nobody = callerWith(fakePrincipal({ id: 'ann' }))

/** What a service was asked with. */
const tokens = ({ requests }: Upstream) => requests.map(({ headers }) => headers['authorization'])
const echo: Behaviour = (response, { headers, path }) => response.end(`${path} ${told(headers['authorization'])}`)

test('each tenant has the address, the credential and the client of its own config', async (t) => {
  await using first = await startUpstream(echo)
  await using second = await startUpstream(echo)
  const clients: TrackerClient[] = []
  const plugin = { ...trackerPlugin(clients), name: 'jira_eu' }
  const { call } = await trackedHost(t, [{ use: plugin, config: { label: 'shared' }, serverCredentials: 'allow' }], {
    config: {
      tenants: {
        acme: { plugins: { jira_eu: { config: { apiUrl: first.url, personalToken: 'acmes' } } } },
        umbrella: { plugins: { jira_eu: { config: { apiUrl: second.url, label: 'own' } } } },
      },
    },
    env: { UMBRELLA_JIRA_EU_PERSONAL_TOKEN: 'umbrellas' },
  })
  assert.equal((await call('jira_eu_issues_get', acme)).text, '/issues Bearer acmes')
  assert.equal((await call('jira_eu_issues_get', umbrella)).text, '/issues Bearer umbrellas')
  assert.equal((await call('jira_eu_issues_get', acme)).text, '/issues Bearer acmes')
  assert.deepEqual(
    clients.map(({ tenant, apiUrl }) => [tenant, apiUrl]),
    [
      ['acme', first.url],
      ['umbrella', second.url],
    ],
  )
  assert.deepEqual([tokens(first), tokens(second)], [['Bearer acmes', 'Bearer acmes'], ['Bearer umbrellas']])
  assert.match((await call('jira_eu_config_show', acme)).text, /"label":"shared".*"personalToken":"\[secret\]"/)
  assert.match((await call('jira_eu_config_show', umbrella)).text, /"label":"own"/)
})

test("a tenant with a config of its own never gets the entry's credential", async (t) => {
  await using upstream = await startUpstream(echo)
  await using entrys = await startUpstream(echo)
  const config = { apiUrl: entrys.url, personalToken: 'entrys', apiKey: 'entrys-key', username: 'entry', password: 'entrys-pass' }
  const { host, call } = await trackedHost(t, [{ use: trackerPlugin(), config, serverCredentials: 'allow' }], {
    config: { tenants: { acme: { plugins: { tracker: { config: { apiUrl: upstream.url } } } }, umbrella: {} } },
    env: { TRACKER_PERSONAL_TOKEN: 'entrys-too' },
  })
  await assert.rejects(call('tracker_issues_get', acme), { code: 'TOOL_UNKNOWN' })
  const { decidedBy, chain } = host.explain('tracker_issues_get', acme)
  assert.equal(decidedBy, 'not_configured')
  assert.match(chain.find(({ rule }) => rule === 'not_configured')?.source ?? '', /no credential of its own.*ACME_TRACKER_/)
  assert.equal((await call('tracker_issues_get', umbrella)).text, '/issues Bearer entrys-too', 'which has no config of its own')
  assert.equal(upstream.requests.length, 0)
})

test('a plugin that is configured for tenants only serves them and nobody else', async (t) => {
  await using upstream = await startUpstream(echo)
  let started = 0
  const plugin = { ...trackerPlugin(), start: () => void started++ }
  const { host, call } = await trackedHost(t, [{ use: plugin, serverCredentials: 'allow' }], {
    config: {
      tenants: { acme: { plugins: { tracker: { config: { apiUrl: upstream.url, personalToken: 'acmes' } } } }, umbrella: {} },
    },
  })
  assert.equal((await call('tracker_issues_get', acme)).isError, false)
  for (const caller of [umbrella, nobody, undefined])
    await assert.rejects(call('tracker_issues_get', caller), { code: 'TOOL_UNKNOWN' })
  assert.equal(host.explain('tracker_issues_get').decidedBy, 'not_configured')
  assert.equal(started, 0, 'background work has no settings to run with')
})

test('with tenants in the config a caller of none, or of one that it does not know, sees nothing', async (t) => {
  const { host, call } = await trackedHost(t, [{ use: trackerPlugin(), config: { personalToken: 'x' } }], {
    config: { tenants: { acme: {} } },
  })
  for (const caller of [umbrella, nobody]) {
    assert.equal(host.explain('tracker_nothing_send', caller).decidedBy, 'tenant')
    await assert.rejects(call('tracker_nothing_send', caller), { code: 'TOOL_UNKNOWN' })
  }
  assert.equal((await call('tracker_nothing_send', acme)).text, 'sent nothing')
})

test('filters and readOnly of a tenant are its own', async (t) => {
  const { host } = await trackedHost(t, [{ use: trackerPlugin(), config: { personalToken: 'x' } }], {
    config: { tenants: { acme: { readOnly: true }, umbrella: { tools: { allow: ['tracker_issues_write'] } } } },
  })
  const decided = (name: string, caller = acme) => host.explain(`tracker_${name}`, caller).decidedBy
  assert.deepEqual([decided('issues_get'), decided('issues_write')], [null, 'tenant'])
  assert.deepEqual([decided('issues_get', umbrella), decided('issues_write', umbrella)], ['tenant', null])
})

test("results that are cached are a tenant's own, also shared ones of the same principal", async (t) => {
  await using upstream = await startUpstream(echo)
  const config = { apiUrl: upstream.url, personalToken: 'entrys' }
  const { call } = await trackedHost(t, [{ use: trackerPlugin(), config, serverCredentials: 'allow' }], {
    config: {
      tenants: { acme: { plugins: { tracker: { config: { personalToken: 'acmes' } } } }, umbrella: {}, initech: {} },
    },
  })
  const initech = callerWith(fakePrincipal({ id: 'ann', tenant: 'initech' }))
  for (const name of ['tracker_issues_cached', 'tracker_issues_shared'])
    for (const caller of [acme, umbrella, initech, acme, umbrella, initech]) await call(name, caller)
  assert.deepEqual(tokens(upstream), [
    'Bearer acmes',
    'Bearer entrys',
    'Bearer entrys',
    'Bearer acmes',
    'Bearer entrys',
    'Bearer entrys',
  ])
})

test('a tenant whose calls all hang holds up nobody else, of the same service or of another', async (t) => {
  const answer: Behaviour = (response, request) =>
    request.path === '/hang' ? silent(response, request) : reply(200, 'issues')(response, request)
  await using upstream = await startUpstream(answer)
  const config = { apiUrl: upstream.url, personalToken: 'entrys' }
  const entry = { use: trackerPlugin(), config, serverCredentials: 'allow' } as const
  const { call } = await trackedHost(t, [entry, { ...entry, use: trackerPlugin(), as: 'other' }], {
    config: { tenants: { acme: {}, umbrella: {} }, limits: { callTimeoutMs: 60_000 } },
  })
  const hanging = Array.from({ length: 150 }, () => call('tracker_issues_get', acme, { path: '/hang' }))
  await upstream.received(100)
  assert.equal((await call('tracker_issues_get', umbrella)).text, 'issues')
  assert.equal((await call('tracker_issues_get')).text, 'issues')
  assert.equal((await call('other_issues_get', acme)).text, 'issues')
  assert.ok(hanging.length > upstream.requests.length - 3, 'fifty of them wait for a place of their tenant')
  for (const one of hanging) one.catch(() => {})
})

test('a service that fails for one tenant is not left alone for the others', async (t) => {
  await using upstream = await startUpstream((response, { headers }) => {
    response.writeHead(headers['authorization'] === 'Bearer acmes' ? 503 : 200).end('issues')
  })
  const config = { apiUrl: upstream.url, personalToken: 'entrys' }
  const { call } = await trackedHost(t, [{ use: trackerPlugin(), config, serverCredentials: 'allow' }], {
    config: { tenants: { acme: { plugins: { tracker: { config: { personalToken: 'acmes' } } } }, umbrella: {} } },
  })
  for (let turn = 0; turn < 6; turn++) await call('tracker_issues_write', acme)
  assert.match((await call('tracker_issues_write', acme)).text, /was not sent: the service failed several times in a row/)
  assert.equal((await call('tracker_issues_write', umbrella)).text, 'issues')
})

test("a tenant's config is taken over while another's call runs, which goes on with its own to its end", async (t) => {
  const slow = held(echo)
  await using before = await startUpstream(echo)
  await using after = await startUpstream(echo)
  await using umbrellas = await startUpstream([slow.behaviour, echo])
  const clients: TrackerClient[] = []
  const withAcme = (config: object): EmbeddedConfig => ({
    plugins: [{ use: trackerPlugin(clients), serverCredentials: 'allow' }],
    tenants: {
      acme: { plugins: { tracker: { config: { personalToken: 'acmes', ...config } } } },
      umbrella: { plugins: { tracker: { config: { apiUrl: umbrellas.url, personalToken: 'umbrellas' } } } },
    },
  })
  const first = withAcme({ apiUrl: before.url })
  const { host, call } = await trackedHost(t, first.plugins as [], { config: { tenants: first.tenants } })
  assert.equal((await call('tracker_issues_get', acme)).text, '/issues Bearer acmes')
  const running = call('tracker_issues_get', umbrella, { path: '/slow' })
  await umbrellas.received(1)

  const next = resolveConfig({
    ...first,
    ...withAcme({ apiUrl: after.url, personalToken: 'acmes-next' }),
    plugins: first.plugins,
  })
  await host.apply({ config: next })
  assert.equal((await call('tracker_issues_get', acme)).text, '/issues Bearer acmes-next')
  assert.equal((await call('tracker_issues_get', umbrella)).text, '/issues Bearer umbrellas')
  assert.ok(
    clients.every(({ closed }) => !closed),
    'while a call is in the version before',
  )
  slow.release()
  assert.deepEqual(await running, { text: '/slow Bearer umbrellas', isError: false })
  assert.deepEqual([before.requests.length, after.requests.length], [1, 1])
})

test("a tenant's config with a fault changes nothing for anybody until it is fixed", async (t) => {
  await using upstream = await startUpstream(echo)
  const plugins = [
    { use: trackerPlugin(), config: { apiUrl: upstream.url, personalToken: 'entrys' }, serverCredentials: 'allow' as const },
  ]
  const withToken = (config: object) => ({ plugins, tenants: { acme: { plugins: { tracker: { config } } }, umbrella: {} } })
  const { host, call } = await trackedHost(t, plugins, { config: { tenants: withToken({ personalToken: 'acmes' }).tenants } })
  const { generation } = host.snapshot
  await host.apply({ config: resolveConfig(withToken({ personalToken: 'next', label: 5 })) })
  assert.equal((await call('tracker_issues_get', acme)).text, '/issues Bearer acmes')
  assert.match(host.list().plugins[0]?.reloadError?.message ?? '', /not configured for the tenant "acme".*label/)
  await host.apply({ config: resolveConfig(withToken({ personalToken: 'next' })) })
  assert.equal((await call('tracker_issues_get', acme)).text, '/issues Bearer next')
  assert.equal((await call('tracker_issues_get', umbrella)).text, '/issues Bearer entrys')
  assert.ok(host.snapshot.generation > generation)
})

test("a tenant's variable that changes is taken over", async (t) => {
  await using upstream = await startUpstream(echo)
  const { host, call } = await trackedHost(
    t,
    [{ use: trackerPlugin(), config: { apiUrl: upstream.url }, serverCredentials: 'allow' }],
    {
      config: { tenants: { acme: { plugins: { tracker: {} } } } },
      env: { ACME_TRACKER_PERSONAL_TOKEN: 'one' },
    },
  )
  assert.equal((await call('tracker_issues_get', acme)).text, '/issues Bearer one')
  await host.apply({ env: { ACME_TRACKER_PERSONAL_TOKEN: 'two' } })
  assert.equal((await call('tracker_issues_get', acme)).text, '/issues Bearer two')
})

test('clients of callers that nobody uses any more are disposed, and so is every client in the end', async (t) => {
  await using upstream = await startUpstream(echo)
  const clients: TrackerClient[] = []
  const { host, call } = await trackedHost(t, [
    { use: trackerPlugin(clients), config: { apiUrl: upstream.url, personalToken: 'x' } },
  ])
  for (let index = 0; index < 300; index++)
    await call('tracker_nothing_send', callerWith(fakePrincipal({ id: `user-${index}` }), { tracker: `Bearer token-${index}` }))
  assert.equal(clients.length, 300)
  assert.equal(clients.filter(({ closed }) => closed).length, 44)
  await host.close({ graceMs: 0 })
  assert.ok(clients.every(({ closed }) => closed))
})

test('the same credential in two tenants is two clients, and two credentials of one caller are two', async (t) => {
  const clients: TrackerClient[] = []
  const { call } = await trackedHost(t, [{ use: trackerPlugin(clients), config: { personalToken: 'x' } }])
  const of = (tenant: string, token: string) => callerWith(fakePrincipal({ id: 'ann', tenant }), { tracker: `Bearer ${token}` })
  for (const caller of [of('acme', 'a'), of('umbrella', 'a'), of('acme', 'b'), of('acme', 'a')])
    await call('tracker_nothing_send', caller)
  assert.deepEqual(
    clients.map(({ tenant }) => tenant),
    ['acme', 'umbrella', 'acme'],
  )
})
