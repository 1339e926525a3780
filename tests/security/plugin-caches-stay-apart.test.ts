import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, defineTool, Type, type Principal } from '@mcp-patchbay/plugin-api'
import { fakePrincipal } from '@mcp-patchbay/plugin-api/testing'
import { createHost } from '../../host/src/host.ts'
import { createCaller } from '../../host/src/server/catalog/caller.ts'
import { outcomeOf } from '../fixtures/plugins/counting-plugin.ts'

/** Says what it finds under a key, then leaves its own mark there. */
function marking(mark: string) {
  return definePlugin({
    name: 'marking',
    config: Type.Object({ mark: Type.Optional(Type.String()) }),
    isAuthConfigured: () => true,
    createClient: (): unknown => undefined,
    tools: [
      defineTool({
        name: 'mark',
        description: 'Marks.',
        access: 'read',
        input: Type.Object({ key: Type.String() }),
        async run({ key }, { cache }) {
          const found = await cache.get(key)
          await cache.set(key, mark, { ttlMs: 60_000 })
          return JSON.stringify(found ?? null)
        },
      }),
    ],
  })
}

const KEYS = ['key', '../two', 'plugin:two:key', '__proto__', 'a\0b', '', '*', 'x'.repeat(1_024)]

test('no key of a plugin reaches what another keeps, nor what it keeps for another caller', async () => {
  await using host = await createHost({
    plugins: [
      { use: marking('one'), as: 'one' },
      { use: marking('two'), as: 'two' },
    ],
  })
  const ask = async (instance: string, key: string, principal: Principal) =>
    (await outcomeOf(host.call(`${instance}_mark`, { key }, { caller: createCaller(principal) }))).text
  const ann = fakePrincipal({ id: 'ann', tenant: 'acme' })
  const others = [{ id: 'bob', tenant: 'acme' }, { id: 'ann' }, { id: 'ann', tenant: 'acme', kind: 'apiKey' as const }].map(
    fakePrincipal,
  )
  for (const key of KEYS) {
    assert.equal(await ask('one', key, ann), 'null', key)
    assert.equal(await ask('two', key, ann), 'null', key)
    for (const other of others) assert.equal(await ask('one', key, other), 'null', key)
    assert.equal(await ask('one', key, ann), '"one"', key)
    assert.equal(await ask('two', key, ann), '"two"', key)
  }
})

test('a key of a megabyte is refused, and the plugin is told why', async () => {
  await using host = await createHost({ plugins: [{ use: marking('one'), as: 'one' }] })
  const { text } = await outcomeOf(host.call('one_mark', { key: 'k'.repeat(1_048_576) }))
  assert.match(text, /1048576 characters, and 1024 is the most/)
})
