import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { SlowReader, UnreadAnswers } from '../../../host/src/transport/http/sending/unread-answers.ts'

/** Much more than the kernel keeps of it. */
const LENGTH = 33_554_432

test('lets the client go that had the most time to read when answers that are not read are more than may be', async (t) => {
  const unread = new UnreadAnswers(LENGTH + 1)
  const server = createServer((_req, res) => {
    res.writeHead(200, { 'content-length': LENGTH })
    res.end(Buffer.alloc(LENGTH))
    unread.add(res)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const ask = async () => {
    const answered = once(server, 'request') as Promise<[unknown, ServerResponse]>
    const client = connect((server.address() as AddressInfo).port).on('error', () => {})
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const [, res] = await answered
    return { client, res }
  }

  const first = await ask()
  assert.equal(first.res.destroyed, false)
  const second = await ask()
  assert.ok(first.res.errored instanceof SlowReader && first.res.errored.unread > LENGTH / 2)
  assert.equal(second.res.destroyed, false)

  const sent = once(second.res, 'close')
  second.client.resume()
  await sent
  assert.equal(second.res.writableFinished, true)
  const third = await ask()
  assert.equal(third.res.destroyed, false)
  for (const { client } of [first, second, third]) client.destroy()
})
