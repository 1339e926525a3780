import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { hostError } from '../../../host/src/errors.ts'
import { writeThrown } from '../../../host/src/plugin/isolate/channel/error-codec.ts'
import { FrameError, PLUGIN_BOUNDS } from '../../../host/src/plugin/isolate/channel/frame.ts'
import { createFrameReader } from '../../../host/src/plugin/isolate/channel/frame-reader.ts'
import { openPeer, type PeerOptions } from '../../../host/src/plugin/isolate/channel/peer.ts'
import { encodeFrame, frameOf, resultFrame } from '../../fixtures/plugins/frames.ts'

const unexpected = () => assert.fail('nothing is read')
const nothing = { onFrame: unexpected, onCall: unexpected, onResult: unexpected }

const ASK = 0
const ANSWER = 1
const FAILURE = 2
const TELL = 3

/** The host's end of a channel, and the other end as a socket that writes whatever it likes. */
async function hostEnd(t: TestContext, options: Partial<PeerOptions> = {}) {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const plugin = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [socket] = (await once(server, 'connection')) as [Socket]
  const fault = Promise.withResolvers<string>()
  const told: string[] = []
  const peer = openPeer({
    socket,
    from: 'plugin',
    onRequest: async (_what, { body }) => ({ data: body.length }),
    onNotification: (what) => void told.push(what),
    onFault: fault.resolve,
    onClose: () => {},
    ...options,
  })
  t.after(() => {
    peer.close(new Error('the test is over'))
    plugin.destroy()
    server.close()
  })
  return { peer, plugin, socket, fault: fault.promise, told }
}

test('an answer is to a question that was asked: one that was given up or answered before is dropped, and any other is a fault', async (t) => {
  const { peer, plugin, fault } = await hostEnd(t)
  const first = peer.request('one')
  const second = peer.request('two')
  peer.giveUp(first.id, new Error('given up'))
  await assert.rejects(first.answer, /given up/)
  for (const data of ['late', 'later']) plugin.write(encodeFrame([ANSWER, first.id, data]))
  plugin.write(encodeFrame([ANSWER, second.id, 'two']))
  plugin.write(encodeFrame([ANSWER, second.id, 'again']))
  assert.equal((await second.answer).data, 'two')
  plugin.write(encodeFrame([ANSWER, second.id + 1, 'of the question that comes next']))
  assert.equal(await fault, 'answered a question that was not asked')
})

for (const [what, header] of [
  ['the question before the first', [ANSWER, 0, 'x']],
  ['a question of no number', [FAILURE, -1, 'x']],
] as const)
  test(`an answer to ${what} is a fault`, async (t) => {
    const { plugin, fault } = await hostEnd(t)
    plugin.write(encodeFrame(header))
    assert.equal(await fault, 'answered a question that was not asked')
  })

for (const header of [{ kind: TELL }, [7, 1, 'x'], [ASK, 'one', 'x'], [ASK, 1, 2], [TELL, 1, 'x'], ['x'], []])
  test(`${JSON.stringify(header)} is a message of no known form, and nothing is read behind it`, async (t) => {
    const { plugin, fault, told } = await hostEnd(t)
    plugin.write(Buffer.concat([encodeFrame([TELL, 'before', 1]), encodeFrame(header), encodeFrame([TELL, 'behind', 1])]))
    assert.equal(await fault, 'sent a message of no known form')
    plugin.write(encodeFrame([TELL, 'later', 1]))
    await new Promise(setImmediate)
    assert.deepEqual(told, ['before'])
  })

test('a plugin throws errors of services, and none that the host decides by', async (t) => {
  const { peer, plugin } = await hostEnd(t)
  const failing = async (error: unknown) => {
    const { id, answer } = peer.request('call')
    plugin.write(encodeFrame([FAILURE, id, writeThrown(error)]))
    return answer.then(
      () => assert.fail(),
      (thrown: unknown) => Reflect.get(Object(thrown), 'code'),
    )
  }
  assert.equal(await failing(hostError('CALL_CANCELLED', { tool: 'x' })), undefined)
  assert.equal(await failing(hostError('PIN_NOT_LOCKED', { plugin: 'x' })), undefined)
  assert.equal(await failing(hostError('PIN_FILE', { file: 'x', problem: 'y' })), 'PIN_FILE')
  assert.equal(await failing(new ServiceError('NOT_FOUND', 'x')), 'NOT_FOUND')
})

test('questions that were answered make room for others, however many bytes they had', async (t) => {
  const { plugin, socket } = await hostEnd(t)
  let answered = Promise.withResolvers<unknown>()
  const reader = createFrameReader({ ...nothing, bounds: PLUGIN_BOUNDS, onFrame: (header) => answered.resolve(header) })
  plugin.on('data', (chunk: Buffer) => reader.push(chunk))
  // Five times 15 MB are more than the 64 MB that are answered at a time.
  for (let id = 1; id <= 5; id++) {
    answered = Promise.withResolvers<unknown>()
    plugin.write(encodeFrame([ASK, id, 'cache'], Buffer.alloc(15 * 1_048_576)))
    assert.deepEqual(await answered.promise, [ANSWER, id, 15 * 1_048_576])
  }
  assert.equal(socket.isPaused(), false)
})

