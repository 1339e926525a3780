import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elicit, inputRequired, Type, type InputResponses, type Principal } from '@mcp-patchbay/plugin-api'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createMetrics } from '../../../host/src/observability/metrics.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { LivePlugin } from '../../../host/src/plugin/run/live-plugin.ts'
import { createCalls } from '../../../host/src/server/call/call.ts'
import type { ToolAnswer } from '../../../host/src/server/call/types.ts'
import { argumentsDigest } from '../../../host/src/server/call/approval/arguments-digest.ts'
import { createSingleUse, type SingleUse } from '../../../host/src/server/call/approval/single-use.ts'
import type { SharedScripts } from '../../../host/src/cache/shared-scripts.ts'
import type { RunningPlugin } from '../../../host/src/plugin/run/running.ts'
import { Cancellation } from '../../../host/src/server/call/cancellation.ts'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const principal: Principal = { id: 'x', tenant: undefined, permissions: [], kind: 'apiKey' }
const CAN_ASK = { elicitation: {} }
const args = { repo: 'a', number: 1 }

/** Calls of one host. */
function runner(callTool?: RunningPlugin['callTool']) {
  let ran = 0
  const input = Type.Object({ repo: Type.String(), number: Type.Number({ default: 1 }) })
  const record = activeRecord(
    emptyPlugin('a', [
      emptyTool('repo_delete', 'write', { approval: 'required', interactive: true, input }),
      emptyTool('repo_get', 'read', { input }),
    ]),
  )
  assert.ok(record.live)
  const live = new LivePlugin('a', { ...record.live.running, callTool: callTool ?? (async () => `ran ${++ran}`) })
  const calls = createCalls({
    log: silentLogger,
    metrics: createMetrics(),
    now: () => 0,
    limits: () => ({ callTimeoutMs: 60_000, resultBytes: 10_000 }),
    redact: createRedactor(),
    tickets,
  })
  return ({ tool = 'a_repo_delete', given = args, capabilities = CAN_ASK, ...answer }: Asked = {}): Promise<ToolAnswer> => {
    const io = {
      cancellation: new Cancellation(),
      requestId: 'r1',
      ...(capabilities === 'none' ? {} : { clientCapabilities: capabilities }),
      ...answer,
    }
    ran = 0
    return calls.tool(snapshotOf([{ ...record, live }]), createCaller(principal), tool, given, io)
  }
}

/** Of one host, which is here as many as there are tests. */
const tickets: SingleUse = { ...createSingleUse() }

interface Asked {
  tool?: string
  given?: object
  capabilities?: Readonly<Record<string, unknown>> | 'none'
  inputResponses?: InputResponses
  requestState?: unknown
}

/** How often the plugin ran, and what a call with this was answered. */
async function call(asked: Asked = {}): Promise<{ answer: ToolAnswer; ran: number }> {
  let ran = 0
  const answer = await runner(async () => `ran ${++ran}`)(asked)
  return { answer, ran }
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
  assert.match(JSON.stringify(request), /Arguments:.*- repo: .*a.*- number: 1/, 'what the tool would do by itself comes last')
})

test('a yes counts once: the same call asks again, and the same answer does not run it', async () => {
  const run = runner()
  const asked = await run()
  assert.ok(asked.kind === 'inputRequired')
  const [key = ''] = Object.keys(asked.requests)
  const yes = { inputResponses: { [key]: YES } as InputResponses, requestState: asked.state }
  assert.match(JSON.stringify(await run(yes)), /ran 1/)
  assert.match(JSON.stringify(await run(yes)), /was not approved, so it did not run: a yes counts for one call/)
  assert.equal((await run()).kind, 'inputRequired')
})

