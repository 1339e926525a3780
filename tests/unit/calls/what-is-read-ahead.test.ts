import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { createReadAhead } from '../../../host/src/modules/reading/read-ahead.ts'
import { createValidators } from '../../../host/src/data/schema/validate.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createMetrics } from '../../../host/src/observability/metrics.ts'

const options = { afterMs: 0, signal: new AbortController().signal, log: silentLogger }

test('each step has a turn of its own, so that a request between two of them does not wait for both', async () => {
  const order: string[] = []
  const readAhead = createReadAhead(options)
  readAhead.add(() => {
    order.push('first')
    setImmediate(() => order.push('a request'))
  })
  readAhead.add(() => void order.push('second'))
  await readAhead.over()
  assert.deepEqual(order, ['first', 'a request', 'second'])
})

test('it is over when everything that was added is read, also what is added later', async () => {
  const readAhead = createReadAhead(options)
  assert.equal(readAhead.isOver(), true)
  for (const round of ['the first', 'a later one']) {
    const step = Promise.withResolvers<void>()
    readAhead.add(() => step.promise)
    assert.equal(readAhead.isOver(), false, round)
    step.resolve()
    await readAhead.over()
    assert.equal(readAhead.isOver(), true, round)
  }
})

test('what cannot be read is told of, and what comes after it is read', async () => {
  const log = fakeLog()
  const readAhead = createReadAhead({ ...options, log })
  let after = 0
  readAhead.add(
    () => Promise.reject(new Error('no file may be opened')),
    () => void after++,
  )
  await readAhead.over()
  assert.deepEqual([after, log.lines.map(({ event }) => event), readAhead.isOver()], [1, ['prepare_failed'], true])
})

test('a host that is closed reads nothing more, and one that is never to read ahead nothing at all', async () => {
  const closing = new AbortController()
  let steps = 0
  const step = () => {
    steps++
    closing.abort()
  }
  const closed = createReadAhead({ ...options, signal: closing.signal })
  closed.add(step, step)
  const never = createReadAhead({ ...options, afterMs: Infinity })
  never.add(step)
  await Promise.all([closed.over(), never.over()])
  assert.deepEqual([steps, never.isOver()], [1, true])
})

test('what was read ahead checks and counts as before', async () => {
  const validators = createValidators()
  for (const piece of [...validators.prepare, ...validators.prepare]) piece()
  const check = validators.validator({ type: 'object', required: ['name'] })
  assert.deepEqual([check({ name: 'x' }), check({})?.length], [undefined, 1])
  const metrics = createMetrics()
  metrics.call({ plugin: 'p', tool: 'p_t', outcome: 'ok' }, 1)
  await Promise.all([metrics.prepare(), metrics.prepare()])
  assert.match(await metrics.render(), /tool="p_t"/)
})
