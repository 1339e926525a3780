import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { cancellation, RecentEvents } from '../../../host/src/transport/streamable/event-store.ts'

const note = (text = ''): JSONRPCMessage => ({
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', data: text },
})
const answer = (id: number, text = ''): JSONRPCMessage => ({ jsonrpc: '2.0', id, result: { text } })
// The SDK passes an empty object for the event that begins a stream.
const priming = {} as JSONRPCMessage

async function replayed(events: RecentEvents, after: string): Promise<JSONRPCMessage[]> {
  const messages: JSONRPCMessage[] = []
  await events.replayEventsAfter(after, { send: async (_, message) => void messages.push(message) })
  return messages
}

test('gives again what came after an event, on its stream only', async () => {
  const events = new RecentEvents(() => 0)
  const first = await events.storeEvent('a', priming)
  await events.storeEvent('b', note('other'))
  const second = await events.storeEvent('a', note('one'))
  await events.storeEvent('a', answer(1))
  assert.deepEqual(await replayed(events, first), [note('one'), answer(1)])
  assert.deepEqual(await replayed(events, second), [answer(1)])
})

test('knows when nothing more will come after an event', async () => {
  const events = new RecentEvents(() => 0)
  const begun = await events.storeEvent('a', priming)
  assert.equal(events.isLast(begun), false)
  const last = await events.storeEvent('a', answer(1))
  assert.equal(events.isLast(begun), false)
  assert.equal(events.isLast(last), true)
  assert.equal(events.isLast(await events.storeEvent('_GET_stream', note())), false)
  for (const unknown of ['', 'nothing', 'b_1', '../../a_1', `a_${'9'.repeat(20)}`])
    assert.equal(events.isLast(unknown), true, unknown)
})

test('takes a cancellation for the end of its stream, and gives it to nobody', async () => {
  const events = new RecentEvents(() => 0)
  const begun = await events.storeEvent('a', priming)
  await events.storeEvent('a', cancellation(1))
  assert.equal(events.isLast(begun), true)
  assert.deepEqual(await replayed(events, begun), [])
})

test('keeps the last 64 events', async () => {
  const events = new RecentEvents(() => 0)
  const begun = await events.storeEvent('a', priming)
  for (let index = 0; index < 100; index++) await events.storeEvent('a', note(String(index)))
  assert.deepEqual(
    await replayed(events, begun),
    Array.from({ length: 64 }, (_, index) => note(String(index + 36))),
  )
})

test('keeps a quarter of a megabyte, and the newest event however large', async () => {
  const events = new RecentEvents(() => 0)
  const begun = await events.storeEvent('a', priming)
  for (let index = 0; index < 10; index++) await events.storeEvent('a', note('x'.repeat(100_000)))
  assert.equal((await replayed(events, begun)).length, 2)
  await events.storeEvent('a', answer(1, 'x'.repeat(1_000_000)))
  assert.deepEqual(await replayed(events, begun), [answer(1, 'x'.repeat(1_000_000))])
})

test('drops what is older than a minute, but for the newest', async () => {
  let now = 0
  const events = new RecentEvents(() => now)
  const begun = await events.storeEvent('a', priming)
  await events.storeEvent('a', note('old'))
  now = 30_000
  await events.storeEvent('a', answer(1))
  now = 60_001
  events.expire()
  assert.deepEqual(await replayed(events, begun), [answer(1)])
  now = 1_000_000
  events.expire()
  assert.deepEqual(await replayed(events, begun), [answer(1)])
})
