import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'
import { SessionTransport } from '../../../host/src/transport/streamable/session-transport.ts'

/** A session, and what it does to streams and sends, without a client. */
class WatchedTransport extends SessionTransport {
  readonly closed: RequestId[] = []
  readonly sent: unknown[] = []
  override closeSSEStream(id: RequestId): void {
    this.closed.push(id)
  }
  override async send(message: JSONRPCMessage): Promise<void> {
    this.sent.push('id' in message ? message.id : undefined)
  }
}

const request = (id: RequestId) => ({ jsonrpc: '2.0', id, method: 'tools/call' })
const open = () => new WatchedTransport({ now: () => 0, sessionIdGenerator: () => 'session' })

test('a request that is cancelled ends its stream, but not that of the batch it came in', async () => {
  const transport = open()
  transport.expect(request(1))
  transport.expect([request(2), request(3)])
  for (const id of [1, 2, 4]) await transport.cancelled(id)
  assert.deepEqual([transport.closed, transport.sent], [[1], [1, 2]], 'and nothing is done for one that is not there')
})

test('an id is in use until its request was answered or refused, and twice in a batch is once too often', () => {
  const transport = open()
  assert.deepEqual([transport.expect(request(1)), transport.expect(request(1)), transport.isBusy], [undefined, 1, true])
  transport.forget(request(1))
  assert.deepEqual([transport.isBusy, transport.expect([request(1), request('1'), request(1)])], [false, 1])
  assert.equal(transport.isBusy, false, 'nothing of a message that is refused is noted')
})
