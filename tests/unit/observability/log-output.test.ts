import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogOutput, fileWriter, type LogSink } from '../../../host/src/observability/log/log-output.ts'
import { createLogger } from '../../../host/src/observability/logger.ts'
import { LINE_LIMITS } from '../../../host/src/observability/log/shorten.ts'

/** A reader that takes a write when it is told to. */
function stuckSink(holdsExit = false) {
  const taken: string[] = []
  const pending: { text: string; done: (error?: NodeJS.ErrnoException) => void }[] = []
  const sink: LogSink = {
    holdsExit,
    write(text, done) {
      pending.push({ text, done })
      return false
    },
    writeNow: (text) => void taken.push(text),
  }
  const take = (error?: NodeJS.ErrnoException) => {
    const next = pending.shift() ?? assert.fail('nothing is written')
    if (!error) taken.push(next.text)
    next.done(error)
  }
  return { sink, taken, take, pending }
}

const line = (number: number) => `line ${String(number).padStart(4, '0')}\n`
const failure = (code: string) => Object.assign(new Error(code), { code })

test('lines leave in order, many in one write, and one write at a time', () => {
  const { sink, taken, take, pending } = stuckSink()
  const output = createLogOutput({ sink })
  for (let number = 0; number < 100; number++) output.write(line(number))
  assert.equal(pending.length, 1)
  take()
  take()
  assert.equal(taken.join(''), Array.from({ length: 100 }, (_, number) => line(number)).join(''))
  assert.equal(output.dropped, 0)
})

test('what a stuck reader leaves is bounded: the rest is dropped, counted, and told once there is room', () => {
  const { sink, taken, take } = stuckSink()
  const output = createLogOutput({ sink, most: 1_000 })
  const told: number[] = []
  output.onDropped((lines) => void told.push(lines))
  for (let number = 0; number < 500; number++) output.write(line(number))
  const kept = 101 // one in the reader's hands, a thousand characters waiting
  assert.deepEqual([output.dropped, told], [500 - kept, []])
  take()
  take()
  assert.deepEqual(told, [500 - kept])
  assert.equal(taken.join('').split('\n').length - 1, kept)
})

test('lines that matter are dropped last', () => {
  const { sink, taken, take } = stuckSink()
  const output = createLogOutput({ sink, most: 1_000 })
  output.write('first\n')
  for (let number = 0; number < 300; number++) {
    output.write(line(number))
    output.write(`audit ${String(number).padStart(3, '0')}\n`, true)
  }
  take()
  take()
  const audits = taken.join('').match(/audit \d+/g) ?? []
  assert.deepEqual([audits.length, audits[0], audits.at(-1)], [100, 'audit 000', 'audit 099'])
  assert.equal(output.dropped, 600 - taken.join('').match(/(?:audit|line)/g)!.length)
})

for (const code of ['EAGAIN', 'ENOSPC'])
  test(`what could not be written for ${code} is written later`, (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { sink, taken, take } = stuckSink()
    const output = createLogOutput({ sink })
    output.write('one\n')
    output.write('two\n')
    take(failure(code))
    t.mock.timers.tick(1_000)
    take()
    assert.deepEqual([taken, output.dropped], [['one\ntwo\n'], 0])
  })

for (const code of ['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED'])
  test(`lines that fail with ${code} are counted, and the next ones tried`, () => {
    const { sink, taken, take } = stuckSink()
    const output = createLogOutput({ sink })
    output.write('one\n')
    output.write('two\n')
    take(failure(code))
    take()
    assert.deepEqual([taken, output.dropped], [['two\n'], 1])
  })

test('a reader that is gone is not told how much it misses, and one that is back is told once', () => {
  const { sink, taken, take, pending } = stuckSink()
  const output = createLogOutput({ sink })
  output.onDropped((lines) => output.write(`dropped ${lines}\n`))
  for (const text of ['one\n', 'two\n', 'three\n']) {
    output.write(text)
    take(failure('EPIPE'))
    assert.equal(pending.length, 0, 'nothing is written of itself')
  }
  output.write('four\n')
  take()
  take()
  assert.deepEqual([taken, output.dropped, pending.length], [['four\n', 'dropped 3\n'], 3, 0])
})

