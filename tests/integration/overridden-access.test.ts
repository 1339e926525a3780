import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startUpstream } from '../fixtures/http/upstream.ts'
import { pinnedProject } from '../fixtures/projects/pinned-project.ts'

const source = `import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
const send = async (_, { client }) => String((await client.request('/things', { method: 'POST', body: {} })).status)
export default definePlugin({
  name: 'things',
  config: Type.Object({ apiUrl: Type.String() }),
  isAuthConfigured: () => true,
  createClient: ({ http }) => http,
  tools: [
    defineTool({ name: 'called_read', description: 'Posts.', access: 'read', input: Type.Object({}), run: send }),
    defineTool({ name: 'called_write', description: 'Posts.', access: 'write', input: Type.Object({}), run: send }),
  ],
})
`

for (const isolation of ['inline', 'process'] as const)
  test(`${isolation}: the operator's word on access decides for the filters, the clients and the requests`, async () => {
    await using upstream = await startUpstream((response) => response.writeHead(201).end())
    using project = pinnedProject({ 'things/index.js': source, 'things/package.json': '{ "type": "module" }' })
    const entry = { use: './things', isolation, config: { apiUrl: upstream.url } }
    const overrides = { called_read: { access: 'write' }, called_write: { access: 'read' } } as const
    const settings = { plugins: [{ ...entry, overrides }], frozen: false }
    await using started = await project.start(settings)
    const { host } = started
    const hints = [...host.snapshot.tools.values()].map(({ name, access, wire }) => [name, access, wire['annotations']])
    assert.deepEqual(hints, [
      ['things_called_read', 'write', { readOnlyHint: false }],
      ['things_called_write', 'read', { readOnlyHint: true }],
    ])
    const textOf = async (name: string) => JSON.stringify(await host.call(name))
    assert.match(await textOf('things_called_read'), /"text":"201"/)
    assert.match(await textOf('things_called_write'), /things_called_write failed/)
    assert.equal(upstream.requests.length, 1)
    await using readOnly = await project.start({ ...settings, readOnly: true })
    assert.deepEqual(readOnly.tools(), ['things_called_write'])
  })
