import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAccountKeys } from '../../../host/src/auth/accounts/account-keys.ts'
import type { AccountStore } from '../../../host/src/auth/accounts/store/account-store.ts'
import { keyOf, type Account, type AccountKey } from '../../../host/src/auth/accounts/account.ts'
import { createAccounts, type LinkedTokens } from '../../../host/src/auth/accounts/accounts.ts'
import { createSeal } from '../../../host/src/auth/accounts/store/sealed.ts'
import type { ServiceClient } from '../../../host/src/auth/accounts/types.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { newKey } from '../../fixtures/auth/accounts.ts'
import { createTestClock } from '../../fixtures/test-clock.ts'

const ann: Account = { principal: { tenant: undefined, kind: 'oauth', id: 'ann' }, instance: 'hub' }

/** Accounts in memory, with everything that the service was asked. */
function open({ client: of = 'client', keys = [newKey()] }: { client?: string; keys?: readonly string[] } = {}) {
  const clock = createTestClock()
  const texts = new Map<string, string>()
  const nameOf = ({ person, account }: AccountKey) => `${person}.${account}`
  const asked: string[] = []
  const turns: Promise<unknown>[] = []
  /** What happens while the service is asked for new tokens. */
  const during = { refresh: async () => {} }
  const store: AccountStore = {
    read: async (key) => texts.get(nameOf(key)),
    write: async (key, text) => void texts.set(nameOf(key), text),
    async replace(key, before, text) {
      if (texts.get(nameOf(key)) !== before) return false
      texts.set(nameOf(key), text)
      return true
    },
    remove: async (key) => texts.delete(nameOf(key)),
    list: async (person) =>
      [...texts]
        .filter(([name]) => name.startsWith(`${person}.`))
        .map(([name, text]) => ({ account: name.split('.')[1] ?? '', text })),
    async inTurn(_, work) {
      const done = work()
      turns.push(done)
      return { result: await done }
    },
  }
  const client: Pick<ServiceClient, 'id' | 'refresh' | 'revoke'> = {
    id: of,
    async refresh(refreshToken) {
      asked.push(`refresh ${refreshToken}`)
      await during.refresh()
      return { accessToken: `new of ${refreshToken}`, refreshToken: 'r-next', expiresAt: clock.now() + 3_600_000, scopes: [] }
    },
    async revoke({ accessToken }) {
      asked.push(`revoke ${accessToken}`)
      return true
    },
  }
  const openWith = (names: readonly string[]) => {
    const env = Object.fromEntries(names.map((key, index) => [`K${index}`, key]))
    const rings = readAccountKeys(Object.keys(env), { env, configDir: '/' })
    return createAccounts({
      store,
      seal: createSeal(rings('account token')),
      clock,
      log: silentLogger,
      redactor: createRedactor(),
      audit: { isOn: () => false, record() {} },
      clientOf: async () => client as ServiceClient,
    })
  }
  return { clock, texts, asked, turns, during, accounts: openWith(keys), openWith, nameOf }
}

const lasting = (accessToken: string, expiresAt: number, more: Partial<LinkedTokens> = {}): LinkedTokens => ({
  accessToken,
  refreshToken: `r-${accessToken}`,
  expiresAt,
  scopes: [],
  client: 'client',
  ...more,
})

test('a call ends with the link that it began with, and never goes on with a later one', async () => {
  const { accounts, clock } = open()
  await accounts.link(ann, lasting('first', clock.now() + 60_000))
  const used = await accounts.use(ann)
  assert.equal(await used?.token(), 'first')
  await accounts.link(ann, lasting('second', clock.now() + 3_600_000))
  clock.advance(60_000)
  await assert.rejects(async () => used?.token(), { code: 'ACCOUNT_BROKEN' })
  assert.equal(await (await accounts.use(ann))?.token(), 'second')
})

test('a token is taken back at the service that gave it, and told to no other', async () => {
  const table = [
    ['client', ['revoke mine']],
    ['another client', []],
  ] as const
  for (const [client, expected] of table) {
    const { accounts, asked, clock } = open({ client })
    await accounts.link(ann, lasting('mine', clock.now() + 3_600_000))
    assert.equal(await accounts.unlink(ann), true)
    assert.deepEqual(asked, expected, client)
  }
})

test('an account that is linked again while its token is renewed stays as it was linked', async () => {
  const { accounts, clock, during, texts } = open()
  await accounts.link(ann, lasting('second', clock.now() + 3_600_000))
  const [second = ''] = texts.values()
  const [name = ''] = texts.keys()
  await accounts.link(ann, lasting('first', clock.now() + 20_000))
  // By a host that did not wait for the end of this turn.
  during.refresh = async () => void texts.set(name, second)
  assert.equal(await (await accounts.use(ann))?.token(), 'second')
  assert.equal(texts.get(name), second)
})

test('a token that was refused is renewed once, and one that is out of use renews nothing', async () => {
  const { accounts, asked, clock, turns } = open()
  await accounts.link(ann, lasting('now', clock.now() + 3_600_000))
  const used = await accounts.use(ann)
  const settled = async () => {
    for (let count = -1; count !== turns.length;) {
      count = turns.length
      await Promise.all(turns)
    }
  }
  used?.refused('one of before')
  await settled()
  assert.equal(await (await accounts.use(ann))?.token(), 'now')
  used?.refused('now')
  await settled()
  assert.equal(await (await accounts.use(ann))?.token(), 'new of r-now')
  assert.deepEqual(asked, ['refresh r-now'])
})

test('what an old key sealed is sealed with the one in use when it is read', async () => {
  const [old, current] = [newKey(), newKey()]
  const { accounts, openWith, texts, turns, clock } = open({ keys: [old] })
  await accounts.link(ann, lasting('kept', clock.now() + 3_600_000))
  const before = [...texts.values()]
  const both = openWith([current, old])
  turns.length = 0
  assert.equal(await both.get(ann), 'kept')
  await Promise.all(turns)
  assert.notDeepEqual([...texts.values()], before)
  assert.equal(await openWith([current]).get(ann), 'kept', 'the old key can go')
})

test("a text that was moved to another person's name is none of theirs", async () => {
  const { accounts, texts, nameOf, clock } = open()
  await accounts.link(ann, lasting('mine', clock.now() + 3_600_000))
  const bob = { kind: 'oauth', id: 'bob' } as const
  const own = keyOf(ann)
  const [text = ''] = texts.values()
  texts.set(nameOf({ account: own.account, person: keyOf({ ...ann, principal: { tenant: undefined, ...bob } }).person }), text)
  assert.deepEqual(
    (await accounts.list(bob)).map(({ account }) => account.instance),
    [],
  )
  assert.deepEqual(
    (await accounts.list(ann.principal)).map(({ account }) => account.instance),
    ['hub'],
  )
})
