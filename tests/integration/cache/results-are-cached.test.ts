import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createHost } from '../../../host/src/host.ts'
import { Cancellation } from '../../../host/src/server/call/cancellation.ts'
import { countingPlugin, outcomeOf, type Counting } from '../../fixtures/plugins/counting-plugin.ts'
import { reloading } from '../../fixtures/plugins/reloading.ts'

test('a tool that opted in answers from the cache, and says so', async (t) => {
  const { call } = await serve(t)
  assert.deepEqual(await call('get'), { text: 'run 1', hit: false })
  assert.deepEqual(await call('get'), { text: 'run 1', hit: true })
})

test('a tool that did not opt in runs each time', async (t) => {
  const { call } = await serve(t)
  assert.deepEqual(
    [await call('get_fresh'), await call('get_fresh')].map(({ text }) => text),
    ['run 1', 'run 2'],
  )
})

test('the metrics count what was found and what was not', async (t) => {
  const { call, host } = await serve(t)
  const { managementUrl } = await host.listen({ management: { host: '127.0.0.1', port: 0 } })
  for (let time = 0; time < 3; time++) await call('get')
  const text = await (await fetch(`${managementUrl}/metrics`)).text()
  const counts = [...text.matchAll(/^patchbay_cache_lookups_total\{kind="results",outcome="(\w+)"\} (\d+)$/gm)]
  assert.deepEqual(Object.fromEntries(counts.map(([, outcome, count]) => [outcome, Number(count)])), { miss: 1, hit: 2 })
  assert.match(text, /^patchbay_cache_store_up 1$/m)
})

test('structured content comes back as it was', async (t) => {
  const { host } = await serve(t)
  const first = await host.call('counting_get_structured')
  const second = await host.call('counting_get_structured')
  assert.deepEqual(first, {
    kind: 'result',
    result: { content: [{ type: 'text', text: '{"run":1}' }], structuredContent: { run: 1 } },
  })
  assert.deepEqual(second, {
    kind: 'result',
    result: { ...(first.kind === 'result' && first.result), _meta: { 'mcp-patchbay/cache': 'hit' } },
  })
})

test('equal arguments in another order are the same question, and different ones are not', async (t) => {
  const { call } = await serve(t)
  const texts = []
  for (const input of [
    { text: 'a', more: { b: 1, c: [1, 2] } },
    { more: { c: [1, 2], b: 1 }, text: 'a' },
    { text: 'a', more: { b: 1, c: [2, 1] } },
    { text: 'a', more: { b: '1', c: [1, 2] } },
    { text: 'a' },
    {},
    undefined,
    { text: '\u200ba' },
    { text: 'x'.repeat(10_000) },
  ])
    texts.push((await call('get', input)).text)
  assert.deepEqual(texts, ['run 1', 'run 1', 'run 2', 'run 3', 'run 4', 'run 5', 'run 5', 'run 6', 'run 7'])
})

test('tools do not share answers', async (t) => {
  const { call } = await serve(t)
  assert.deepEqual(
    [await call('get'), await call('get_shared')].map(({ text }) => text),
    ['run 1', 'run 2'],
  )
})

test('an error is not kept', async (t) => {
  const { call, counting } = await serve(t)
  await call('get_failing')
  await call('get_failing')
  assert.equal(counting.runs, 2)
})

test('a tool that asks somebody is not cached, whatever it says', async (t) => {
  const { call } = await serve(t)
  assert.equal((await call('ask')).text, 'inputRequired')
  assert.equal((await call('ask')).text, 'inputRequired')
})

test('a tool that writes makes what its plugin answered stale, also when it fails', async (t) => {
  const { call } = await serve(t)
  for (const write of ['set', 'set_failing']) {
    const { text } = await call('get')
    assert.deepEqual(await call('get'), { text, hit: true })
    await call(write)
    assert.equal((await call('get')).hit, false, write)
  }
})

test('a tool that writes makes the answers of another plugin stale that names the same tag, and of no other', async (t) => {
  const [one, same] = [countingPlugin('one'), countingPlugin('same')]
  const other = countingPlugin('other')
  for (const tool of other.plugin.tools) if (tool.cache) Object.assign(tool, { cache: { ttlMs: 60_000, scope: 'caller' } })
  const host = await createHost({ plugins: [one, same, other].map(({ plugin }) => ({ use: plugin })) })
  t.after(() => host.close())
  for (const name of ['same_get', 'other_get']) await host.call(name)
  await host.call('one_set')
  assert.equal((await outcomeOf(host.call('same_get'))).hit, false)
  assert.equal((await outcomeOf(host.call('other_get'))).hit, true)
})