test('a flush ends when everything was written, and a stuck reader does not hold it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { sink, take } = stuckSink(true)
  const output = createLogOutput({ sink })
  assert.equal(await output.flush(100), true)
  output.write('one\n')
  const late = output.flush(100)
  t.mock.timers.tick(100)
  assert.equal(await late, false)
  assert.equal(output.isStuck(0), true)
  const whole = output.flush(Infinity)
  take()
  assert.equal(await whole, true)
  assert.equal(output.isStuck(0), false)
})

test('at the end of the process what waits is written as far as nothing waits for it', () => {
  const { sink, taken, take } = stuckSink()
  const output = createLogOutput({ sink })
  output.write('one\n')
  output.write('two\n')
  output.flushNow()
  assert.deepEqual(taken, [], 'behind one that is half written nothing is')
  take()
  output.write('three\n')
  take()
  output.write('four\n')
  take()
  assert.deepEqual(taken, ['one\n', 'three\n', 'four\n'])
})

test('a line that is too long keeps its event, its level and every field, cut and marked; a secret in it is gone whole', () => {
  const lines: string[] = []
  const secret = 'canary-secret-0123456789'
  const log = createLogger({
    level: 'info',
    format: 'json',
    redact: (text) => text.replaceAll(secret, '[redacted]'),
    destination: { write: (text) => void lines.push(text) },
  })
  const long = 'x'.repeat(8_190) + secret + 'y'.repeat(2_000_000)
  log.warn('large', { long, list: Array.from({ length: 5_000 }, (_, i) => `item ${i}`), error: new Error(long), last: 1 })
  const deep = { a: { b: { c: { d: { e: { f: long } } } } } }
  log.info('deep', { deep })
  log.info('wide', Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`key ${i}`, i])))
  const [large, nested, wide] = lines.map((text) => JSON.parse(text) as Record<string, unknown>)
  for (const text of lines) {
    assert.ok(text.length < LINE_LIMITS.line * 2, `${text.length} characters`)
    assert.doesNotMatch(text, /canary/)
  }
  assert.deepEqual([large?.['event'], large?.['level'], large?.['last']], ['large', 'warn', 1])
  assert.match(String(large?.['long']), /… \[\d{7} characters\]$/)
  assert.match(JSON.stringify(large?.['list']), /… 4900 more/)
  assert.match(JSON.stringify(large?.['error']), /"name":"Error","message":"x+/)
  assert.match(JSON.stringify(nested?.['deep']), /characters\]/)
  assert.match(String(wide?.['…']), /^\d+ more$/)
})

test('a disk that takes a part of a text has every line once, whole, when it is free again', () => {
  let free = 8
  let disk = ''
  const write = fileWriter((bytes, done) => {
    if (free === 0) return done(Object.assign(new Error('full'), { code: 'ENOSPC' }), 0)
    const taken = bytes.subarray(0, free)
    free -= taken.length
    disk += String(taken)
    done(null, taken.length)
  })
  const ends: (string | undefined)[] = []
  const end = (error?: NodeJS.ErrnoException) => void ends.push(error?.code)
  write('first\nsecond\n', end)
  write('first\nsecond\n', end)
  free = 3
  write('first\nsecond\nthird\n', end)
  free = 100
  write('first\nsecond\nthird\n', end)
  assert.equal(disk, 'first\nsecond\nthird\n')
  free = 4
  write('dropped\n', end)
  free = 100
  write('after\n', end)
  assert.equal(disk, 'first\nsecond\nthird\ndrop\nafter\n')
  assert.deepEqual(ends, ['ENOSPC', 'ENOSPC', 'ENOSPC', undefined, 'ENOSPC', undefined])
})
