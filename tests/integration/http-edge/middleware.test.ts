import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePrompt, defineResource, defineTool, ServiceError, Type } from '@mcp-patchbay/plugin-api'
import { createHost, type Middleware, type PassingCall } from 'mcp-patchbay'
import { compose } from '../../../host/src/server/call/middleware.ts'
import type { Layer } from '../../../host/src/server/call/types.ts'
import { countingPlugin } from '../../fixtures/plugins/counting-plugin.ts'
import { hostUnderTest } from '../../fixtures/projects/host-under-test.ts'
import { emptyPlugin, emptyTool } from '../../fixtures/projects/snapshots.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

const text = (value: string) => ({ kind: 'result', result: { content: [{ type: 'text', text: value }] } }) as const

test('layers run from the first to the core and back', async () => {
  const steps: string[] = []
  const layer =
    (name: string): Layer<string, string> =>
    async (context, next) => {
      steps.push(`${name} ${context}`)
      const answer = await next()
      steps.push(`${name} ${answer}`)
      return answer
    }
  const run = compose([layer('outer'), layer('inner')], async (context) => `${context}!`)
  assert.equal(await run('go'), 'go!')
  assert.deepEqual(steps, ['outer go', 'inner go', 'inner go!', 'outer go!'])
})

test('without layers the core itself runs', () => {
  const core = async () => 'core'
  assert.equal(compose([], core), core)
})

test('a layer that calls next twice is refused, and the core runs once', async () => {
  const forms: Readonly<Record<string, Layer<string, string>>> = {
    'one after the other': async (_, next) => `${await next()}${await next()}`,
    'at the same time': async (_, next) => (await Promise.all([next(), next()])).join(''),
    'after an error': async (_, next) => next().catch(() => next()),
  }
  for (const [name, layer] of Object.entries(forms)) {
    let runs = 0
    const core = async () => {
      runs += 1
      if (name === 'after an error') throw new Error('the tool failed')
      return 'done'
    }
    const inner: Layer<string, string> = (_, next) => next()
    await assert.rejects(compose([inner, layer, inner], core)('go'), { code: 'MIDDLEWARE_NEXT' }, name)
    assert.equal(runs, 1, name)
  }
})

test('a second next that a layer does not wait for reaches nothing and ends nothing', async () => {
  let runs = 0
  const hasty: Layer<string, string> = async (_, next) => {
    const answer = await next()
    void next()
    return answer
  }
  const run = compose([hasty], async () => `run ${++runs}`)
  assert.equal(await run('go'), 'run 1')
  // A rejection that nothing handles fails this test after a turn of the event loop.
  await new Promise(setImmediate)
  assert.equal(await run('again'), 'run 2')
})

test('a write runs once although its middleware retries, and the answer names the middleware', async (t) => {
  const retry: Middleware = {
    name: 'retry',
    tool: (_, next) => next().catch(() => next()),
  }
  let runs = 0
  const add = defineTool({
    name: 'items_add',
    description: 'Adds.',
    access: 'write',
    input: Type.Object({}),
    run() {
      runs += 1
      throw new ServiceError('UPSTREAM_FAILED', 'the service is away')
    },
  })
  const { callInBothEras } = await hostUnderTest(t, [emptyPlugin('notes', [add])], { middleware: [retry] })
  for (const { content, isError } of await callInBothEras('notes_items_add')) {
    assert.equal(isError, true)
    assert.match(String(content?.[0]?.text), /middleware "retry" called next\(\) a second time/)
  }
  assert.equal(runs, 2, 'one run for each of the two calls')
})

test('the middleware of a config file is around every call, in order, in both eras', async (t) => {
  const stamp = (name: string) => `export default {
    name: '${name}',
    async tool({ name, plugin, access, kind, principal, args }, next) {
      const answer = await next()
      if (plugin !== 'notes') return answer
      const [{ text }] = answer.result.content
      return { kind: 'result', result: { content: [{ type: 'text', text: text + ' ${name}:' + [kind, name, plugin, access, principal.id, JSON.stringify(args)] }] } }
    },
  }`
  using tree = sourceTree({
    'outer.ts': stamp('outer'),
    'inner/index.mjs': stamp('inner'),
  })
  const { callInBothEras } = await hostUnderTest(t, [emptyPlugin('notes', [emptyTool('items_add', 'write')])], {
    config: { middleware: ['./outer.ts', './inner'] },
    file: tree.path('mcp.config.json'),
  })
  const said = 'tool,notes_items_add,notes,write,local,{}'
  for (const { content } of await callInBothEras('notes_items_add'))
    assert.equal(content?.[0]?.text, `items_add inner:${said} outer:${said}`)
})

test('a layer refuses as a plugin does, and what it throws unexpectedly stays in the log', async (t) => {
  const { host, log } = await hostUnderTest(t, [emptyPlugin('notes', [emptyTool('items_get'), emptyTool('items_list')])], {
    middleware: [
      {
        name: 'guard',
        async tool({ name }, next) {
          if (name === 'notes_items_get') throw new ServiceError('PERMISSION_DENIED', 'not on Sundays')
          if (name === 'notes_items_list') throw new Error('inner detail')
          return next()
        },
      },
    ],
  })
  const told = async (name: string) => {
    const answer = await host.call(name)
    return answer.kind === 'result' && answer.result.isError ? JSON.stringify(answer.result.content) : undefined
  }
  assert.match((await told('notes_items_get')) ?? '', /notes_items_get failed: not on Sundays/)
  assert.doesNotMatch((await told('notes_items_list')) ?? 'inner detail', /inner detail/)
  assert.ok(log.some((line) => line.event === 'call_failed' && JSON.stringify(line).includes('inner detail')))
})

