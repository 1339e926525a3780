import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createValidators } from '../../../host/src/data/schema/validate.ts'
import { createMetrics } from '../../../host/src/observability/metrics.ts'
import { prepareAhead } from '../../../host/src/prepare-ahead.ts'

test('each step has a turn of its own, so that a request between two of them does not wait for both', async () => {
  const order: string[] = []
  const preparing = prepareAhead({
    afterMs: 0,
    signal: new AbortController().signal,
    steps: [
      () => {
        order.push('first')
        setImmediate(() => order.push('a request'))
      },
      () => void order.push('second'),
    ],
  })
  await preparing
  assert.deepEqual(order, ['first', 'a request', 'second'])
})

test('a host that is closed prepares nothing more, and one that is never to prepare nothing at all', async () => {
  const closing = new AbortController()
  let steps = 0
  const step = () => {
    steps++
    closing.abort()
  }
  await prepareAhead({ afterMs: 0, signal: closing.signal, steps: [step, step] })
  await prepareAhead({ afterMs: Infinity, signal: new AbortController().signal, steps: [step] })
  assert.equal(steps, 1)
})

test('what was prepared checks and counts as before', async () => {
  const validators = createValidators()
  for (const piece of [...validators.prepare, ...validators.prepare]) piece()
  const check = validators.validator({ type: 'object', required: ['name'] })
  assert.deepEqual([check({ name: 'x' }), check({})?.length], [undefined, 1])
  const metrics = createMetrics()
  metrics.call({ plugin: 'p', tool: 'p_t', outcome: 'ok' }, 1)
  await Promise.all([metrics.prepare(), metrics.prepare()])
  assert.match(await metrics.render(), /tool="p_t"/)
})
