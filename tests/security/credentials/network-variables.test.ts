import assert from 'node:assert/strict'
import { test } from 'node:test'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { EmbeddedEntry } from 'mcp-patchbay'
import { fakePrincipal } from '@mcp-patchbay/plugin-api/testing'
import slack from '../../../plugins/slack/index.ts'
import { readNetworkVariables } from '../../../host/src/config/plugin/network-variables.ts'
import { reply, startUpstream } from '../../fixtures/http/upstream.ts'
import { callerWith, trackedHost, trackerPlugin, type TrackedOptions } from '../../fixtures/plugins/tracker.ts'

const CA_FILE = join(import.meta.dirname, '../../fixtures/tls/ca.pem')
const read = (env: Record<string, string>, ofConfig: readonly string[] = []) =>
  readNetworkVariables('github', { env, ofConfig: new Set(ofConfig) })

test('the variables of an instance say how its service is reached, in quotes or without', () => {
  const env = parseEnv('GITHUB_TIMEOUT="45"\nGITHUB_SSL_VERIFY="false"\nGITHUB_CA_FILE=./ca.pem\nGITHUB_PROXY_URL=http://p:1')
  assert.deepEqual(read(env as Record<string, string>), {
    timeoutMs: 45_000,
    sslVerify: false,
    caFile: './ca.pem',
    proxyUrl: 'http://p:1',
  })
  assert.deepEqual(read({ GITHUB_TIMEOUT: '"0.5"', GITHUB_SSL_VERIFY: "'yes'" }), { timeoutMs: 500, sslVerify: true })
  assert.deepEqual(read({ GITHUB_TIMEOUT: '', GITHUB_SSL_VERIFY: '""' }), {})
  assert.deepEqual(read({ GITHUB_TIMEOUT: '7' }, ['GITHUB_TIMEOUT']), {}, 'a plugin that has such a setting itself keeps it')
})

for (const [name, value] of [
  ['GITHUB_TIMEOUT', '0'],
  ['GITHUB_TIMEOUT', '-1'],
  ['GITHUB_TIMEOUT', '45s'],
  ['GITHUB_TIMEOUT', 'Infinity'],
  ['GITHUB_TIMEOUT', '1e400'],
  ['GITHUB_SSL_VERIFY', 'maybe'],
] as const)
  test(`${name}=${value} is refused by name`, () => {
    assert.throws(() => read({ [name]: value }), { code: 'NETWORK_VARIABLE', message: new RegExp(`^${name} cannot be used`) })
  })

test('a service whose authority nobody knows is reached with its CA file, or without a check that is told', async (t) => {
  await using upstream = await startUpstream(reply(200, 'issues'), { protocol: 'https' })
  const apiUrl = `https://localhost:${upstream.port}`
  const asked = async (
    env: Record<string, string>,
    entry: Partial<EmbeddedEntry> = {},
    config: TrackedOptions['config'] = {},
  ) => {
    const { call, host, lines } = await trackedHost(
      t,
      [{ use: trackerPlugin(), config: { apiUrl, personalToken: 'x' }, ...entry }],
      {
        env,
        config,
      },
    )
    const [plugin] = host.list().plugins
    if (plugin?.state !== 'active') return { text: String(plugin?.reason?.code), warned: false }
    return { text: (await call('tracker_issues_get')).text, warned: lines.join('').includes('certificate_not_checked') }
  }
  const unknown = await asked({})
  assert.match(unknown.text, /no secure connection.*TRACKER_CA_FILE/s)
  assert.deepEqual(await asked({ TRACKER_CA_FILE: CA_FILE }), { text: 'issues', warned: false })
  assert.deepEqual(await asked({ TRACKER_SSL_VERIFY: 'false' }), { text: 'issues', warned: true })
  assert.deepEqual(await asked({}, { http: { sslVerify: false } }), { text: 'issues', warned: true })
  assert.match((await asked({ TRACKER_SSL_VERIFY: 'true' }, { http: { sslVerify: false } })).text, /no secure connection/)
  assert.equal((await asked({ TRACKER_CA_FILE: '/nowhere.pem' })).text, 'CONFIG_CA_FILE')
  assert.equal((await asked({ TRACKER_PROXY_URL: 'ftp://x' })).text, 'SERVICE_URL_INVALID')
  assert.equal((await asked({ TRACKER_TIMEOUT: 'soon' })).text, 'NETWORK_VARIABLE')
})

test('a tenant has its own, and takes over the check of certificates from nobody', async (t) => {
  await using upstream = await startUpstream(reply(200, 'issues'), { protocol: 'https' })
  const apiUrl = `https://localhost:${upstream.port}`
  const own = { config: { apiUrl, personalToken: 'x' } }
  const { call } = await trackedHost(t, [{ use: trackerPlugin(), ...own, serverCredentials: 'allow' }], {
    config: { tenants: { acme: { plugins: { tracker: own } }, beta: { plugins: { tracker: own } }, gamma: {} } },
    env: { TRACKER_SSL_VERIFY: 'false', BETA_TRACKER_CA_FILE: CA_FILE },
  })
  const as = async (tenant: string) => (await call('tracker_issues_get', callerWith(fakePrincipal({ id: 'ann', tenant })))).text
  assert.match(await as('acme'), /no secure connection/)
  assert.equal(await as('beta'), 'issues')
  assert.equal(await as('gamma'), 'issues')
})

test('variables that begin as those of a plugin and that nothing reads are told in the log and in the list', async (t) => {
  const { host, lines } = await trackedHost(t, [{ use: trackerPlugin() }, { use: trackerPlugin(), as: 'tracker_eu' }], {
    env: {
      TRACKER_PERSONAL_TOKN: 'x',
      TRACKER_TIMEOUT: '5',
      TRACKER_EU_API_KEY: 'x',
      TRACKER_EU_COLOUR: 'red',
      OTHER_THING: 'x',
    },
  })
  const told = host.list().warnings.join('\n')
  assert.match(told, /TRACKER_PERSONAL_TOKN is set, but nothing reads it; did you mean TRACKER_PERSONAL_TOKEN/)
  assert.match(told, /TRACKER_EU_COLOUR is set, but nothing reads it/)
  assert.doesNotMatch(told, /TRACKER_TIMEOUT|TRACKER_EU_API_KEY|OTHER_THING/)
  await new Promise((resolve) => setImmediate(resolve))
  assert.match(lines.join(''), /TRACKER_EU_COLOUR is set.*variable_unused/)
  await host.apply({ env: { TRACKER_NEW: 'x' } })
  assert.match(host.list().warnings.join('\n'), /TRACKER_NEW is set, but nothing reads it/)
})

test("the guide's environment file works as printed", async (t) => {
  await using upstream = await startUpstream(reply(200, { ok: true, channels: [], response_metadata: {} }), { protocol: 'https' })
  const env = parseEnv(
    `SLACK_API_URL="https://localhost:${upstream.port}"\nSLACK_API_TOKEN="xoxb-your-token"\nSLACK_SSL_VERIFY="false"\nSLACK_TIMEOUT="45"\n`,
  )
  const { host, call } = await trackedHost(t, [{ use: slack }], { env: env as Record<string, string> })
  assert.deepEqual([host.list().plugins[0]?.state, host.list().warnings], ['active', []])
  await call('slack_channels_list')
  assert.equal(upstream.requests[0]?.headers['authorization'], 'Bearer xoxb-your-token')
})
