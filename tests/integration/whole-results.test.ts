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
