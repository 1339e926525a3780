import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { endInPieces } from '../../../host/src/transport/http/sending/pieces.ts'
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

test('of clients with long answers the one stays that reads, however slowly, and the others are let go', async (t) => {
  const length = LENGTH / 2
  const unread = new UnreadAnswers(length * 1.5)
  const server = createServer((_req, res) => {
    res.writeHead(200, { 'content-length': length })
    endInPieces(res, Buffer.alloc(length, 'x'), unread)
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
  const reader = await ask()
  const { client } = reader
  client.on('data', () => void (client.bytesRead > length * 0.75 && client.pause()))
  while (client.bytesRead <= length * 0.75) await once(client, 'data')
  const idle = [await ask(), await ask(), await ask()]
  while (idle.filter(({ res }) => res.errored instanceof SlowReader).length < 2) await new Promise(setImmediate)
  assert.equal(reader.res.destroyed, false)
  client.removeAllListeners('data').resume()
  for (const other of idle) other.client.destroy()
  while (client.bytesRead < length) await once(client, 'data')
  assert.equal(reader.res.errored, null)
  client.destroy()
})