test('a yes counts for no other process, and for one of those that share a store', async () => {
  const taken = new Set<string>()
  const kept: unknown[] = []
  const scripts: SharedScripts = {
    async eval(_, { keys: [key = ''], arguments: [seconds] }) {
      kept.push(seconds)
      return taken.has(key) ? null : (taken.add(key), 'OK')
    },
  }
  const [one, other] = [createSingleUse(), createSingleUse()]
  assert.equal(await other.use(one.issue()), false)
  const [first, second] = [createSingleUse(scripts), createSingleUse(scripts)]
  const ticket = first.issue()
  assert.deepEqual([await second.use(ticket), await first.use(ticket), await second.use(ticket)], [true, false, false])
  assert.deepEqual(new Set(kept), new Set(['660']), 'longer than a question may be answered')
  const away = createSingleUse({ eval: () => Promise.reject(new Error('away')) })
  assert.equal(await away.use(away.issue()), false, 'what cannot be told does not count')
})

test('a tool that asks questions of its own goes on under its yes, and no state of it counts twice', async () => {
  const seen: unknown[] = []
  const run = runner(async (_name, _args, { requestState, inputResponses }) => {
    seen.push([requestState, inputResponses])
    return seen.length === 1 ? inputRequired({ requests: { colour: elicit('Which?', {}) }, state: { step: 1 } }) : 'done'
  })
  const asked = await run()
  assert.ok(asked.kind === 'inputRequired')
  const [key = ''] = Object.keys(asked.requests)
  const second = await run({ inputResponses: { [key]: YES } as InputResponses, requestState: asked.state })
  assert.ok(second.kind === 'inputRequired')
  assert.deepEqual(Object.keys(second.requests), ['colour'])
  const last = { inputResponses: { colour: { action: 'accept' } } as InputResponses, requestState: second.state }
  assert.match(JSON.stringify(await run(last)), /done/)
  assert.deepEqual(seen, [
    [undefined, undefined],
    [{ step: 1 }, { colour: { action: 'accept' } }],
  ])
  assert.match(JSON.stringify(await run(last)), /a yes counts for one call/)
})

const YES = { action: 'accept', content: { approve: true } }
const another = await ask({ repo: 'b', number: 1 })
for (const [what, response, of, given, runs] of [
  ['an accepted question with the tick', YES, 'own', args, true],
  ['an accepted question without the tick', { action: 'accept', content: { approve: false } }, 'own', args, false],
  ['a tick that is a text', { action: 'accept', content: { approve: 'true' } }, 'own', args, false],
  ['an accepted question with nothing in it', { action: 'accept', content: {} }, 'own', args, false],
  ['an accepted question without content', { action: 'accept' }, 'own', args, false],
  ['a declined question', { action: 'decline' }, 'own', args, false],
  ['a declined question with the tick', { action: 'decline', content: { approve: true } }, 'own', args, false],
  ['a cancelled question with the tick', { action: 'cancel', content: { approve: true } }, 'own', args, false],
  ['an answer of no kind with the tick', { content: { approve: true } }, 'own', args, false],
  ['a yes to other arguments', YES, 'another', args, false],
  ['a yes to these arguments for others', YES, 'own', { repo: 'a', number: 2 }, false],
  ['a yes without a question', YES, 'none', args, false],
  ['a yes whose state is none of ours', YES, 'forged', args, false],
] as const)
  test(`${what} ${runs ? 'runs the tool once' : 'does not run the tool'}`, async () => {
    const { key, state } = await ask()
    const requestState = { own: state, another: another.state, none: undefined, forged: { approval: true } }[of]
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

test('a yes is to these arguments whatever the order of their keys, and to no others, even with half a character in them', () => {
  assert.equal(argumentsDigest({ a: 1, b: [2] }), argumentsDigest({ b: [2], a: 1 }))
  const others = [
    undefined,
    {},
    { text: '' },
    { text: 'x' },
    { text: '\ud83d' },
    { text: '\ud83e' },
    { text: '\ufffd' },
    { texts: '\ud83d' },
  ]
  assert.equal(new Set(others.map(argumentsDigest)).size, others.length)
})
