import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { createHost } from '../../../host/src/host.ts'
import type { Host } from '../../../host/src/types.ts'
import { httpClients, v1 } from '../../fixtures/http/mcp-clients.ts'

const root = join(import.meta.dirname, '../../..')
const server = 'tests/fixtures/servers/legacy-server.mjs'
const log = fakeLog()
let host: Host
let url: URL

before(async () => {
  const config = resolveConfig({
    plugins: [
      {
        use: 'mcp:exec',
        as: 'legacy',
        command: [process.execPath, server, 'one two'],
        args: ['--three', ''],
        env: { PLAIN: 'value', LEGACY_TOKEN: { secret: true } },
        tools: { deny: ['waiting'] },
        overrides: { fail: { access: 'read' } },
      },
    ],
  })
  const env = { PATH: process.env['PATH'], LEGACY_TOKEN: 'secret-1234567890', CANARY: 'canary' }
  host = await createHost(config, { file: join(root, 'mcp.config.ts'), env, log, patienceMs: Infinity })
  url = new URL((await host.listen({ http: { port: 0 } })).url ?? '')
})
after(() => host.close({ graceMs: 0 }))

interface Result {
  readonly content: readonly { readonly text?: string }[]
  readonly isError?: boolean
}

async function call(name: string, args: object = {}): Promise<Result> {
  const answer = await host.call(name, args)
  assert.equal(answer.kind, 'result')
  return (answer as unknown as { readonly result: Result }).result
}
const textOf = (result: Result) => result.content.map(({ text }) => text).join('')

/** As the SDK's own client gets it from the host: what a client sees of the first tool. */
test('a server is listed under our names, with all that it says of its tools', () => {
  const [listed] = host.list().plugins
  assert.equal(listed?.state, 'active')
  assert.equal(listed.isolation, 'unconfined')
  assert.deepEqual(listed.rights, ['everything that the user of the host can do', 'holds LEGACY_TOKEN'])
  const visible = listed.tools.filter((tool) => tool.visible).map(({ name }) => name)
  assert.ok(visible.includes('legacy_get_weather') && visible.includes('legacy_change_tools'))
  assert.ok(!visible.includes('legacy_waiting'), 'filters hold')
  const { wire, access } = host.snapshot.tools.get('legacy_echo') ?? assert.fail('there is an echo')
  assert.equal(access, 'read')
  assert.deepEqual(wire, {
    name: 'legacy_echo',
    title: 'Echo',
    description: 'Gives back what it gets.',
    inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    icons: [{ src: 'https://example.com/echo.png' }],
    annotations: { readOnlyHint: true, openWorldHint: false },
    _meta: { 'example.com/kind': 'echo' },
  })
  assert.equal(host.snapshot.tools.get('legacy_progress')?.access, 'write', 'what gives no hint counts as writing')
  assert.equal(host.snapshot.tools.get('legacy_fail')?.access, 'read', 'the operator knows better')
  assert.match(JSON.stringify(listed.warnings), /legacy:\/\/odd\{\|a\}, which RFC 6570 does not have/)
})

test('results come back as the server gave them', async () => {
  assert.deepEqual(await call('legacy_echo', { text: 'a\nb' }), {
    content: [{ type: 'text', text: 'a\nb' }],
    _meta: { 'example.com/seen': true },
  })
  assert.deepEqual(await call('legacy_get_weather', { city: 'Bern' }), {
    content: [{ type: 'text', text: 'in words: Bern' }],
    structuredContent: { degrees: 21 },
  })
  assert.deepEqual(await call('legacy_fail'), { content: [{ type: 'text', text: 'it went wrong' }], isError: true })
  const refused = await call('legacy_refuse')
  assert.equal(refused.isError, true)
  assert.match(textOf(refused), /legacy_refuse failed: the server says no/)
  assert.match(textOf(await call('legacy_echo', { text: 7 })), /Invalid arguments for legacy_echo/)
  assert.match(textOf(await call('legacy_ask')), /does not support/i, 'it was told of no client that can be asked')
})

