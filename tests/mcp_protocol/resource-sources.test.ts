import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { RawSession } from '../fixtures/http/raw-session.ts'
import { replyOf } from '../fixtures/projects/host-under-test.ts'
import { pinnedProject } from '../fixtures/projects/pinned-project.ts'

const source = `import { definePlugin, defineResource, Type } from '@mcp-patchbay/plugin-api'
const read = (uri, { id }) => 'text of ' + id
const one = (id) => ({ uri: 'notes://' + id, name: 'Note ' + id })
export default definePlugin({
  name: 'notes',
  config: Type.Object({}),
  isAuthConfigured: () => true,
  createClient: () => ({ ids: ['a', 'b', 'c', 'd', 'e'] }),
  tools: [],
  resources: [
    defineResource({ name: 'index', uri: 'notes://index/all', read: () => 'index' }),
    defineResource({ name: 'broken', uri: 'broken://{id}', list: () => { throw new Error('secret /etc') }, read }),
    defineResource({
      name: 'note', uri: 'notes://{id}', mimeType: 'text/plain',
      list: (cursor, { client }) => {
        const from = Number(cursor ?? 0)
        const next = from + 2 < client.ids.length ? String(from + 2) : undefined
        return { resources: client.ids.slice(from, from + 2).map(one), next }
      },
      read,
    }),
    defineResource({ name: 'foreign', uri: 'own://{id}', list: () => ({ resources: [{ uri: 'file:///etc/passwd' }] }), read }),
    defineResource({ name: 'closed', uri: 'closed://{id}', list: () => ({ resources: [{ uri: 'closed://x' }] }), read }),
    defineResource({ name: 'last', uri: 'last://{id}', list: async () => ({ resources: [{ uri: 'last://z', title: 'Z' }] }), read }),
  ],
})
`

interface Listed {
  readonly resources: readonly { readonly uri: string; readonly name: string; readonly mimeType?: string }[]
  readonly nextCursor?: string
  readonly message?: string
}

for (const isolation of ['inline', 'process'] as const)
  test(`${isolation}: templates list the resources that they stand for, page by page, in both eras`, async () => {
    using project = pinnedProject({ 'notes/index.js': source, 'notes/package.json': '{ "type": "module" }' })
    await using started = await project.start({
      plugins: [
        { use: './notes', isolation },
        { use: './notes', as: 'more', isolation },
      ],
      auth: { inbound: { mode: 'none' } },
      tools: { deny: ['*_closed'] },
      frozen: false,
    })
    const { url } = await started.host.listen({ http: { port: 0 }, management: false })
    const session = await RawSession.open(new URL(url ?? ''))
    const ask = async (params: Record<string, unknown>): Promise<Listed> => {
      const modern = replyOf(await rawClient(new URL(url ?? '')).post('resources/list', params))
      const older = replyOf(await session.post('resources/list', params))
      const seen = (reply: object) => {
        const { resources, nextCursor, error } = reply as Listed & { readonly error?: { readonly message: string } }
        return JSON.parse(JSON.stringify({ resources, nextCursor, message: error?.message })) as Listed
      }
      assert.deepEqual(seen(modern), seen(older), 'both eras')
      return seen(modern)
    }
    const pages: Listed[] = [await ask({})]
    for (let cursor = pages[0]?.nextCursor; cursor !== undefined; cursor = pages.at(-1)?.nextCursor) {
      pages.push(await ask({ cursor }))
      assert.ok(pages.length < 20)
    }
    assert.deepEqual(
      pages.map(({ resources }) => resources.map(({ uri }) => uri)),
      [
        ['notes://index/all', 'notes://more/index/all', 'notes://a', 'notes://b'],
        ['notes://c', 'notes://d'],
        ['notes://e'],
        ['last://z'],
        ['notes://more/a', 'notes://more/b'],
        ['notes://more/c', 'notes://more/d'],
        ['notes://more/e'],
        ['last://more/z'],
      ],
    )
    assert.deepEqual(pages[0]?.resources[2], { uri: 'notes://a', name: 'Note a', mimeType: 'text/plain' })
    const text = JSON.stringify(replyOf(await session.post('resources/read', { uri: 'notes://more/c' })))
    assert.match(text, /text of c/)
    const failed = started.log.lines
      .filter(({ event }) => event === 'resource_list_failed')
      .map(({ fields }) => fields['resource'])
    assert.ok(failed.includes('notes_broken') && failed.includes('notes_foreign'), JSON.stringify(failed))
    const said = Buffer.from(JSON.stringify(['closed://{id}', null])).toString('base64url')
    for (const cursor of ['x', said, '[]', 'a'.repeat(5_000)])
      assert.match((await ask({ cursor })).message ?? '', /cursor is not one that this server gave/)
  })

const shadowed = `import { definePlugin, defineResource, Type } from '@mcp-patchbay/plugin-api'
const read = (uri) => 'text of ' + uri
const listing = (...uris) => ({ resources: uris.map((uri) => ({ uri })) })
export default definePlugin({
  name: 'files',
  config: Type.Object({}),
  isAuthConfigured: () => true,
  createClient: () => ({}),
  tools: [],
  resources: [
    defineResource({ name: 'open', uri: 'files://open', read }),
    defineResource({ name: 'denied', uri: 'files://denied', read }),
    defineResource({ name: 'denied_too', uri: 'files://s-{id}', read }),
    defineResource({ name: 'stuck', uri: 'stuck://{id}', list: () => new Promise(() => {}), read }),
    defineResource({ name: 'circle', uri: 'circle://{id}', list: (cursor) => ({ ...listing('circle://1'), next: 'again' }), read }),
    defineResource({ name: 'any', uri: 'files://{id}', list: () => listing('files://open', 'files://denied', 'files://s-1', 'files://x'), read }),
  ],
})
`

test('a list that does not end keeps back nothing else, and no list shows what is listed already, may not be seen, or goes round', async () => {
  using project = pinnedProject({ 'files/index.js': shadowed, 'files/package.json': '{ "type": "module" }' })
  await using started = await project.start({
    plugins: [{ use: './files', isolation: 'inline' }],
    auth: { inbound: { mode: 'none' } },
    tools: { deny: ['files_denied*'] },
    limits: { callTimeoutMs: 100 },
    frozen: false,
  })
  const { url } = await started.host.listen({ http: { port: 0 }, management: false })
  const pages: (readonly string[])[] = []
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const reply = replyOf(await rawClient(new URL(url ?? '')).post('resources/list', cursor === undefined ? {} : { cursor }))
    const { resources, nextCursor } = reply as unknown as Listed
    pages.push(resources.map(({ uri }) => uri))
    cursor = nextCursor
    assert.ok(pages.length < 10, 'it ends')
  }
  assert.deepEqual(pages, [['files://open'], ['circle://1'], ['files://x']])
})