test('a frame and a header may be as large as their bounds, and no larger', () => {
  const bounds = { ...PLUGIN_BOUNDS, frameBytes: 100, headerBytes: 20 }
  const table: [headerBytes: number, bodyBytes: number, fits: boolean][] = [
    [20, 72, true],
    [20, 73, false],
    [21, 0, false],
    [2, 90, true],
  ]
  for (const [headerBytes, bodyBytes, fits] of table) {
    const sizes: number[] = []
    const reader = createFrameReader({ ...nothing, bounds, onFrame: (_header, body) => void sizes.push(body.length) })
    const frame = encodeFrame('x'.repeat(headerBytes - 2), Buffer.alloc(bodyBytes))
    if (fits) reader.push(frame)
    else assert.throws(() => reader.push(frame), FrameError)
    assert.deepEqual(sizes, fits ? [bodyBytes] : [])
  }
})

test('a call of a tool goes over as a few numbers and comes back with its body, which is read before the next', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const end = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [socket] = (await once(server, 'connection')) as [Socket]
  const shared = {
    onRequest: async () => ({}),
    onNotification: () => {},
    onFault: (problem: string) => assert.fail(problem),
    onClose: () => {},
  }
  const seen: number[][] = []
  const plugin = openPeer({
    ...shared,
    socket: end,
    from: 'host',
    onCall: async ({ tool, facts, body }) => {
      seen.push([tool, facts])
      return tool === 7 ? { as: 'nothing' } : { as: 'text', body: body.toString().repeat(2) }
    },
  })
  const host = openPeer({ ...shared, socket, from: 'plugin' })
  t.after(() => {
    for (const peer of [host, plugin]) peer.close(new Error('the test is over'))
    server.close()
  })
  const call = (tool: number, body: string) =>
    new Promise((resolve, reject) => {
      host.call(tool, tool + 1, body, { resolve: ({ data, body: answer }) => resolve([data, answer.toString()]), reject })
    })
  // Small and large ones, so that frames come in one piece and in many, and memory grows and is used again.
  const bodies = Array.from({ length: 60 }, (_, index) =>
    `${index} ü`.padEnd(index % 5 === 0 ? 90_000 + index : index * 10, String(index)),
  )
  const answers = await Promise.all(bodies.map((body, tool) => call(tool, body)))
  assert.deepEqual(
    answers,
    bodies.map((body, tool) => (tool === 7 ? [{ as: 'nothing' }, ''] : [{ as: 'text' }, body.repeat(2)])),
  )
  assert.deepEqual(
    seen,
    bodies.map((_, tool) => [tool, tool + 1]),
  )
})

test('a plugin that has the host call a tool, or answers a call with a header of another length, is at fault', async (t) => {
  const frames = [frameOf(Buffer.from([1, ...Array<number>(15).fill(0)]), '{}'), frameOf(Buffer.from([2, 0, 0, 0, 1, 0, 0]), 'x')]
  const words = ['sent a message of no known form', 'sent a message whose header is not JSON']
  for (const [index, frame] of frames.entries()) {
    const { plugin, fault } = await hostEnd(t)
    plugin.write(frame)
    assert.equal(await fault, words[index])
  }
})

test('a result is for a call that was asked for, and says a kind that there is or none', async (t) => {
  const { peer, plugin, fault } = await hostEnd(t)
  const given: unknown[] = []
  const id = peer.call(0, 0, '', { resolve: ({ data }) => void given.push(data), reject: assert.fail })
  plugin.write(resultFrame(id, 200, 'x'))
  plugin.write(resultFrame(id, 0, 'again'))
  plugin.write(resultFrame(id + 1, 0, 'of the call that comes next'))
  assert.equal(await fault, 'answered a question that was not asked')
  assert.deepEqual(given, [undefined])
})

test('what is told is dropped, and not sent, when its header is longer than the other end takes', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const end = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(server, 'connection')
  const noise = { onRequest: async () => ({}), onNotification: () => {}, onFault: assert.fail, onClose: () => {} }
  const plugin = openPeer({ ...noise, socket: end, from: 'host' })
  t.after(() => {
    plugin.close(new Error('the test is over'))
    server.close()
  })
  assert.equal(plugin.notify('log', 'x'.repeat(PLUGIN_BOUNDS.headerBytes)), 0)
  assert.ok(plugin.notify('log', 'x') > 0)
})

test('memory that the kernel has not taken yet is not written over, however long the other end does not read', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const end = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [socket] = (await once(server, 'connection')) as [Socket]
  const shared = {
    onRequest: async () => ({}),
    onNotification: () => {},
    onFault: (problem: string) => assert.fail(problem),
    onClose: () => {},
  }
  const host = openPeer({ ...shared, socket, from: 'plugin' })
  const bodies = Array.from({ length: 120 }, (_, index) => String(index).padEnd(100_000, String.fromCharCode(97 + (index % 26))))
  const answers: Promise<string>[] = []
  for (const body of bodies) {
    answers.push(
      new Promise((resolve, reject) => {
        host.call(0, 0, body, { resolve: ({ body: answer }) => resolve(answer.toString()), reject })
      }),
    )
    await new Promise(setImmediate)
  }
  assert.ok(socket.writableLength > 0)
  const plugin = openPeer({
    ...shared,
    socket: end,
    from: 'host',
    onCall: async ({ body }) => ({ as: 'text', body: body.toString() }),
  })
  t.after(() => {
    for (const peer of [host, plugin]) peer.close(new Error('the test is over'))
    server.close()
  })
  const got = await Promise.all(answers)
  assert.deepEqual(
    got.map((text, index) => text === bodies[index]),
    bodies.map(() => true),
  )
})
