import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { httpClients } from '../fixtures/http/mcp-clients.ts'
import { pinnedProject } from '../fixtures/projects/pinned-project.ts'

const source = `import { definePlugin, defineResource, defineTool, Type } from '@mcp-patchbay/plugin-api'
let say = () => {}
export default definePlugin({
  name: 'notes',
  config: Type.Object({}),
  isAuthConfigured: () => true,
  createClient: () => undefined,
  tools: [
    defineTool({ name: 'notes_touch', description: 'Changes one.', access: 'read', input: Type.Object({ uri: Type.String() }), run({ uri }) {
      for (let times = 0; times < 100; times++) say(uri)
      return 'touched'
    } }),
  ],
  resources: [
    defineResource({ name: 'index', uri: 'notes://index', read: () => 'index' }),
    defineResource({ name: 'note', uri: 'notes://notes/{id}', read: (uri) => uri }),
    defineResource({ name: 'secret', uri: 'notes://secret', permissions: ['nobody'], read: () => 'secret' }),
  ],
  start({ resourceChanged }) { say = resourceChanged },
})
`

for (const isolation of ['inline', 'process'] as const)
  test(`${isolation}: clients of every era hear of a resource that they follow, once, and of no other`, async (t) => {
    using project = pinnedProject({ 'notes/index.js': source, 'notes/package.json': '{ "type": "module" }' })
    await using started = await project.start({ plugins: [{ use: './notes', isolation }], frozen: false })
    const { url = '' } = await started.host.listen({ http: { port: 0 } })
    const clients = await Promise.all(Object.values(httpClients).map((connect) => connect(t, new URL(url))))
    const heard = await Promise.all(clients.map((client) => client.changes(['notes://index', 'notes://notes/7'])))
    const [toucher] = clients
    const touch = (uri: string) => toucher?.call('notes_notes_touch', { uri })
    // Sessions open their stream in the background: what comes before it is lost.
    while (!heard.every(({ all }) => all.includes('updated notes://notes/7'))) {
      await touch('notes://notes/7')
      await setImmediate()
    }
    await touch('notes://notes/8')
    await touch('notes://secret')
    await touch('notes://index')
    await Promise.all(heard.map((one) => one.until('updated notes://index')))
    for (const { all } of heard) {
      assert.deepEqual([...new Set(all)].toSorted(), ['updated notes://index', 'updated notes://notes/7'])
      assert.equal(all.filter((what) => what === 'updated notes://index').length, 1, 'a hundred times at once are once')
    }
  })
