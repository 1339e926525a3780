import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { httpClients } from '../../tests/fixtures/http/mcp-clients.ts'
import { rawClient } from '../../tests/fixtures/http/raw-client.ts'
import { redisCommand } from '../../tests/fixtures/redis.ts'
import { balanced, type Balanced } from './balanced.ts'
import { load, type Era, type Load, type Tally } from './load.ts'
import { missing } from './tools.ts'

const skip = missing('haproxy', 'redis-server', 'redis-cli')

/** Both kinds of replicas: sessions of 2025 clients are a choice of the config. */
const KINDS = {
  stateful: ['2026-07-28', '2025 in sessions'],
  stateless: ['2026-07-28', '2025 without sessions'],
} as const satisfies Record<string, readonly Era[]>

/** Without sessions older clients hear of nothing. */
const FOLLOWERS = {
  stateful: ['the v1 SDK over Streamable HTTP', 'the v2 SDK at 2026-07-28', 'the v2 SDK as a 2025 client'],
  stateless: ['the v2 SDK at 2026-07-28'],
} as const

for (const [mode, eras] of Object.entries(KINDS) as [keyof typeof KINDS, readonly Era[]][]) {
  describe(`three ${mode} replicas behind haproxy, under load`, { skip }, () => {
    test('lose no call while they get another config and another plugin, one after the other, and tell every client', async (t) => {
      const replicas = await balanced(t, mode)
      const loads = eras.map((era) => load(t, replicas.url, era))
      await answered(loads)

      const followers = await Promise.all(
        replicas.hosts.flatMap(({ url }) => FOLLOWERS[mode].map(async (name) => (await connectBy(name)(t, url)).changes())),
      )
      replicas.writeConfig({ tools: { deny: ['*_keep'] } })
      await replicas.reload()
      await Promise.all(followers.map((follower) => follower.until('tools')))
      for (const { url } of replicas.hosts) assert.deepEqual(await rawClient(url).tools(), ['echo_text_say'])
      await answered(loads)

      // As with another image: for a while both versions answer.
      replicas.writePlugin(2)
      for (const index of replicas.hosts.keys()) assert.equal(await replicas.restart(index), 0)
      await answered(loads)

      for (const tally of await Promise.all(loads.map((one) => one.stop()))) {
        report(t, 'rolled', tally)
        assert.deepEqual(tally.failed, [])
        assert.equal(tally.versions.at(-1), '2')
      }
    })

    test('one that is killed costs only the calls that it was at', async (t) => {
      const replicas = await balanced(t, mode)
      const loads = eras.map((era) => load(t, replicas.url, era))
      await answered(loads)
      replicas.hosts[1]?.kill('SIGKILL')
      await replicas.hosts[1]?.exited
      const goneAt = performance.now()
      await answered(loads)
      await replicas.replace(1)
      await answered(loads)
      for (const tally of await Promise.all(loads.map((one) => one.stop()))) {
        report(t, 'killed', tally)
        // Each client has one call at a time.
        assert.ok(tally.failed.length <= 4, JSON.stringify(tally.failed))
        for (const { startedAt, what } of tally.failed) assert.ok(startedAt <= goneAt, what)
      }
    })
  })
}

describe('three replicas whose Redis is in trouble', { skip }, () => {
  test('answer every call while it is slow, full, down and started again, and then share again', async (t) => {
    const replicas = await balanced(t, 'stateless')
    const loads = [load(t, replicas.url, '2026-07-28'), load(t, replicas.url, '2025 without sessions')]
    for (const trouble of [
      async () => redisCommand(replicas.redis, ['CLIENT', 'PAUSE', '3000', 'ALL']),
      async () => redisCommand(replicas.redis, ['CONFIG', 'SET', 'maxmemory', '1']),
      async () => redisCommand(replicas.redis, ['CONFIG', 'SET', 'maxmemory', '0']),
      async () => replicas.redis.kill(),
      async () => replicas.redis.restart(),
    ]) {
      await trouble()
      await answered(loads)
      await callKept(replicas, 30)
    }
    for (const tally of await Promise.all(loads.map((one) => one.stop()))) {
      report(t, 'Redis in trouble', tally)
      assert.deepEqual(tally.failed, [])
    }
    // What one was answered is in Redis again.
    const client = rawClient(replicas.url)
    const entries = async () => redisCommand(replicas.redis, ['DBSIZE'])
    for (let number = 0; Number(await entries()) === 0; number += 1)
      await client.call('echo_text_keep', { text: `again ${number}` })
  })
})

function connectBy(name: string) {
  return httpClients[name] ?? assert.fail(`no client is named ${name}`)
}

/** So many calls whose answers are kept in Redis. */
async function callKept({ url }: Balanced, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    const { status, text } = await rawClient(url).call('echo_text_keep', { text: String(number % 10) })
    assert.equal(status, 200, text)
    assert.ok(text.includes(`"${number % 10}"`), text)
  }
}

/** Each has had so many answers more. */
async function answered(loads: readonly Load[], more = 100): Promise<void> {
  await Promise.all(loads.map((one) => one.more(more)))
}

function report(t: TestContext, what: string, { era, answered: good, failed, sessionsBegunAgain }: Tally): void {
  t.diagnostic(`${what}, ${era}: ${good} answered, ${failed.length} failed, ${sessionsBegunAgain} sessions begun again`)
}