test('a command gets its words as they stand, PATH, and the variables of its entry', async () => {
  const { env, argv, cwd } = JSON.parse(textOf(await call('legacy_environment'))) as Record<string, unknown>
  assert.deepEqual(argv, ['one two', '--three', ''])
  assert.equal(cwd, root)
  assert.deepEqual(
    env,
    { PATH: process.env['PATH'], PLAIN: 'value', LEGACY_TOKEN: '[redacted]' },
    'its secret is hidden on the way back',
  )
})

for (const [name, connect] of Object.entries(httpClients))
  test(`resources, prompts, completions, progress and logs reach ${name}`, async (t) => {
    const client = await connect(t, url)
    assert.deepEqual(await client.resources(), ['legacy://readme', 'legacy://bytes'])
    assert.deepEqual(await client.templates(), ['legacy://note/{id}', 'legacy://search{?q}', 'legacy://files/{+path}'])
    for (const uri of ['legacy://search?q=a%20b', 'legacy://files/a/b.txt'])
      assert.equal(await client.read(uri), `content of ${uri}`, 'it goes to the server as it is')
    await assert.rejects(client.read('legacy://search?other=1'))
    assert.equal(await client.read('legacy://readme'), 'content of legacy://readme')
    assert.equal(await client.read('legacy://note/7'), 'content of legacy://note/7')
    await assert.rejects(client.read('legacy://note/404'), /not found/)
    await assert.rejects(client.read('legacy://elsewhere'), /Resource not found/)
    assert.deepEqual(await client.prompts(), ['legacy_greet_person'])
    assert.equal(await client.prompt('legacy_greet_person', { person: 'Ada' }), 'Hello Ada')
    assert.deepEqual(await client.complete('legacy_greet_person'), ['-ref/prompt'])
    const steps: unknown[] = []
    const onprogress = ({ progress, total }: { progress: number; total?: number | undefined }) =>
      void steps.push([progress, total])
    assert.equal(await client.call('legacy_progress', {}, { onprogress }), 'done')
    assert.deepEqual(steps, [
      [1, 3],
      [2, 3],
      [3, 3],
    ])
    const logs = await client.logs()
    await client.call('legacy_log')
    await logs.until('warning {"said":"hello"}')
  })

test('what a client cancels is cancelled at the server', async (t) => {
  const client = await v1(t, url)
  const cancel = new AbortController()
  const waiting = client.call('legacy_wait', {}, { signal: cancel.signal })
  // Both go over one connection, in order.
  await client.call('legacy_echo', { text: 'before' })
  cancel.abort()
  await assert.rejects(waiting)
  const text = async () => textOf(await call('legacy_environment'))
  assert.match(await text(), /"pid"/, 'and the server goes on')
})

test('a client that follows a resource hears that it changed', async (t) => {
  const client = await v1(t, url)
  const heard = await client.changes(['legacy://readme', 'legacy://note/7'])
  for (const uri of ['legacy://note/8', 'legacy://readme', 'legacy://note/7']) await call('legacy_touch', { uri })
  await heard.until('updated legacy://readme')
  await heard.until('updated legacy://note/7')
  assert.ok(!heard.all.includes('updated legacy://note/8'))
})

test('tools that a server adds and changes are listed as soon as it says so, and clients are told', async (t) => {
  const client = await v1(t, url)
  const heard = await client.changes()
  await call('legacy_change_tools', { add: 'new-tool' })
  await heard.until('tools')
  assert.ok((await client.tools()).includes('legacy_new_tool'))
  assert.equal(await client.call('legacy_new_tool'), 'extra new-tool')
  const { pid } = JSON.parse(textOf(await call('legacy_environment'))) as { pid: number }
  assert.ok(pid > 0)
})

test('a server that ends is started again, and calls meanwhile wait for it', async () => {
  const pidOf = async () => (JSON.parse(textOf(await call('legacy_environment'))) as { pid: number }).pid
  const before = await pidOf()
  const lost = await call('legacy_exit')
  assert.equal(lost.isError, true)
  assert.match(textOf(lost), /was restarted during this call: it exited with code 3.*may or may not have been made/)
  const next = await pidOf()
  assert.notEqual(next, before)
  assert.throws(() => process.kill(before, 0), 'the process is gone')
  assert.deepEqual(
    log.lines.filter(({ event }) => event === 'plugin_exited').map(({ fields }) => fields['reason']),
    ['it exited with code 3'],
  )
})
