import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  definePlugin,
  defineTool,
  hasCredential,
  Secret,
  Type,
  type CallContext,
  type HttpClient,
  type ServicePlugin,
} from '@mcp-patchbay/plugin-api'
import { fakePrincipal } from '@mcp-patchbay/plugin-api/testing'
import { pluginChecks } from '../../../plugin-api/src/testing/plugin-checks.ts'
import { reply, startUpstream, type Behaviour } from '../../fixtures/http/upstream.ts'
import { callerWith, trackedHost, trackerPlugin } from '../../fixtures/plugins/tracker.ts'

const ann = callerWith(fakePrincipal({ id: 'ann' }))

async function asked(t: TestContext, behaviour: Behaviour, config: object, plugin: ServicePlugin = trackerPlugin()) {
  const upstream = await startUpstream(behaviour)
  t.after(() => upstream[Symbol.asyncDispose]())
  const { call } = await trackedHost(t, [
    { use: plugin, config: { apiUrl: upstream.url, ...config }, serverCredentials: 'allow' },
  ])
  return { upstream, text: (await call('tracker_issues_get', ann)).text }
}

test('an error about a credential says what failed, why, what to do, which scopes it needs, and where the service explains it', async (t) => {
  const plugin = { ...trackerPlugin(), docsUrl: 'https://tracker.example/tokens', scopes: ['repo', 'read:org'] }
  const { text } = await asked(t, reply(401, { message: 'Bad credentials' }), { personalToken: 'wrong-token' }, plugin)
  assert.match(text, /^\*\*tracker_issues_get failed: tracker: GET \/issues answered 401: Bad credentials\*\*/)
  assert.match(text, /\*\*Cause\*\*: this call had no credential that the service accepts/)
  assert.match(text, /\*\*To fix\*\*:\n1\. Set TRACKER_PERSONAL_TOKEN in the environment/)
  assert.match(text, /It needs the scopes: repo, read:org/)
  assert.match(text, /How to get one: https:\/\/tracker\.example\/tokens/)
})

for (const [what, headers, scopes] of [
  [
    'in its challenge',
    { 'www-authenticate': 'Bearer error="invalid_token", scope="issues:read issues:write"' },
    'issues:read issues:write',
  ],
  ['as GitHub does', { 'x-accepted-oauth-scopes': 'repo, read:org' }, 'repo, read:org'],
] as const)
  for (const status of [401, 403])
    test(`the scopes that a service names ${what} with ${status} are told`, async (t) => {
      const { text } = await asked(t, reply(status, {}, headers), { personalToken: 'wrong-token' })
      assert.match(text, new RegExp(`It needs the scopes: ${scopes}`))
    })

test('where no credential was sent none was refused', async (t) => {
  const { text } = await asked(t, reply(401), {}, { ...trackerPlugin(), isAuthConfigured: () => true })
  assert.doesNotMatch(text, /did not accept|refused/)
  assert.match(text, /TRACKER_PERSONAL_TOKEN or TRACKER_API_TOKEN|TRACKER_PERSONAL_TOKEN or/)
  assert.match(text, /TRACKER_USERNAME and TRACKER_PASSWORD/)
  assert.match(text, /#credential_required/)
})

test('of half a credential the other half is named', async (t) => {
  for (const [config, set, missing] of [
    [{ username: 'ada' }, 'TRACKER_USERNAME', 'TRACKER_PASSWORD'],
    [{ password: 'secret-word' }, 'TRACKER_PASSWORD', 'TRACKER_USERNAME'],
    [{ oauthClientId: 'id' }, 'TRACKER_OAUTH_CLIENT_ID', 'TRACKER_OAUTH_CLIENT_SECRET'],
  ] as const) {
    const { host } = await trackedHost(t, [{ use: trackerPlugin(), config }])
    const [plugin] = host.list().plugins
    assert.equal(plugin?.state, 'unconfigured')
    assert.match(String(plugin?.reason?.message), new RegExp(`half a credential is set: ${set} without ${missing}`))
    assert.match(String(plugin?.reason?.fix), new RegExp(`^Set ${missing} in the environment`))
  }
})

function withSecret(key: string, capabilities = {}): ServicePlugin {
  return definePlugin({
    name: 'desk',
    config: Type.Object({ apiUrl: Type.String({ default: '' }), [key]: Type.Optional(Secret({ description: 'A token' })) }),
    isAuthConfigured: hasCredential,
    createClient: ({ http }) => http,
    capabilities,
    tools: [
      defineTool({
        name: 'page_get',
        description: 'Gets.',
        access: 'read',
        input: Type.Object({}),
        run: (_, { client }: CallContext<HttpClient>) => client.text('/a'),
      }),
    ],
  }) as ServicePlugin
}

test('apiToken is placed as a personal token, by the rule of the plugin', async (t) => {
  await using upstream = await startUpstream(reply(200, 'there'))
  for (const plugin of [
    withSecret('apiToken'),
    { ...withSecret('apiToken'), credentials: { personalToken: { header: 'Private-Token' } } },
  ]) {
    const { call } = await trackedHost(t, [{ use: plugin, config: { apiUrl: upstream.url } }], {
      env: { DESK_API_TOKEN: 'guides-token' },
    })
    assert.equal((await call('desk_page_get')).text, 'there')
  }
  assert.deepEqual(
    upstream.requests.map(({ headers }) => headers['authorization'] ?? headers['private-token']),
    ['Bearer guides-token', 'guides-token'],
  )
})

const checked = (plugin: ServicePlugin) => pluginChecks.flatMap(({ faults }) => faults(plugin, { anonymous: true })).join('\n')

test('a secret that nothing uses is refused by checkPlugin, and told at load', async (t) => {
  assert.match(checked(withSecret('botToken')), /config\.botToken is a secret that nothing uses/)
  assert.doesNotMatch(checked(withSecret('botToken', { credentials: 'raw' })), /nothing uses/)
  for (const key of ['apiToken', 'personalToken', 'apiKey', 'password'])
    assert.doesNotMatch(checked(withSecret(key)), /nothing uses/)
  const { host, lines } = await trackedHost(t, [{ use: { ...withSecret('botToken'), isAuthConfigured: () => true } }])
  assert.match(host.list().warnings.join(), /config\.botToken of desk is a secret that nothing uses/)
  await new Promise((resolve) => setImmediate(resolve))
  assert.match(lines.join(''), /secret_unused/)
})
