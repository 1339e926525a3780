import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readAccountKeys } from '../../../host/src/auth/accounts/account-keys.ts'
import type { Accounts } from '../../../host/src/auth/accounts/accounts.ts'
import { createRedisConnection } from '../../../host/src/cache/stores/redis-connection.ts'
import { createRedisScripts } from '../../../host/src/cache/stores/redis-scripts.ts'
import { cacheClock } from '../../../host/src/cache/stores/store-guard.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { newKey, openTestAccounts } from '../../fixtures/auth/accounts.ts'
import { redisCommand, startRedis, withoutRedis, type TestRedis } from '../../fixtures/redis.ts'

const key = newKey()
const ann = { tenant: 'acme', kind: 'oauth', id: 'ann' } as const
const bob = { tenant: 'acme', kind: 'oauth', id: 'bob' } as const
const annAt = { principal: ann, instance: 'tracker' }
const bobAt = { principal: bob, instance: 'tracker' }

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'accounts-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return join(dir, 'tokens')
}

function scriptsOf(t: TestContext, { url }: TestRedis) {
  const connection = createRedisConnection({ url, clock: cacheClock, projectDir: import.meta.dirname })
  t.after(() => connection.close())
  return createRedisScripts({ connection, log: silentLogger, clock: cacheClock, patienceMs: 5_000 })
}

for (const umask of [0, 0o277])
  test(`stored tokens are files that only their owner can read, with umask ${umask.toString(8)}`, async (t) => {
    const dir = folder(t)
    if (umask === 0) mkdirSync(dir, { mode: 0o777 })
    const before = process.umask(umask)
    try {
      await openTestAccounts({ dir, keys: [key] }).accounts.link(annAt, 'anns-token')
    } finally {
      process.umask(before)
    }
    assert.equal(statSync(dir).mode & 0o777, 0o700)
    const files = readdirSync(dir)
    assert.equal(files.length, 1)
    for (const file of files) {
      assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600)
      const text = readFileSync(join(dir, file), 'utf8')
      const header = Buffer.from(text.split('.')[0] ?? '', 'base64url').toString()
      assert.doesNotMatch(file + text + header, /ann|acme|tracker|oauth/)
    }
  })

/** The rules of every store. */
async function ofItsOwnerOnly(accounts: Accounts): Promise<void> {
  assert.equal(await accounts.get(annAt), undefined)
  await accounts.link(annAt, 'first')
  await accounts.link(annAt, 'second')
  assert.equal(await accounts.get(annAt), 'second')
  for (const other of [
    bobAt,
    { principal: ann, instance: 'other' },
    { principal: { ...ann, tenant: 'umbrella' }, instance: 'tracker' },
    { principal: { ...ann, tenant: undefined }, instance: 'tracker' },
    { principal: { ...ann, kind: 'apiKey' as const }, instance: 'tracker' },
  ])
    assert.equal(await accounts.get(other), undefined)
  await accounts.link({ principal: { ...ann, tenant: 'umbrella' }, instance: 'tracker' }, 'of-umbrella')
  await accounts.link(bobAt, 'bobs')
  const listed = await accounts.list(ann)
  assert.deepEqual(new Set(listed.map(({ account }) => account.principal.tenant)), new Set(['acme', 'umbrella']))
  assert.deepEqual(
    [await accounts.unlink(annAt), await accounts.unlink(annAt), await accounts.get(annAt)],
    [true, false, undefined],
  )
  assert.equal((await accounts.list(ann)).length, 1)
  assert.equal(await accounts.get(bobAt), 'bobs')
}

test('a token in a folder is read for its own tenant, caller and service, until it is unlinked', async (t) => {
  await ofItsOwnerOnly(openTestAccounts({ dir: folder(t), keys: [key] }).accounts)
})

