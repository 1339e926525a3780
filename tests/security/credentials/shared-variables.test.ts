import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, Type, type ServicePlugin } from '@mcp-patchbay/plugin-api'
import type { EmbeddedConfig } from 'mcp-patchbay'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { trackedHost, trackerPlugin } from '../../fixtures/plugins/tracker.ts'
import { reply, startUpstream } from '../../fixtures/http/upstream.ts'

const env = {
  ACME_EU_JIRA_PERSONAL_TOKEN: 'whose-is-this',
  JIRA_PERSONAL_TOKEN: 'whose-is-this',
  FINE_PERSONAL_TOKEN: 'fine-token',
}
const at = (as: string, more: object = {}) => ({ use: trackerPlugin(), as, ...more })

/** Pairs that read one variable, each in another way. */
const PAIRS: readonly (readonly [string, EmbeddedConfig, RegExp])[] = [
  [
    'two tenants of two instances',
    { plugins: [at('eu_jira'), at('jira')], tenants: { acme: { plugins: { eu_jira: {} } }, acme_eu: { plugins: { jira: {} } } } },
    /ACME_EU_JIRA_PERSONAL_TOKEN.*personalToken of eu_jira for the tenant acme.*personalToken of jira for the tenant acme_eu/,
  ],
  [
    'a tenant of an instance and an entry',
    { plugins: [at('jira'), at('acme_eu_jira')], tenants: { acme_eu: { plugins: { jira: {} } } } },
    /ACME_EU_JIRA_PERSONAL_TOKEN.*personalToken of jira for the tenant acme_eu.*personalToken of acme_eu_jira/,
  ],
  [
    'an entry and the client secret of an exchange',
    {
      plugins: [
        at('jira'),
        at('other', {
          exchange: { tokenUrl: 'https://id.example/t', clientId: 'c', clientSecretVariable: 'JIRA_PERSONAL_TOKEN' },
        }),
      ],
    },
    /JIRA_PERSONAL_TOKEN.*the client secret of c at https:\/\/id\.example/,
  ],
  [
    'a file variable of an entry and the key of the host',
    { plugins: [at('jira')], auth: { stateKeyVariable: 'JIRA_PERSONAL_TOKEN_FILE' } },
    /JIRA_PERSONAL_TOKEN_FILE.*auth\.stateKeyVariable.*personalToken of jira/,
  ],
  [
    'an entry and what another was granted',
    { plugins: [at('jira'), at('nosy', { capabilities: { env: ['JIRA_PERSONAL_TOKEN'] } })] },
    /JIRA_PERSONAL_TOKEN.*capabilities\.env of nosy/,
  ],
  [
    'the connections of one and the config of another',
    { plugins: [at('jira'), at('jira_ca', { use: withFileKey() })] },
    /JIRA_CA_FILE.*the connections of jira.*file of jira_ca/,
  ],
]

for (const [what, config, words] of PAIRS)
  test(`one variable is not read for ${what}: neither gets it, and both are told`, async (t) => {
    const { plugins = [], ...rest } = config
    const { host, lines } = await trackedHost(t, [...(plugins as []), at('fine', { serverCredentials: 'allow' })], {
      config: rest,
      env,
    })
    const states = host.list().plugins.map(({ name, state, reason }) => [name, state, reason?.code, reason?.message])
    const refused = states.filter(([, , code]) => code === 'CONFIG_COLLISION')
    assert.ok(refused.length > 0, JSON.stringify(states))
    for (const [, state, , message] of refused) {
      assert.equal(state, 'failed')
      assert.match(String(message), words)
    }
    assert.deepEqual(states.at(-1)?.slice(0, 2), ['fine', 'active'], 'the others serve')
    assert.ok(!lines.join('').includes('whose-is-this'))
  })

test('no secret of one tenant leaves in the call of another, whatever their names make of a variable', async (t) => {
  await using upstream = await startUpstream(reply(200, 'issues'))
  const { host, call } = await trackedHost(
    t,
    [at('eu_jira', { config: { apiUrl: upstream.url } }), at('jira', { config: { apiUrl: upstream.url } })],
    {
      config: { tenants: { acme: { plugins: { eu_jira: {} } }, acme_eu: { plugins: { jira: {} } } } },
      env,
    },
  )
  for (const name of ['eu_jira_issues_get', 'jira_issues_get']) await assert.rejects(call(name), { code: 'TOOL_UNKNOWN' })
  assert.equal(upstream.requests.length, 0)
  // With other names both are there.
  await host.apply({
    config: resolveConfig({
      plugins: [at('eu_jira'), at('jira', { as: 'jiras' })],
      tenants: { acme: { plugins: { eu_jira: {} } }, acme_eu: { plugins: { jiras: {} } } },
    }),
  })
  assert.deepEqual(
    host.list().plugins.map(({ reason }) => reason?.code === 'CONFIG_COLLISION'),
    [false, false],
  )
})

test('a reload that makes two read one variable keeps what serves and refuses what comes', async (t) => {
  const { host } = await trackedHost(t, [at('acme_eu_jira')], { env })
  assert.equal(host.list().plugins[0]?.state, 'active')
  const tenants = { acme_eu: { plugins: { jira: {} } } }
  await host.apply({ config: resolveConfig({ plugins: [at('acme_eu_jira'), at('jira')], tenants }) })
  const [first, second] = host.list().plugins
  assert.deepEqual([first?.state, second?.state, second?.reason?.code], ['active', 'failed', 'CONFIG_COLLISION'])
})

test('a host whose own keys share a variable does not start', async (t) => {
  const auth = { stateKeyVariable: 'ONE_KEY', accounts: { store: './accounts', keyVariable: 'ONE_KEY' } }
  const started = trackedHost(t, [], { config: { auth }, env: { ONE_KEY: Buffer.alloc(32).toString('base64') } })
  await assert.rejects(started, {
    code: 'CONFIG_COLLISION',
    message: /ONE_KEY.*auth\.stateKeyVariable.*auth\.accounts\.keyVariable/,
  })
})

test('what is one thing may be read by many: a client of one token service, a variable granted to two', async (t) => {
  const exchange = { tokenUrl: 'https://id.example/t', clientId: 'c', clientSecretVariable: 'EXCHANGE_SECRET' }
  const { host } = await trackedHost(
    t,
    [at('one', { exchange, capabilities: { env: ['TZ', 'ONE_LABEL'] } }), at('two', { exchange, capabilities: { env: ['TZ'] } })],
    { env: { EXCHANGE_SECRET: 'secret-of-c' } },
  )
  assert.deepEqual(
    host.list().plugins.map(({ state }) => state),
    ['active', 'active'],
  )
})

function withFileKey(): ServicePlugin {
  return definePlugin({
    name: 'files',
    config: Type.Object({ file: Type.String({ default: '' }) }),
    isAuthConfigured: () => true,
    createClient: () => undefined,
    tools: [],
  }) as ServicePlugin
}
