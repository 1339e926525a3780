import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, definePrompt, defineResource, defineTool, hasCredential, Secret, Type } from '@mcp-patchbay/plugin-api'
import type { ServicePlugin } from '@mcp-patchbay/plugin-api'
import type { EmbeddedEntry } from 'mcp-patchbay'
import { hostUnderTest, type HostUnderTestOptions } from '../fixtures/projects/host-under-test.ts'
import { rawClient, type RawAnswer } from '../fixtures/http/raw-client.ts'
import { RawSession } from '../fixtures/http/raw-session.ts'
import { bearers, serveHttp } from '../fixtures/http/serving.ts'

interface Secretive {
  readonly plugin: ServicePlugin
  /** What ran of it, which is nothing. */
  readonly ran: string[]
}

/** A plugin whose tools, prompts and resources say so when they run. */
function secretive({
  permissions = [],
  unconfigured = false,
}: { permissions?: string[]; unconfigured?: boolean } = {}): Secretive {
  const ran: string[] = []
  const runs = (name: string) => () => {
    ran.push(name)
    return 'it ran'
  }
  const completes = () => [runs('completion')()]
  const plugin = definePlugin({
    name: 'vault',
    config: Type.Object({ apiKey: Type.Optional(Secret()) }),
    isAuthConfigured: unconfigured ? hasCredential : () => true,
    createClient: () => undefined,
    tools: (['read', 'write'] as const).map((access) =>
      defineTool({
        name: `door_${access}`,
        description: 'Opens.',
        access,
        permissions,
        tags: ['doors'],
        input: Type.Object({ key: Type.String() }),
        run: runs(access),
      }),
    ),
    prompts: [definePrompt({ name: 'door_prompt', permissions, complete: completes, run: runs('prompt') })],
    resources: [
      defineResource({ name: 'door_plan', uri: 'vault://plan', permissions, read: runs('resource') }),
      defineResource({
        name: 'door_page',
        uri: 'vault://pages/{page}',
        permissions,
        complete: completes,
        read: runs('template'),
      }),
    ],
  })
  return { plugin: plugin as ServicePlugin, ran }
}

/** Everything that asks for something by name, and the same for something nobody has, of the same length. */
const requests: readonly (readonly [method: string, hidden: string, absent: string, params: (name: string) => object])[] = [
  ['tools/call', 'vault_door_read', 'vault_door_rear', (name) => ({ name, arguments: { key: 'k' } })],
  ['tools/call', 'vault_door_read', 'vault_door_rear', (name) => ({ name, arguments: {} })],
  ['tools/call', 'vault_door_write', 'vault_door_wrote', (name) => ({ name, arguments: { key: 'k' } })],
  ['prompts/get', 'vault_door_prompt', 'vault_door_prompx', (name) => ({ name })],
  ['prompts/get', 'vault_door_prompt', 'vault_door_prompx', (name) => ({ name, arguments: { surplus: '1' } })],
  ['resources/read', 'vault://plan', 'vault://plum', (uri) => ({ uri })],
  ['resources/read', 'vault://pages/1', 'vault://sages/1', (uri) => ({ uri })],
  ['resources/subscribe', 'vault://plan', 'vault://plum', (uri) => ({ uri })],
  ['completion/complete', 'vault_door_prompt', 'vault_door_prompx', (name) => completion({ type: 'ref/prompt', name })],
  ['completion/complete', 'vault://pages/{page}', 'vault://sages/{page}', (uri) => completion({ type: 'ref/resource', uri })],
]
const completion = (ref: object) => ({ ref, argument: { name: 'page', value: '1' } })

const isWrite = (name: string) => name === 'vault_door_write'

/** Asks for each hidden thing and for one that is not there, in both eras, and compares the answers byte by byte. */
async function assertHidden(
  url: URL,
  { headers = {}, isHidden = () => true }: { headers?: Record<string, string>; isHidden?: (name: string) => boolean } = {},
): Promise<void> {
  const client = rawClient(url)
  const session = await RawSession.open(url, headers)
  for (const [method, hidden, absent, params] of requests.filter(([, name]) => isHidden(name))) {
    const modern = async (name: string) => bytesOf(await client.post(method, { ...params(name) }, headers), name)
    assert.deepEqual(await modern(hidden), await modern(absent), `${method} ${hidden}`)
    const older = async (name: string) => {
      const { status, text } = await session.post(method, { ...params(name) }, 7)
      return [status, withoutName(text, name)]
    }
    const answer = await older(hidden)
    assert.deepEqual(answer, await older(absent), `${method} ${hidden}`)
    assert.match(String(answer[1]), /"error":\{"code":-32(?:602|002)/)
  }
  const lists = await Promise.all(
    ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'].map((method) =>
      client.post(method, {}, headers),
    ),
  )
  for (const { text } of lists)
    for (const [, hidden] of requests) if (isHidden(hidden)) assert.ok(!text.includes(`"${hidden}"`), `${hidden} is listed`)
}