test('a layer comes after what the host refuses, and before the cache', async (t) => {
  const passed: PassingCall[] = []
  const { plugin } = countingPlugin()
  const { host } = await hostUnderTest(t, [plugin], {
    // Every tool that is listed is called in the end, and this one waits until it is told to go on.
    config: { readOnly: true, tools: { deny: ['counting_slow'] } },
    middleware: [{ name: 'watch', tool: (call, next) => (passed.push(call), next()) }],
  })
  await assert.rejects(host.call('counting_nothing'), { code: 'TOOL_UNKNOWN' })
  await assert.rejects(host.call('counting_put'), { code: 'TOOL_UNKNOWN' })
  await host.call('counting_get', { unfit: true, text: 1 })
  assert.deepEqual(passed.splice(0), [])
  const first = await host.call('counting_get')
  const second = await host.call('counting_get')
  assert.notDeepEqual(first, second)
  assert.deepEqual(
    passed.map(({ name }) => name),
    ['counting_get', 'counting_get'],
  )
})

test('resources and prompts have layers of their own', async (t) => {
  const passed: string[] = []
  const note = <Answer>({ kind, name }: PassingCall, next: () => Promise<Answer>) => (passed.push(`${kind} ${name}`), next())
  const { client } = await hostUnderTest(
    t,
    [
      emptyPlugin('notes', [], {
        resources: [defineResource({ name: 'page', uri: 'notes://page/{id}', read: () => 'page' })],
        prompts: [definePrompt({ name: 'ask', run: () => 'Ask' })],
      }),
    ],
    { middleware: [{ name: 'note', resource: note, prompt: note }] },
  )
  assert.equal((await client.post('resources/read', { uri: 'notes://page/7' })).status, 200)
  assert.equal((await client.post('prompts/get', { name: 'notes_ask' })).status, 200)
  assert.deepEqual(passed, ['resource notes://page/7', 'prompt notes_ask'])
})

test('a layer around requests knows who asks, adds headers, and may answer itself', async (t) => {
  const { client } = await hostUnderTest(t, [emptyPlugin('notes', [emptyTool('items_get')])], {
    middleware: [
      {
        name: 'edge',
        async http({ req, res, principal }, next) {
          res.setHeader('x-principal', principal.id)
          if (req.headers['x-maintenance'] === undefined) return next()
          res.writeHead(503, { 'content-type': 'text/plain' }).end('later')
          return undefined
        },
      },
    ],
  })
  assert.equal((await client.call('notes_items_get')).headers.get('x-principal'), 'local')
  const { status, text: body } = await client.call('notes_items_get', {}, { 'x-maintenance': 'yes' })
  assert.deepEqual([status, body], [503, 'later'])
})

test('a call that waits in a layer ends in the version it began with, whatever is published meanwhile', async () => {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
  const { promise: goOn, resolve: release } = Promise.withResolvers<void>()
  const waiting: Middleware = {
    name: 'wait',
    async tool(_, next) {
      reach()
      await goOn
      return next()
    },
  }
  using tree = sourceTree({ 'plugins/notes/index.mjs': source('old') })
  await using host = await createHost(
    { plugins: ['./plugins/notes'] },
    { file: tree.path('mcp.config.json'), env: {}, middleware: [waiting] },
  )
  const answer = host.call('notes_rev_get')
  await reached
  const file = tree.write('plugins/notes/index.mjs', source('new'))
  await host.apply({ changed: new Set([file]) })
  release()
  assert.deepEqual(await answer, text('old'))
  assert.deepEqual(await host.call('notes_rev_get'), text('new'))
})

const source = (revision: string) => `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
export default definePlugin({
  name: 'notes', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}),
  tools: [defineTool({ name: 'rev_get', description: 'Which.', access: 'read', input: Type.Object({}), run: () => '${revision}' })],
})`

for (const [what, use, files, says] of [
  ['that is not there', './nothing.ts', {}, /middleware\[0\] \("\.\/nothing\.ts"\) cannot be used: .*was not found in/],
  ['outside of the folder', '../outside.mjs', {}, /outside/],
  ['that throws', './broken.mjs', { 'broken.mjs': 'throw new Error("out of order")' }, /out of order/],
  ['without a default export', './empty.mjs', { 'empty.mjs': 'export {}' }, /its default export is no object/],
  ['without a name', './nameless.mjs', { 'nameless.mjs': 'export default { tool() {} }' }, /has no name/],
  ['without a part', './idle.mjs', { 'idle.mjs': 'export default { name: "idle", call() {} }' }, /has none of http, tool/],
  [
    'with a part that is no function',
    './odd.mjs',
    { 'odd.mjs': 'export default { name: "odd", http: 1 }' },
    /its http is no function/,
  ],
] as const)
  test(`a host does not start with a middleware ${what}`, async () => {
    using tree = sourceTree(files)
    const opening = createHost({ middleware: [use] }, { file: tree.path('mcp.config.json'), env: {} })
    await assert.rejects(opening, { code: 'MIDDLEWARE_INVALID', message: says })
  })
