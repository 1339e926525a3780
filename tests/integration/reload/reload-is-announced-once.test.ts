import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../../fixtures/plugins/reloading.ts'

test('tells each client once what a save changed in its list, and nothing of a save that changed only code', async (t) => {
  const at = await reloading(t, { 'plugins/a/index.ts': revisionPlugin('a', 1), 'plugins/b/index.ts': revisionPlugin('b', 1) })
  const clients = await at.connectAll()
  const heard = await Promise.all(clients.map((client) => client.changes()))
  at.write('plugins/a/index.ts', revisionPlugin('a', 2))
  await at.reloads.next(({ outcome }) => outcome === 'replaced')
  // Two plugins saved at once are one publish, unless the machine told of the second file too late for it; each publish is one notification.
  at.write('plugins/a/index.ts', revisionPlugin('a', 3, { tools: ['rev', 'more'] }))
  at.write('plugins/b/index.ts', revisionPlugin('b', 3, { tools: ['rev', 'more'] }))
  const generations = new Set([(await at.reloads.next()).generation, (await at.reloads.next()).generation])
  // What comes last tells that nothing more came before it.
  await at.edit(
    'plugins/b/index.ts',
    revisionPlugin('b', 4, { tools: ['rev', 'more'], rest: `prompts: [{ name: 'hello', run: () => 'hello' }],` }),
  )
  await Promise.all(heard.map((one) => one.until('prompts')))
  for (const { all } of heard) assert.deepEqual(all, [...Array.from(generations, () => 'tools'), 'prompts'])
  for (const client of clients) assert.deepEqual(await client.tools(), ['a_rev', 'a_more', 'b_rev', 'b_more'])
})
