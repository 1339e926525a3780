import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { METHODS, type Method } from '../../../host/src/network/request/access.ts'
import type { Outcome } from '../../../host/src/network/resilience/outcome.ts'
import { createRetryBudget, sendWithRetries } from '../../../host/src/network/resilience/retry.ts'
import { createTestClock } from '../../fixtures/test-clock.ts'

const answered = (status: number, headers: Readonly<Record<string, string>> = {}): Outcome => ({
  kind: 'answered',
  answer: { status, headers, url: 'https://desk.example/', body: Buffer.alloc(0) },
})
const failed = (retryable: boolean): Outcome => ({
  kind: 'failed',
  error: new ServiceError('UPSTREAM_FAILED', 'failed'),
  retryable,
  unhealthy: true,
})

interface Sending {
  readonly outcome: Outcome
  readonly method?: Method
  readonly timeLeftMs?: number
  readonly budget?: ReturnType<typeof createRetryBudget>
}

/** Sends where every attempt ends alike: how often it was sent, and how long it waited between. */
async function send({ outcome, method = 'GET', timeLeftMs = 60_000, budget = createRetryBudget() }: Sending) {
  const clock = createTestClock()
  const waits: number[] = []
  let sent = 0
  await sendWithRetries(
    {
      method,
      signal: new AbortController().signal,
      timeLeftMs: () => timeLeftMs,
      breaker: { admit: () => ({ settle() {} }) },
      async send() {
        sent++
        return outcome
      },
      circuitOpen: () => assert.fail('the breaker is closed'),
      onRetry(_, waitMs) {
        waits.push(waitMs)
        queueMicrotask(() => clock.advance(waitMs))
      },
    },
    { clock, random: () => 0.5, retries: 2, retryAfterMs: 5_000, budget },
  )
  return { sent, waits }
}

const statuses = [200, 400, 401, 403, 404, 408, 409, 429, 500, 501, 502, 503, 504]
for (const method of METHODS)
  test(`${method} is sent ${/POST|PATCH/.test(method) ? 'once, whatever comes' : 'again only where that may help'}`, async () => {
    const repeats = !/POST|PATCH/.test(method)
    for (const status of statuses) {
      const helps = [429, 500, 502, 503, 504].includes(status)
      assert.equal((await send({ method, outcome: answered(status) })).sent, repeats && helps ? 3 : 1, String(status))
    }
    assert.equal((await send({ method, outcome: failed(true) })).sent, repeats ? 3 : 1)
    assert.equal((await send({ method, outcome: failed(false) })).sent, 1)
  })

test('it waits twice as long each time, and as long as the service asks besides', async () => {
  assert.deepEqual((await send({ outcome: answered(503) })).waits, [100, 200])
  assert.deepEqual((await send({ outcome: answered(429, { 'retry-after': '2' }) })).waits, [2_100, 2_200])
  assert.deepEqual((await send({ outcome: answered(429, { 'retry-after': '-5' }) })).waits, [100, 200])
})

test('it does not wait longer than it may, nor longer than the call lives', async () => {
  const asksFor = (seconds: number) => answered(503, { 'retry-after': String(seconds) })
  assert.equal((await send({ outcome: asksFor(5) })).sent, 3)
  assert.equal((await send({ outcome: asksFor(6) })).sent, 1)
  assert.equal((await send({ outcome: asksFor(5), timeLeftMs: 5_000 })).sent, 1)
  assert.equal((await send({ outcome: answered(503), timeLeftMs: 349 })).sent, 1, 'the next attempt takes time as well')
  assert.equal((await send({ outcome: answered(503), timeLeftMs: 350 })).sent, 2)
})

test('when everything fails, retries are a share of the requests after the first few', async () => {
  const budget = createRetryBudget(0.25, 2)
  const counts: number[] = []
  for (let request = 0; request < 6; request++) counts.push((await send({ outcome: failed(true), budget })).sent)
  assert.deepEqual(counts, [3, 1, 1, 1, 2, 1])
})