test('so is one in the Redis of the cache, where no text tells whose it is', { skip: withoutRedis }, async (t) => {
  const redis = await startRedis(t)
  const scripts = scriptsOf(t, redis)
  const { accounts } = openTestAccounts({ scripts, keys: [key] })
  await ofItsOwnerOnly(accounts)
  assert.doesNotMatch(await redisCommand(redis, ['KEYS', '*']), /ann|acme|tracker|bob/)

  // Two that change places open for nobody.
  await accounts.link(annAt, 'anns')
  const names = (await redisCommand(redis, ['KEYS', 'patchbay-accounts1:token:*'])).split('\n')
  const texts = await Promise.all(names.map((name) => redisCommand(redis, ['GET', name])))
  for (const [index, name] of names.entries()) await redisCommand(redis, ['SET', name, texts[(index + 1) % texts.length] ?? ''])
  for (const account of [annAt, bobAt]) await assert.rejects(accounts.get(account), { code: 'ACCOUNT_UNREADABLE' })

  // A store that is away is an error, and never an account that is not there.
  await redis.kill()
  await assert.rejects(accounts.get(annAt), { code: 'ACCOUNT_STORE' })
  await assert.rejects(accounts.use(annAt), { code: 'ACCOUNT_STORE' })
})

test('two stored tokens that change places can both be read by nobody', async (t) => {
  const dir = folder(t)
  const { accounts } = openTestAccounts({ dir, keys: [key] })
  await accounts.link(annAt, 'anns')
  await accounts.link(bobAt, 'bobs')
  const [one = '', two = ''] = readdirSync(dir)
  renameSync(join(dir, one), join(dir, 'aside'))
  renameSync(join(dir, two), join(dir, one))
  renameSync(join(dir, 'aside'), join(dir, two))
  for (const account of [annAt, bobAt]) await assert.rejects(accounts.get(account), { code: 'ACCOUNT_UNREADABLE' })
  assert.deepEqual(await accounts.list(ann), [])
  assert.equal(await accounts.unlink(annAt), true)
})

test("a stored token that was moved to another person's name is in nobody's list", async (t) => {
  const dir = folder(t)
  const { accounts } = openTestAccounts({ dir, keys: [key] })
  await accounts.link(annAt, 'anns')
  const [anns = ''] = readdirSync(dir)
  await accounts.link(bobAt, 'bobs')
  const [bobs = ''] = readdirSync(dir).filter((name) => name !== anns)
  const [person] = anns.split('.')
  const [, ...account] = bobs.split('.')
  renameSync(join(dir, bobs), join(dir, [person, ...account].join('.')))
  assert.deepEqual(
    (await accounts.list(ann)).map(({ account: { principal } }) => principal.id),
    ['ann'],
  )
  assert.deepEqual(await accounts.list(bob), [])
})

test('a key that is none, and one with which nothing was stored, are errors', async (t) => {
  const dir = folder(t)
  for (const wrong of ['', 'short', newKey().slice(0, 20)])
    assert.throws(() => readAccountKeys('TOKEN_KEY', { env: { TOKEN_KEY: wrong }, configDir: dir }), {
      code: 'ACCOUNT_KEY',
      message: /TOKEN_KEY/,
    })
  assert.throws(() => readAccountKeys('TOKEN_KEY', { env: {}, configDir: dir }), { code: 'ACCOUNT_KEY', message: /is not set/ })
  await openTestAccounts({ dir, keys: [key] }).accounts.link(annAt, 'anns')
  await assert.rejects(openTestAccounts({ dir, keys: [newKey()] }).accounts.get(annAt), { code: 'ACCOUNT_UNREADABLE' })
})

test('a key can be read from a file', (t) => {
  const dir = folder(t)
  mkdirSync(dir)
  writeFileSync(join(dir, 'key'), `${key}\n`)
  const [one] = readAccountKeys('K', { env: { K_FILE: 'key' }, configDir: dir })('account token')
  const [same] = readAccountKeys('K', { env: { K: key }, configDir: dir })('account token')
  assert.deepEqual(one, same)
})

test('what an old key encrypted is encrypted with the new one when it is read, and opens without the old one', async (t) => {
  const dir = folder(t)
  const next = newKey()
  await openTestAccounts({ dir, keys: [key] }).accounts.link(annAt, 'anns')
  const [file = ''] = readdirSync(dir)
  const before = readFileSync(join(dir, file), 'utf8')
  const rotating = openTestAccounts({ dir, keys: [next, key] }).accounts
  assert.equal(await rotating.get(annAt), 'anns')
  while (readFileSync(join(dir, file), 'utf8') === before) await new Promise(setImmediate)
  assert.equal(await openTestAccounts({ dir, keys: [next] }).accounts.get(annAt), 'anns')
})
