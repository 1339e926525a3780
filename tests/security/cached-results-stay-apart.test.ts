import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Principal } from '@mcp-patchbay/plugin-api'
import { fakePrincipal } from '@mcp-patchbay/plugin-api/testing'
import { readRequestCredentials } from '../../host/src/auth/outbound/request-credentials.ts'
import { createHost } from '../../host/src/host.ts'
import { createCaller, NO_NARROWING } from '../../host/src/server/catalog/caller.ts'
import { countingPlugin, outcomeOf } from '../fixtures/plugins/counting-plugin.ts'

const ann = fakePrincipal({ id: 'ann', tenant: 'acme' })
/** Each differs from ann in one thing. */
const others: readonly [string, Principal][] = [
  ['another person', fakePrincipal({ id: 'bob', tenant: 'acme' })],
  ['the same name in another tenant', fakePrincipal({ id: 'ann', tenant: 'umbrella' })],
  ['the same name without a tenant', fakePrincipal({ id: 'ann' })],
  ['the same name by another proof', fakePrincipal({ id: 'ann', tenant: 'acme', kind: 'apiKey' })],
  ['the same person with other permissions', fakePrincipal({ id: 'ann', tenant: 'acme', permissions: ['*', 'extra'] })],
  ['a name that spells the border', fakePrincipal({ id: 'n', tenant: 'acmea' })],
]

for (const [who, principal] of others)
  test(`what one caller was answered is not given to ${who}`, async (t) => {
    const { ask, runs } = await serve(t)
    assert.equal((await ask('get', ann)).text, 'run 1')
    assert.deepEqual(await ask('get', principal), { text: 'run 2', hit: false })
    assert.deepEqual(await ask('get', ann), { text: 'run 1', hit: true })
    assert.equal(runs(), 2)
  })

test('callers of one tenant share what says so, and tenants do not', async (t) => {
  const { ask } = await serve(t)
  assert.equal((await ask('get_shared', ann)).text, 'run 1')
  assert.deepEqual(await ask('get_shared', fakePrincipal({ id: 'bob', tenant: 'acme' })), { text: 'run 1', hit: true })
  assert.deepEqual(await ask('get_shared', fakePrincipal({ id: 'ann', tenant: 'umbrella' })), { text: 'run 2', hit: false })
})

test('callers who bring credentials of their own share nothing, not even what says so', async (t) => {
  const { host } = await serve(t)
  const ask = async (id: string, headers: readonly string[]) => {
    const brought = readRequestCredentials(headers, { takes: () => true })
    assert.ok('credentials' in brought)
    const caller = createCaller(fakePrincipal({ id }), NO_NARROWING, brought.credentials)
    return (await outcomeOf(host.call('counting_get_shared', {}, { caller }))).text
  }
  const own = (token: string) => ['X-Upstream-Counting-Authorization', `Bearer ${token}`]
  const texts: string[] = []
  for (const [id, headers] of [
    ['ann', own('anns')],
    ['bob', own('bobs')],
    ['ann', own('anns')],
    ['ann', own('anns-next')],
    ['cai', []],
    ['dee', []],
    ['dee', ['X-Upstream-Other-Authorization', 'Bearer dees']],
  ] as const)
    texts.push(await ask(id, headers))
  assert.deepEqual(texts, ['run 1', 'run 2', 'run 1', 'run 3', 'run 4', 'run 4', 'run 4'])
})

test('a call that is being answered is joined by its own caller only', async (t) => {
  const { host, counting } = await serve(t)
  const call = (principal: Principal) => outcomeOf(host.call('counting_slow', { text: 'a' }, { caller: createCaller(principal) }))
  const first = counting.started('a')
  const anns = call(ann)
  await first
  const second = counting.started('a')
  const bobs = call(fakePrincipal({ id: 'bob', tenant: 'acme' }))
  await second
  counting.release('a')
  assert.deepEqual([(await anns).text, (await bobs).text], ['run 1', 'run 2'])
})

test('what a person may no longer call is not answered from the cache', async (t) => {
  const counting = countingPlugin()
  const host = await createHost({
    plugins: [{ use: counting.plugin }],
    auth: {
      inbound: { mode: 'apiKey', keys: [{ id: 'one', hash: '0'.repeat(64), scopes: [] }] },
      permissions: { reader: ['counting_get'] },
    },
  })
  t.after(() => host.close({ graceMs: 0 }))
  const reader = fakePrincipal({ id: 'ann', permissions: ['reader'] })
  assert.equal((await outcomeOf(host.call('counting_get', {}, { caller: createCaller(reader) }))).text, 'run 1')
  await assert.rejects(host.call('counting_get', {}, { caller: createCaller(fakePrincipal({ id: 'ann', permissions: [] })) }), {
    code: 'TOOL_UNKNOWN',
  })
})

async function serve(t: TestContext) {
  const counting = countingPlugin()
  const host = await createHost({ plugins: [{ use: counting.plugin }] })
  t.after(() => host.close({ graceMs: 0 }))
  const ask = (name: string, principal: Principal) =>
    outcomeOf(host.call(`counting_${name}`, {}, { caller: createCaller(principal) }))
  return { host, counting, ask, runs: () => counting.runs }
}