test('a thousand equal calls at once run the tool once, and each is answered', async (t) => {
  const { call, counting } = await serve(t)
  const started = counting.started('a')
  const answers = Promise.all(Array.from({ length: 1_000 }, () => call('slow', { text: 'a' })))
  await started
  counting.release('a')
  assert.deepEqual(new Set((await answers).map(({ text }) => text)), new Set(['run 1']))
  assert.equal(counting.runs, 1)
})

test('one who cancels does not cancel those who wait for the same', async (t) => {
  const { host, counting } = await serve(t)
  const cancellation = new Cancellation()
  const first = counting.started('a')
  const leaving = host.call('counting_slow', { text: 'a' }, { io: { cancellation } })
  await first
  const staying = host.call('counting_slow', { text: 'a' })
  const second = counting.started('a')
  cancellation.cancel(new Error('gone'))
  await assert.rejects(leaving, { code: 'CALL_CANCELLED' })
  await second
  counting.release('a')
  assert.equal((await outcomeOf(staying)).text, 'run 2')
})

test('one who waits for the same may cancel alone', async (t) => {
  const { host, counting } = await serve(t)
  const started = counting.started('a')
  const staying = host.call('counting_slow', { text: 'a' })
  await started
  const cancellation = new Cancellation()
  const leaving = host.call('counting_slow', { text: 'a' }, { io: { cancellation } })
  cancellation.cancel(new Error('gone'))
  await assert.rejects(leaving, { code: 'CALL_CANCELLED' })
  counting.release('a')
  assert.equal((await outcomeOf(staying)).text, 'run 1')
})

test('a read that a write overtakes is not kept', async (t) => {
  const { call, counting } = await serve(t)
  const started = counting.started('a')
  const before = call('slow', { text: 'a' })
  await started
  await call('set')
  const again = counting.started('a')
  const after = call('slow', { text: 'a' })
  await again
  counting.release('a')
  assert.deepEqual([(await before).text, (await after).text], ['run 1', 'run 3'])
  assert.deepEqual(await call('slow', { text: 'a' }), { text: 'run 3', hit: true })
})

test('new code and a new config are asked again, and what did not change is not', async (t) => {
  const code = (answer: string) => `
    import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
    import { mark } from './mark.ts'
    export default definePlugin({
      name: 'notes',
      config: Type.Object({ apiUrl: Type.String() }),
      isAuthConfigured: () => true,
      createClient: ({ config }) => config.apiUrl,
      tools: [defineTool({
        name: 'get', description: 'x', access: 'read', input: Type.Object({}), cache: { ttlMs: 60_000, scope: 'caller' },
        run: (_, { client }) => [\`${answer}\`, mark, client, crypto.randomUUID()].join(' '),
      })],
    })`
  const config = (apiUrl: string, description = 'x') => ({
    pluginDirs: [],
    plugins: [{ use: './plugins/notes', config: { apiUrl }, overrides: { get: { description } } }],
  })
  const files = { 'plugins/notes/index.ts': code('one'), 'plugins/notes/mark.ts': "export const mark = 'first'" }
  const folder = await reloading(t, files, { config: config('http://one'), watch: false })
  const ask = () => outcomeOf(folder.host.call('notes_get'))
  const seen = new Set<string>()
  const isNew = async (pattern: RegExp) => {
    const { text, hit } = await ask()
    assert.match(text, pattern)
    assert.equal(hit, false)
    assert.equal(seen.has(text), false)
    seen.add(text)
    assert.deepEqual(await ask(), { text, hit: true })
    return text
  }
  const first = await isNew(/^one first http:\/\/one /)
  await folder.edit('plugins/notes/index.ts', code('two'))
  await isNew(/^two first/)
  await folder.edit('plugins/notes/mark.ts', "export const mark = 'second'")
  await isNew(/^two second/)
  folder.write('mcp.config.json', JSON.stringify(config('http://two')))
  await folder.served.reread()
  await isNew(/^two second http:\/\/two/)
  folder.write('mcp.config.json', JSON.stringify(config('http://one')))
  await folder.served.reread()
  await folder.edit('plugins/notes/mark.ts', "export const mark = 'first'")
  await folder.edit('plugins/notes/index.ts', code('one'))
  assert.deepEqual(await ask(), { text: first, hit: true })
})

interface Serving {
  readonly host: Awaited<ReturnType<typeof createHost>>
  readonly counting: Counting
  readonly call: (name: string, input?: object) => ReturnType<typeof outcomeOf>
}

async function serve(t: TestContext): Promise<Serving> {
  const counting = countingPlugin()
  const host = await createHost({ plugins: [{ use: counting.plugin }] })
  t.after(() => host.close({ graceMs: 0 }))
  return { host, counting, call: (name, input) => outcomeOf(host.call(`counting_${name}`, input)) }
}
