import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pinnedProject } from '../fixtures/projects/pinned-project.ts'

const source = `import { definePlugin, defineTool, toolResult, Type } from '@mcp-patchbay/plugin-api'
const tool = (name, result, more = {}) =>
  defineTool({ name, description: 'Passes on.', access: 'read', input: Type.Object({}), run: () => toolResult(result), ...more })
const output = Type.Object({ n: Type.Integer() })
export default definePlugin({
  name: 'relay',
  config: Type.Object({}),
  isAuthConfigured: () => true,
  createClient: () => undefined,
  tools: [
    tool('both', { content: 'Markdown', structuredContent: { n: 1 }, meta: { vendor: { a: 1 }, 'io.modelcontextprotocol/serverInfo': {}, 'mcp-patchbay/cache': 'hit' } }),
    tool('failed', { content: [{ type: 'text', text: 'no' }], isError: true }, { output }),
    tool('fits', { content: 'one', structuredContent: { n: 1 } }, { output }),
    tool('misfits', { content: 'one', structuredContent: { n: 'one' } }, { output }),
    tool('lacks', { content: 'one' }, { output }),
    tool('list', { content: 'one', structuredContent: [1] }),
    tool('large', { content: 'x'.repeat(2_000_000) }),
    tool('shapeless', { content: 7 }),
    tool('foreign', { content: [{ type: 'video', url: 'x' }] }),
  ],
})
`

for (const isolation of ['inline', 'process'] as const)
  test(`${isolation}: a whole result goes to the client as it is, within the limits of every result`, async () => {
    using project = pinnedProject({ 'relay/index.js': source, 'relay/package.json': '{ "type": "module" }' })
    await using started = await project.start({ plugins: [{ use: './relay', isolation }], frozen: false })
    const call = async (name: string) => {
      const answer = await started.host.call(`relay_${name}`)
      return answer.kind === 'result' ? answer.result : assert.fail('it asked')
    }
    assert.deepEqual(await call('both'), {
      content: [{ type: 'text', text: 'Markdown' }],
      structuredContent: { n: 1 },
      _meta: { vendor: { a: 1 } },
    })
    assert.deepEqual(await call('failed'), { content: [{ type: 'text', text: 'no' }], isError: true })
    assert.deepEqual((await call('fits')).structuredContent, { n: 1 })
    const refused = {
      misfits: /does not fit its output schema/,
      lacks: /does not fit its output schema/,
      list: /structured content that is an array/,
      large: /too large/,
      shapeless: /whose content is a number/,
      foreign: /has the type .*video/,
    }
    for (const [name, reason] of Object.entries(refused)) {
      const { content, isError } = await call(name)
      assert.equal(isError, true, name)
      assert.match(JSON.stringify(content), reason)
    }
  })

test('what is something else in JSON is the same result, or the same error, from a plugin in its own process', async () => {
  const values = {
    date: 'new Date(0)',
    invalid_date: 'new Date(NaN)',
    nan: 'NaN',
    infinite: '-Infinity',
    boxed: `new String('text')`,
    own_list: '{ toJSON: () => [{ type: "text", text: "a" }] }',
    own_object: '{ toJSON: () => ({ a: new Date(0) }) }',
    null: 'null',
    number: '7',
    list: '[{ type: "text", text: new Date(0) }]',
  }
  const tools = Object.entries(values).flatMap(([name, value]) => [
    `tool('${name}', () => (${value}))`,
    `tool('typed_${name}', () => (${value}), { output: Type.Union([Type.Object({ a: Type.String() }), Type.String(), Type.Array(Type.Unknown()), Type.Null(), Type.Number()]) })`,
  ])
  const text = `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
const tool = (name, run, more = {}) => defineTool({ name, description: 'Returns.', access: 'read', input: Type.Object({}), run, ...more })
export default definePlugin({
  name: 'odd', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => undefined, tools: [${tools.join(', ')}],
})`
  using project = pinnedProject({ 'odd/index.js': text, 'odd/package.json': '{ "type": "module" }' })
  const plugins = [
    { use: './odd', as: 'inside' },
    { use: './odd', as: 'apart', isolation: 'process' as const },
  ]
  await using started = await project.start({ plugins, frozen: false })
  const call = async (name: string): Promise<string> =>
    JSON.stringify(await started.host.call(name)).replaceAll(/inside|apart/g, 'odd')
  for (const name of Object.keys(values).flatMap((key) => [key, `typed_${key}`]))
    assert.equal(await call(`apart_${name}`), await call(`inside_${name}`), name)
  assert.match(await call('apart_date'), /returned an object; without an output schema/)
  assert.match(await call('apart_nan'), /returned a number; without an output schema/)
  assert.match(await call('apart_typed_date'), /"structuredContent":"1970-01-01T00:00:00.000Z"/)
})
