import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fakeLog, fakePrincipal } from '@mcp-patchbay/plugin-api/testing'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { createHost } from '../../../host/src/host.ts'
import type { Host } from '../../../host/src/types.ts'
import { v1, v2 } from '../../fixtures/http/mcp-clients.ts'
import { callerWith } from '../../fixtures/plugins/tracker.ts'
import { startServers } from '../../fixtures/servers/http-servers.mjs'

const root = join(import.meta.dirname, '../../..')
const log = fakeLog()
let far: Awaited<ReturnType<typeof startServers>>
let host: Host
let url: URL

before(async () => {
  far = await startServers()
  const config = resolveConfig({
    plugins: [
      { use: `mcp:${far.url}/legacy?team=1`, as: 'legacy' },
      { use: `mcp:${far.url}/modern`, as: 'modern', share: 'caller' },
      { use: `mcp:${far.url}/older`, as: 'older' },
      { use: `mcp:${far.url}/closed`, as: 'closed' },
      { use: 'mcp:http://127.0.0.1:9/', as: 'absent' },
    ],
  })
  const env = { LEGACY_PERSONAL_TOKEN: 'token-1234567890' }
  host = await createHost(config, { file: join(root, 'mcp.config.ts'), env, log, patienceMs: Infinity })
  url = new URL((await host.listen({ http: { port: 0 } })).url ?? '')
})
after(async () => {
  await host.close({ graceMs: 0 })
  await far.close()
})

async function call(name: string, args: object = {}, tenant?: string): Promise<string> {
  const caller = callerWith(fakePrincipal({ id: 'ann', ...(tenant !== undefined && { tenant }) }))
  const answer = await host.call(name, args, { caller })
  const { content } = (answer as unknown as { readonly result: { content: { text?: string }[] } }).result
  return content.map(({ text }) => text).join('')
}
const plugin = (name: string) => host.list().plugins.find((one) => one.name === name) ?? assert.fail(name)

test('servers elsewhere are listed and called like any, in every era', async () => {
  for (const name of ['legacy', 'modern', 'older']) {
    assert.equal(plugin(name).state, 'active', JSON.stringify(plugin(name).reason))
    assert.equal(plugin(name).isolation, 'remote')
    assert.equal(await call(`${name}_echo`, { text: name }), name)
  }
  assert.ok(host.snapshot.resources.has('legacy://readme'))
  assert.ok(host.snapshot.resources.has('legacy://older/readme'), 'the same URI of another server')
})

test('requests carry the credential of the instance, to its address and no other', async () => {
  await call('legacy_echo', { text: 'x' })
  const sent = far.requests.filter(({ path }) => path.startsWith('/legacy'))
  assert.ok(sent.length > 2)
  for (const { path, headers } of sent) {
    assert.equal(path, '/legacy?team=1')
    assert.equal(headers.authorization, 'Bearer token-1234567890')
    assert.match(String(headers['user-agent']), /^patchbay-legacy\//)
  }
  for (const { path, headers } of far.requests)
    if (!path.startsWith('/legacy')) assert.equal(headers.authorization, undefined, path)
})

test('a session that the server has forgotten is opened again, and the call runs once', async () => {
  const before = [...far.sessions.keys()]
  far.forget()
  assert.equal(await call('legacy_echo', { text: 'again' }), 'again')
  const after = [...far.sessions.keys()]
  assert.equal(after.length, 1)
  assert.ok(!before.includes(after[0] ?? ''))
})

test('each tenant has a session of its own', async () => {
  const before = far.sessions.size
  assert.equal(await call('legacy_echo', { text: 'a' }, 'acme'), 'a')
  assert.equal(await call('legacy_echo', { text: 'b' }, 'acme'), 'b')
  assert.equal(far.sessions.size, before + 1)
})

for (const [name, connect] of [
  ['2025', v1],
  ['2026-07-28', v2],
] as const)
  test(`progress comes, and a question goes to its caller: a client of ${name}`, async (t) => {
    const client = await connect(t, url, { answers: () => 'Ada' })
    const steps: number[] = []
    const onprogress = ({ progress }: { progress: number }) => void steps.push(progress)
    assert.equal(await client.call('legacy_progress', {}, { onprogress }), 'done')
    assert.deepEqual(steps, [1, 2, 3])
    assert.match(await client.call('modern_ask'), /"name":"Ada".*"state":"of the server"/)
  })

test('a list that changes elsewhere is listed here', async () => {
  const { promise: listed, resolve } = Promise.withResolvers<void>()
  host.on('generation', () => host.snapshot.tools.has('legacy_late_tool') && resolve())
  await call('legacy_change_tools', { add: 'late-tool' })
  await listed
  assert.equal(await call('legacy_late_tool'), 'extra late-tool')
})

test('a server that refuses, or is not there, fails alone and says why', () => {
  assert.match(plugin('closed').reason?.message ?? '', /could not be connected: .*401/)
  assert.match(plugin('absent').reason?.message ?? '', /could not be connected: .*refused/)
  assert.equal(plugin('legacy').state, 'active')
})
