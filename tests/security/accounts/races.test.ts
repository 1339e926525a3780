import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Accounts } from '../../../host/src/auth/accounts/accounts.ts'
import { createRedisConnection } from '../../../host/src/cache/stores/redis-connection.ts'
import { createRedisScripts } from '../../../host/src/cache/stores/redis-scripts.ts'
import { cacheClock } from '../../../host/src/cache/stores/store-guard.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { newKey, openTestAccounts } from '../../fixtures/auth/accounts.ts'
import { ann, expiredAccount, formOf, fresh, HOUR, type Linked } from '../../fixtures/auth/expired-account.ts'
import { held, reply, type Upstream } from '../../fixtures/http/upstream.ts'
import { redisCommand, startRedis, withoutRedis } from '../../fixtures/redis.ts'

const used = async (accounts: Accounts) => (await accounts.use(ann))?.token()
const revoked = (tokens: Upstream) =>
  tokens.requests.flatMap(({ path }, index) => (path === '/revoke' ? [formOf(tokens, index)['token']] : []))
/** What a host does that looks again after a while. */
const waits = ({ clock }: Linked) => clock.scheduled((ms) => ms === 100)
/** Lets it look again as often as it waits to: a call has its answer a moment before it gives its turn away. */
async function whileTimePasses<Result>({ clock }: Linked, work: Promise<Result>): Promise<Result> {
  const over = new AbortController()
  const end = () => over.abort()
  work.then(end, end)
  while (!over.signal.aborted) {
    if (clock.pending > 0) clock.advance(100)
    await new Promise(setImmediate)
  }
  return work
}

test('who unlinks while a token is renewed waits for it, and then nothing of either is left, here or at the service', async (t) => {
  const answer = held(fresh())
  const world = await expiredAccount(t, [answer.behaviour, reply(200, {}), reply(200, {})])
  const { accounts, other, tokens } = world
  const call = used(accounts)
  await tokens.received(1)
  const unlinking = other.unlink(ann)
  await waits(world)
  answer.release()
  assert.equal(await call, 'access-2')
  assert.equal(await whileTimePasses(world, unlinking), true)
  assert.deepEqual(await accounts.list(ann.principal), [])
  assert.deepEqual(revoked(tokens), ['refresh-2', 'access-2'], 'the renewed ones, and not those that are worth nothing now')
  assert.equal(await used(accounts), undefined)
  assert.equal(tokens.requests.length, 3)
})

/** The turn of the host that renews is over before its answer comes: as after a pause of the whole machine. */
const turnEnds: Readonly<
  Record<
    string,
    (t: TestContext) => Promise<{ world: (answer: Behaviours) => Promise<Linked>; end: (linked: Linked) => unknown }>
  >
> = {
  async folder(t) {
    return {
      world: (script) => expiredAccount(t, script),
      end: ({ dir }) => {
        for (const name of readdirSync(dir)) if (name.endsWith('.turn')) rmSync(join(dir, name))
      },
    }
  },
  async Redis(t) {
    const redis = await startRedis(t)
    const connection = createRedisConnection({ url: redis.url, clock: cacheClock, projectDir: import.meta.dirname })
    t.after(() => connection.close())
    const scripts = createRedisScripts({ connection, log: silentLogger, clock: cacheClock, patienceMs: 5_000 })
    return {
      world: (script) => expiredAccount(t, script, { scripts }),
      async end() {
        const names = (await redisCommand(redis, ['KEYS', 'patchbay-accounts1:turn:*'])).trim().split('\n')
        for (const name of names) await redisCommand(redis, ['DEL', name])
      },
    }
  },
}
type Behaviours = Parameters<typeof expiredAccount>[1]