function bytesOf({ status, headers, text }: RawAnswer, name: string): readonly unknown[] {
  return [status, headers.get('content-type'), headers.get('content-length'), withoutName(text, name)]
}

/** The answer repeats what was asked for, and each event has a number; nothing else may differ. */
function withoutName(text: string, name: string): string {
  return text.replaceAll(name, 'NAME').replaceAll(/^id: .*$/gm, 'id: ID')
}

const hiding: readonly (readonly [why: string, config: HostUnderTestOptions['config'], isHidden?: (name: string) => boolean])[] =
  [
    ['tools.deny of the host', { tools: { deny: ['vault_*'] } }],
    ['tools.allow of the host', { tools: { allow: ['healthy_*'] } }],
    ['a toolset that is not enabled', { tools: { toolsets: { pulse: ['healthy_*'] }, enable: ['pulse'] } }],
    ['readOnly', { readOnly: true }, isWrite],
  ]
for (const [why, config = {}, isHidden] of hiding)
  test(`what ${why} hides is answered like what is not there, and does not run`, async (t) => {
    const { plugin, ran } = secretive()
    const { url } = await hostUnderTest(t, [plugin], { config })
    await assertHidden(url, { ...(isHidden && { isHidden }) })
    assert.deepEqual(ran, [])
  })

const entries: readonly (readonly [why: string, entry: Omit<EmbeddedEntry, 'use'>, isHidden?: (name: string) => boolean])[] = [
  ['tools.deny of its entry', { tools: { deny: ['door_*'] } }],
  ['readOnly of its entry', { readOnly: true }, isWrite],
]
for (const [why, entry, isHidden] of entries)
  test(`what ${why} hides is answered like what is not there, and does not run`, async (t) => {
    const { plugin, ran } = secretive()
    const { url } = await hostUnderTest(t, [{ ...entry, use: plugin }])
    await assertHidden(url, { ...(isHidden && { isHidden }) })
    assert.deepEqual(ran, [])
  })

test('what is not configured is answered like what is not there, and does not run', async (t) => {
  const { plugin, ran } = secretive({ unconfigured: true })
  const { url, host } = await hostUnderTest(t, [plugin])
  assert.equal(host.list().plugins[0]?.state, 'unconfigured')
  await assertHidden(url)
  assert.deepEqual(ran, [])
})

test('what a request gave up by its headers is answered like what is not there, and does not run', async (t) => {
  const { plugin, ran } = secretive()
  const { url } = await hostUnderTest(t, [plugin], { config: { tools: { toolsets: { pulse: ['healthy_*'] } } } })
  await assertHidden(url, { headers: { 'x-patchbay-toolsets': 'pulse' } })
  await assertHidden(url, { headers: { 'x-patchbay-read-only': 'true' }, isHidden: isWrite })
  assert.deepEqual(ran, [])
})

test('what a caller has no permission for is answered like what is not there, and does not run', async (t) => {
  const { plugin, ran } = secretive({ permissions: ['vault:open'] })
  const authenticate = bearers({ reader: { permissions: ['other'] }, keeper: { permissions: ['vault:open'] } })
  const { url } = await serveHttp(t, [plugin], { deps: { authenticate } })
  await assertHidden(url, { headers: { authorization: 'Bearer reader' } })
  assert.deepEqual(ran, [])
  const allowed = { authorization: 'Bearer keeper' }
  assert.match((await rawClient(url).call('vault_door_read', { key: 'k' }, allowed)).text, /it ran/)
})

test('what another tenant has is answered like what is not there, and does not run', async (t) => {
  const { plugin, ran } = secretive()
  const authenticate = bearers({ acme: { tenant: 'acme' }, other: { tenant: 'other' }, stranger: { tenant: 'stranger' } })
  const config = { tenants: { acme: {}, other: { tools: { deny: ['vault_*'] } } } }
  const { url } = await serveHttp(t, [plugin], { config, deps: { authenticate } })
  await assertHidden(url, { headers: { authorization: 'Bearer other' } })
  await assertHidden(url, { headers: { authorization: 'Bearer stranger' } })
  assert.deepEqual(ran, [])
  const allowed = { authorization: 'Bearer acme' }
  assert.match((await rawClient(url).call('vault_door_read', { key: 'k' }, allowed)).text, /it ran/)
})
