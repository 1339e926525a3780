// `ctx.keep`: whose a handle is, how long it is kept, and what becomes of one that fails.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { createKeptHandles } from '../../../host/src/plugin/run/held/kept-handles.ts'

test('a handle is made once, and disposed with the last version that asked for it', async () => {
  const handles = createKeptHandles(fakeLog())
  const disposed: string[] = []
  const [one, two, three] = [handles.open('a'), handles.open('a'), handles.open('a')]
  const options = { dispose: (handle: string) => void disposed.push(handle) }
  const got = [await one.keep('')('port', () => 'first', options), await two.keep('')('port', () => 'second', options)]
  assert.deepEqual(got, ['first', 'first'])
  await one[Symbol.asyncDispose]()
  await three[Symbol.asyncDispose]()
  assert.deepEqual(disposed, [])
  await two[Symbol.asyncDispose]()
  assert.deepEqual(disposed, ['first'])
})

test('a handle is of one plugin, one scope and one name', async () => {
  const handles = createKeptHandles(fakeLog())
  let made = 0
  const make = () => ++made
  const [a, b] = [handles.open('a'), handles.open('b')]
  const all = [
    a.keep('x')('n', make),
    a.keep('y')('n', make),
    a.keep('x')('m', make),
    b.keep('x')('n', make),
    a.keep('x')('n', make),
  ]
  assert.deepEqual(await Promise.all(all), [1, 2, 3, 4, 1])
})

test('a handle that could not be made is made again, by the same version as well', async () => {
  const version = createKeptHandles(fakeLog()).open('a')
  await assert.rejects(
    version.keep('')('port', () => Promise.reject(new Error('taken'))),
    /taken/,
  )
  assert.equal(await version.keep('')('port', () => 'free'), 'free')
})

test('a version is held as long as a handle that it made is there, and by none that it only uses', async () => {
  const handles = createKeptHandles(fakeLog())
  const [maker, user] = [handles.open('a'), handles.open('a')]
  for (const version of [maker, user]) await version.keep('')('port', () => ({}))
  assert.deepEqual([maker.isHeld, user.isHeld], [true, false])
  await maker[Symbol.asyncDispose]()
  assert.equal(maker.isHeld, true)
  await user[Symbol.asyncDispose]()
  assert.equal(maker.isHeld, false)
})

test('what a disposal throws goes to the log and keeps no other handle; a version that is over keeps nothing', async () => {
  const log = fakeLog()
  const version = createKeptHandles(log).open('a')
  const ended: string[] = []
  await version.keep('')('bad', () => ({ [Symbol.dispose]: () => assert.fail('broken') }))
  await version.keep('')('good', () => ({ [Symbol.asyncDispose]: async () => void ended.push('good') }))
  await version[Symbol.asyncDispose]()
  assert.deepEqual(
    log.lines.map(({ event, fields }) => [event, fields['plugin'], fields['handle']]),
    [['handle_dispose_failed', 'a', 'bad']],
  )
  assert.deepEqual(ended, ['good'])
  await assert.rejects(
    version.keep('')('late', () => 1),
    /was disposed asks to keep late/,
  )
})
