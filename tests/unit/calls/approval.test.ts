import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type, type InputResponses, type Principal } from '@mcp-patchbay/plugin-api'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createMetrics } from '../../../host/src/observability/metrics.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { LivePlugin } from '../../../host/src/plugin/run/live-plugin.ts'
import { createCalls } from '../../../host/src/server/call/call.ts'
import type { ToolAnswer } from '../../../host/src/server/call/types.ts'
import { Cancellation } from '../../../host/src/server/call/cancellation.ts'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const principal: Principal = { id: 'x', tenant: undefined, permissions: [], kind: 'apiKey' }
const CAN_ASK = { elicitation: {} }
const args = { repo: 'a', number: 1 }

/** How often the plugin ran, and what a call with this was answered. */
async function call({
  tool = 'a_repo_delete',
  given = args,
  capabilities = CAN_ASK,
  ...answer
}: {
  tool?: string
  given?: object
  capabilities?: Readonly<Record<string, unknown>> | 'none'
  inputResponses?: InputResponses
  requestState?: unknown
} = {}): Promise<{ answer: ToolAnswer; ran: number }> {
  let ran = 0
  const input = Type.Object({ repo: Type.String(), number: Type.Number() })
  const record = activeRecord(
    emptyPlugin('a', [
      emptyTool('repo_delete', 'write', { approval: 'required', input }),
      emptyTool('repo_get', 'read', { input }),
    ]),
  )
  assert.ok(record.live)
  const live = new LivePlugin('a', { ...record.live.running, callTool: async () => `ran ${++ran}` })
  const calls = createCalls({
    log: silentLogger,
    metrics: createMetrics(),
    now: () => 0,
    limits: () => ({ callTimeoutMs: 60_000, resultBytes: 10_000 }),
    redact: createRedactor(),
  })
  const io = {
    cancellation: new Cancellation(),
    requestId: 'r1',
    ...(capabilities === 'none' ? {} : { clientCapabilities: capabilities }),
    ...answer,
  }
  return { answer: await calls.tool(snapshotOf([{ ...record, live }]), createCaller(principal), tool, given, io), ran }
}

/** The question of a call, and the key it is answered under. */
async function ask(given: object = args) {
  const { answer, ran } = await call({ given })
  assert.ok(answer.kind === 'inputRequired')
  assert.equal(ran, 0)
  const [key] = Object.keys(answer.requests)
  assert.ok(key !== undefined)
  return { key, request: answer.requests[key], state: answer.state }
}

test('a tool that needs approval asks with its name and its arguments, and does not run', async () => {
  const { request } = await ask()
  assert.match(JSON.stringify(request), /a_repo_delete/)
  assert.match(JSON.stringify(request), /\\"repo\\":\\"a\\",\\"number\\":1/)
})

const YES = { action: 'accept', content: { approve: true } }
const { key, state } = await ask()
const another = await ask({ repo: 'b', number: 1 })
for (const [what, response, requestState, given, runs] of [
  ['an accepted question with the tick', YES, state, args, true],
  ['an accepted question without the tick', { action: 'accept', content: { approve: false } }, state, args, false],
  ['a tick that is a text', { action: 'accept', content: { approve: 'true' } }, state, args, false],
  ['an accepted question with nothing in it', { action: 'accept', content: {} }, state, args, false],
  ['an accepted question without content', { action: 'accept' }, state, args, false],
  ['a declined question', { action: 'decline' }, state, args, false],
  ['a declined question with the tick', { action: 'decline', content: { approve: true } }, state, args, false],
  ['a cancelled question with the tick', { action: 'cancel', content: { approve: true } }, state, args, false],
  ['an answer of no kind with the tick', { content: { approve: true } }, state, args, false],
  ['a yes to other arguments', YES, another.state, args, false],
  ['a yes to these arguments for others', YES, state, { repo: 'a', number: 2 }, false],
  ['a yes without a question', YES, undefined, args, false],
  ['a yes whose state is none of ours', YES, { approval: true }, args, false],
] as const)
  test(`${what} ${runs ? 'runs the tool once' : 'does not run the tool'}`, async () => {
    const { answer, ran } = await call({ given, inputResponses: { [key]: { ...response } } as InputResponses, requestState })
    assert.equal(ran, runs ? 1 : 0)
    assert.match(JSON.stringify(answer), runs ? /ran 1/ : /was not approved, so it did not run/)
  })

for (const [what, capabilities] of [
  ['says nothing of what it can', 'none'],
  ['can sample only', { sampling: {} }],
  ['says null', { elicitation: null }],
  ['says true, where an object belongs', { elicitation: true }],
] as const)
  test(`a client that ${what} is told that it cannot approve, and the tool does not run`, async () => {
    const { answer, ran } = await call({ capabilities })
    assert.equal(ran, 0)
    assert.ok(answer.kind === 'result' && answer.result.isError)
    assert.match(JSON.stringify(answer), /needs a person's approval, and this client cannot ask for it/)
  })

test('a tool without approval runs without a question', async () => {
  assert.equal((await call({ tool: 'a_repo_get' })).ran, 1)
})
