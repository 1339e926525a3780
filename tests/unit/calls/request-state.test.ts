import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServerContext } from '@modelcontextprotocol/server'
import type { Principal } from '@mcp-patchbay/plugin-api'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { authInfoOf } from '../../../host/src/server/mcp/auth-info.ts'
import { createRequestStates } from '../../../host/src/server/mcp/request-state.ts'

const ann: Principal = { id: 'ann', tenant: 'acme', permissions: [], kind: 'apiKey' }
const states = createRequestStates(Buffer.alloc(32, 1))

/** A request of this caller, with a state that was verified. */
function request(principal: Principal | undefined = ann, method = 'tools/call', state?: unknown): ServerContext {
  return {
    mcpReq: { method, requestState: () => state },
    ...(principal && { http: { authInfo: authInfoOf(createCaller(principal)) } }),
  } as Partial<ServerContext> as ServerContext
}

const called = { name: 'a_issues_delete', args: { repo: 'a', number: 1 } }
const sealed = await states.seal(called, { step: 1 }, request())

test('a state comes back to the call that it was made for, whatever the order of its arguments', async () => {
  const verified = await states.verify(sealed, request())
  const open = (of: typeof called) => states.open(of, request(ann, 'tools/call', verified))
  assert.deepEqual(open(called), { step: 1 })
  assert.deepEqual(open({ ...called, args: { number: 1, repo: 'a' } }), { step: 1 })
  assert.equal(states.open(called, request()), undefined, 'a request that brought none')
})

for (const [what, context] of [
  ['another method', request(ann, 'prompts/get')],
  ['another caller', request({ ...ann, id: 'bob' })],
  ['another tenant', request({ ...ann, tenant: 'umbrella' })],
  ['a caller without a tenant', request({ ...ann, tenant: undefined })],
] as const)
  test(`a state is refused in a request of ${what}`, async () => {
    await assert.rejects(Promise.resolve().then(() => states.verify(sealed, context)))
  })

test('a state is refused that another host signed, or that somebody changed', async () => {
  const other = createRequestStates(Buffer.alloc(32, 2))
  const foreign = await other.seal(called, { step: 1 }, request())
  for (const text of [foreign, `${sealed}x`, sealed.slice(1), ''])
    await assert.rejects(
      Promise.resolve().then(() => states.verify(text, request())),
      text,
    )
})

for (const [what, of] of [
  ['another tool', { ...called, name: 'a_issues_get' }],
  ['other arguments', { ...called, args: { repo: 'a', number: 2 } }],
] as const)
  test(`a state is refused for ${what}`, async () => {
    const verified = await states.verify(sealed, request())
    assert.throws(() => states.open(of, request(ann, 'tools/call', verified)), /Invalid or expired requestState/)
  })
