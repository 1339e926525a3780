// A call is in the process of its plugin from when it was sent until it is over, whatever ends it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Broker } from '../../../host/src/plugin/isolate/broker.ts'
import { IsolatedCall } from '../../../host/src/plugin/isolate/calls/isolated-call.ts'
import type { ReceivedMessage } from '../../../host/src/plugin/isolate/channel/peer.ts'
import { ProcessGone } from '../../../host/src/plugin/isolate/spawn.ts'
import { callRequest, fakeProcess, settled } from '../../fixtures/plugins/fake-process.ts'

const ID = 7

/** A call that was sent with the number 7; what the broker and the idle watch hear of it. */
function begun(life = new AbortController()) {
  const inside = new Map<number, unknown>()
  const heard: string[] = []
  const broker: Broker = {
    instance: 'a',
    begin: (id, call) => void inside.set(id, call),
    end(id) {
      heard.push(`end ${id}`)
      inside.delete(id)
    },
    onRequest: () => assert.fail('asks for nothing'),
    onNotification: () => assert.fail('tells nothing'),
  }
  const { process } = fakeProcess()
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const peer = { ...process.peer, giveUp: (_: number, reason: unknown) => call.reject(reason) }
  const call = new IsolatedCall(
    {
      at: {
        process: { ...process, peer },
        broker,
        callers: { facts: () => assert.fail(), numberOf: () => undefined },
        isSuspected: false,
      },
      request: callRequest(life.signal),
      rights: { access: 'read', safePaths: [] },
      terms: {
        instance: 'a',
        answerBytes: 1_000,
        idle: { entered: () => void heard.push('entered'), left: () => void heard.push('left') },
      },
    },
    { resolve, reject },
  )
  const answer = promise.then(
    (value) => value,
    (error: Error) => error.message.split('\n', 1)[0],
  )
  return { call, answer, inside, heard, life }
}

const textOf = (body: string): ReceivedMessage => ({ data: { as: 'text' }, body: Buffer.from(body) })

for (const [how, end, expected] of [
  ['is answered', ({ call }) => call.resolve(textOf('done')), /^done$/],
  ['gets an answer that is too long', ({ call }) => call.resolve(textOf('x'.repeat(1_001))), /1001 bytes/],
  ['fails', ({ call }) => call.reject(new Error('no')), /^no$/],
  ['is cancelled', ({ life }) => life.abort(new Error('cancelled')), /^cancelled$/],
  ['loses its process', ({ call }) => call.reject(new ProcessGone('it exited')), /it exited/],
] satisfies [string, (at: ReturnType<typeof begun>) => void, RegExp][])
  test(`a call that ${how} has left the process, once`, async () => {
    const at = begun()
    at.call.begin(() => ID)
    assert.deepEqual([at.inside.get(ID), at.heard], [at.call, ['entered']])
    end(at)
    // What comes later finds it over.
    at.life.abort(new Error('late'))
    await settled()
    assert.match(String(await at.answer), expected)
    assert.deepEqual([at.inside.size, at.heard], [0, ['entered', 'left', `end ${ID}`]])
  })

test('a call whose process has gone before it was sent was never in it', async () => {
  const { call, answer, inside, heard, life } = begun()
  call.begin((question) => {
    question.reject(new ProcessGone('it exited'))
    return ID
  })
  life.abort(new Error('late'))
  assert.match(String(await answer), /it exited/)
  assert.deepEqual([inside.size, heard], [0, []])
})
