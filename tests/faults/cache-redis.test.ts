import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import type { HostCache } from '../../host/src/cache/cache.ts'
import { openCache } from '../../host/src/cache/open-cache.ts'
import { redisCommand, startRedis, withoutRedis } from '../fixtures/redis.ts'
import { startProxy, type ProxyMode } from '../fixtures/http/tcp-proxy.ts'
import { createTestClock, type TestClock } from '../fixtures/test-clock.ts'

const BROKEN: readonly Exclude<ProxyMode, 'pass'>[] = ['hang', 'reset', 'garbage']

suite('a Redis that is broken', { skip: withoutRedis }, () => {
  for (const mode of BROKEN)
    for (const since of ['before the host started', 'in the middle'] as const)
      test(`every call is answered within 100 ms when it does ${mode}, ${since}; then it is used again`, async (t) => {
        const redis = await startRedis(t)
        const proxy = await startProxy(t, redis.port)
        const clock = createTestClock()
        if (since === 'before the host started') proxy.mode = mode
        const cache = open(t, proxy.port, clock)
        if (since === 'in the middle') {
          await cache.bus?.ready
          assert.equal(await ask(cache, 'kept'), 'kept')
          assert.equal(await ask(cache, 'unused'), 'kept')
          proxy.mode = mode
        }
        for (let call = 0; call < 6; call += 1) {
          const from = clock.now()
          const answer = ask(cache, `loaded ${call}`)
          if (mode === 'hang' && call < 3) await waitsNoLonger(clock)
          assert.equal(await answer, `loaded ${call}`)
          assert.ok(clock.now() - from <= 100)
        }
        assert.equal(cache.stats.state, 'down')
        assert.ok(cache.stats.failures >= 3)

        proxy.mode = 'pass'
        await recovered(cache, clock)
        const kept = since === 'in the middle' ? 'kept' : 'new'
        assert.equal(await ask(cache, 'new'), kept)
        assert.equal(await ask(cache, 'unused'), kept)
      })

  for (const [what, command, undo] of [
    ['is out of memory', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
    ['is a replica that takes no writes', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
  ] as const)
    test(`every call is answered, and none with what was dropped, when it ${what}`, async (t) => {
      const redis = await startRedis(t)
      const clock = createTestClock()
      const cache = open(t, redis.port, clock)
      await cache.bus?.ready
      assert.equal(await ask(cache, 'old'), 'old')
      await redisCommand(redis, command)
      await cache.drop([cache.tag('github')])
      for (const value of ['a', 'b', 'c', 'd', 'e']) assert.equal(await ask(cache, value), value)
      await redisCommand(redis, undo)
      await recovered(cache, clock)
      assert.equal(await ask(cache, 'new'), 'new')
      assert.equal(await ask(cache, 'unused'), 'new')
    })

  test('calls under way when it is killed are answered, and the next are once it is there again', async (t) => {
    const redis = await startRedis(t)
    const proxy = await startProxy(t, redis.port)
    const clock = createTestClock()
    const cache = open(t, proxy.port, clock)
    await cache.bus?.ready
    proxy.mode = 'hang'
    const answers = Promise.all(
      ['a', 'b', 'c'].map((key) => cache.namespace('results', key).wrap('key', { ttlMs: 1 }, async () => key)),
    )
    await clock.scheduled((ms) => ms === 100)
    await redis.kill()
    proxy.mode = 'reset'
    assert.deepEqual(await answers, ['a', 'b', 'c'])
    await redis.restart()
    proxy.mode = 'pass'
    await recovered(cache, clock)
    assert.equal(await ask(cache, 'new'), 'new')
    assert.equal(await ask(cache, 'unused'), 'new')
  })

  test('the bus listens again by itself', async (t) => {
    const redis = await startRedis(t)
    const [here, there] = [await startProxy(t, redis.port), redis]
    const clock = createTestClock()
    const [one, two] = [open(t, here.port, clock), open(t, there.port)]
    await Promise.all([one.bus?.ready, two.bus?.ready])
    here.mode = 'reset'
    await clock.scheduled((ms) => ms === 1_000)
    here.mode = 'pass'
    const { promise: heard, resolve } = Promise.withResolvers<unknown>()
    one.bus?.on('topic', resolve)
    clock.advance(1_000)
    const again = setInterval(() => two.bus?.publish('topic', 'heard'), 10)
    assert.equal(await heard, 'heard')
    clearInterval(again)
  })

  test('a host with a Redis that never answers closes', async (t) => {
    const redis = await startRedis(t)
    const proxy = await startProxy(t, redis.port)
    proxy.mode = 'hang'
    const clock = createTestClock()
    const cache = open(t, proxy.port, clock)
    const answer = ask(cache, 'loaded')
    await waitsNoLonger(clock)
    assert.equal(await answer, 'loaded')
    await cache[Symbol.asyncDispose]()
  })
})

/** Lets the 100 ms of the one who waits go by. */
async function waitsNoLonger(clock: TestClock): Promise<void> {
  await clock.scheduled((ms) => ms === 100)
  clock.advance(100)
}

/** Lets the pauses go by, until a call got through. */
async function recovered(cache: HostCache, clock: TestClock): Promise<void> {
  for (;;) {
    clock.advance(2_000)
    await cache.namespace('probe').get('key')
    if (cache.stats.state === 'up') return
  }
}

async function ask(cache: HostCache, value: string): Promise<string> {
  const options = { ttlMs: 10 * 60_000, tags: [cache.tag('github')] }
  return (await cache.namespace('results', 'github').remember('key', options, async () => value)).value
}

function open(t: TestContext, port: number, clock?: TestClock): HostCache {
  const settings = { store: `redis://127.0.0.1:${port}`, maxEntries: 100 }
  const cache = openCache({ settings, configDir: '/', log: fakeLog(), ...(clock && { clock }) })
  t.after(() => cache[Symbol.asyncDispose]())
  return cache
}