for (const [store, open] of Object.entries(turnEnds)) {
  const skip = store === 'Redis' ? withoutRedis : undefined

  test(
    `in a ${store}, a refresh that outlasts its turn does not write an account back that was unlinked meanwhile`,
    { skip },
    async (t) => {
      const answer = held(fresh())
      const { world, end } = await open(t)
      const linked = await world([answer.behaviour, reply(200, {})])
      const { accounts, other, tokens } = linked
      const call = used(accounts)
      await tokens.received(1)
      await end(linked)
      assert.equal(await other.unlink(ann), true)
      answer.release()
      assert.equal(await call, undefined, 'the call has no account')
      assert.deepEqual(await other.list(ann.principal), [])
      assert.deepEqual(new Set(revoked(tokens)), new Set(['refresh-1', 'access-1', 'refresh-2', 'access-2']))
    },
  )

  test(
    `in a ${store}, a refresh that outlasts its turn neither replaces nor breaks an account that was linked again`,
    { skip },
    async (t) => {
      for (const late of [fresh(), reply(400, { error: 'invalid_grant' })]) {
        const answer = held(late)
        const { world, end } = await open(t)
        const linked = await world([answer.behaviour, reply(200, {})])
        const { accounts, other, tokens, clock } = linked
        const call = used(accounts)
        await tokens.received(1)
        await end(linked)
        const [before] = await other.list(ann.principal)
        await other.link(ann, {
          accessToken: 'access-of-now',
          refreshToken: 'refresh-of-now',
          expiresAt: clock.now() + HOUR,
          scopes: [],
          client: before?.record.client ?? '',
        })
        answer.release()
        await call.catch(() => {})
        const [stored] = await other.list(ann.principal)
        assert.equal(stored?.record.accessToken, 'access-of-now')
        assert.equal(stored.record.isBroken, undefined)
        assert.equal(await used(accounts), 'access-of-now')
        assert.deepEqual(revoked(tokens), [], 'some services take every token of a person back with one')
      }
    },
  )
}

test('a call that is under way when its person unlinks here sends its token no more', async (t) => {
  const { accounts, tokens } = await expiredAccount(t, [fresh(), reply(200, {})])
  const account = await accounts.use(ann)
  assert.equal(await account?.token(), 'access-2')
  const answer = accounts.unlink(ann)
  assert.equal(await answer, true)
  await assert.rejects(account?.token() ?? Promise.resolve(), {
    code: 'ACCOUNT_BROKEN',
    message: /was unlinked while the call ran/,
  })
  assert.equal(tokens.requests.length, 3)
})

test('a key that is changed while a token is renewed loses neither the token nor the change', async (t) => {
  const [older, newer] = [newKey(), newKey()]
  const answer = held(fresh())
  const world = await expiredAccount(t, [answer.behaviour, fresh({ access_token: 'access-3' })], {
    keys: [older],
    otherKeys: [newer, older],
  })
  const { accounts, other, tokens, clock, dir } = world
  const file = join(dir, readdirSync(dir).find((name) => name.endsWith('.jwe')) ?? '')
  const kid = () =>
    (JSON.parse(Buffer.from(readFileSync(file, 'utf8').split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid
  const before = kid()
  const call = used(accounts)
  await tokens.received(1)
  // The other host finds what the older key sealed, which it would seal again: not in the middle of the refresh.
  assert.equal((await other.list(ann.principal)).length, 1)
  assert.equal(await other.get(ann), 'access-1')
  const next = used(other)
  await waits(world)
  answer.release()
  assert.equal(await call, 'access-2')
  assert.equal(await whileTimePasses(world, next), 'access-2')
  while (kid() === before) {
    await whileTimePasses(world, other.get(ann))
    await new Promise(setImmediate)
  }
  assert.equal(await openTestAccounts({ dir, keys: [newer] }).accounts.get(ann), 'access-2')
  assert.equal(tokens.requests.length, 1)
  clock.advance(HOUR)
  // Of the looks above, one may still be about to seal again, and have the turn meanwhile.
  assert.equal(await whileTimePasses(world, used(other)), 'access-3')
  assert.equal(formOf(tokens, 1)['refresh_token'], 'refresh-2')
})
