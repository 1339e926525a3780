import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyOf, nameOf, personKey, type Account, type AccountRecord } from '../../../host/src/auth/accounts/account.ts'
import { readAccountKeys } from '../../../host/src/auth/accounts/account-keys.ts'
import { linkedWith, noteScopes, scopesToAsk } from '../../../host/src/auth/accounts/more-scopes.ts'
import type { ServiceClient } from '../../../host/src/auth/accounts/types.ts'

const account = (change: Partial<Account['principal']> & { instance?: string } = {}): Account => {
  const { instance = 'desk', ...person } = change
  return { principal: { tenant: 'acme', kind: 'oauth', id: 'ada', ...person }, instance }
}

test('an account is one of a person, a tenant and a service; the person is the same in every tenant', () => {
  const others = [account(), account({ tenant: undefined }), account({ tenant: 'umbrella' }), account({ instance: 'git' })]
  const persons = [account({ kind: 'apiKey' }), account({ id: 'bob' })]
  const all = [...others, ...persons]
  for (const name of [(one: Account) => keyOf(one).account, nameOf]) assert.equal(new Set(all.map(name)).size, all.length)
  const [person, ...same] = others.map((one) => keyOf(one).person)
  assert.deepEqual(new Set(same), new Set([person]))
  assert.equal(new Set([person, ...persons.map((one) => keyOf(one).person)]).size, 3)
  assert.equal(personKey({ kind: 'oauth', id: 'ada' }), person)
  assert.equal(nameOf(account({ tenant: undefined })), '[null,"oauth","ada","desk"]')
  assert.doesNotMatch(JSON.stringify(keyOf(account())), /ada|acme|desk/)
})

test('the parts of a name cannot be put together to be another', () => {
  const names = [
    account({ tenant: 'a","oauth', id: 'b' }),
    account({ tenant: 'a', id: 'oauth","b' }),
    account({ tenant: '' }),
    account({ tenant: undefined }),
  ]
  assert.equal(new Set(names.map(nameOf)).size, names.length)
})

const SECRETS = { ONE: Buffer.alloc(32, 1).toString('base64'), TWO: Buffer.alloc(32, 2).toString('base64') }
const source = {
  env: { ...SECRETS, SHORT: Buffer.alloc(31).toString('base64'), LONG: Buffer.alloc(33).toString('base64'), EMPTY: '' },
  configDir: '/',
}

test('the first key seals, all open, and each purpose and each secret has keys of its own', () => {
  const both = readAccountKeys(['ONE', 'TWO'], source)
  const one = readAccountKeys('ONE', source)
  const [first, second, ...none] = both('accounts')
  assert.equal(none.length, 0)
  assert.ok(second)
  assert.deepEqual(one('accounts'), [first])
  assert.deepEqual(readAccountKeys(['TWO'], source)('accounts'), [second])
  assert.notDeepEqual(first.bytes, second.bytes)
  assert.notEqual(first.id, second.id)
  const [other] = both('sessions')
  assert.notDeepEqual(other.bytes, first.bytes)
  assert.equal(other.id, first.id, 'a key is found again by the name of its secret')
  assert.match(first.id, /^[0-9a-f]{16}$/)
  assert.deepEqual([first.bytes.length, Buffer.from(first.bytes).equals(Buffer.alloc(32, 1))], [32, false])
})

for (const [variable, problem] of [
  ['SHORT', /SHORT/],
  ['LONG', /LONG/],
  ['EMPTY', /EMPTY/],
  ['GONE', /GONE/],
] as const)
  test(`a key of accounts that is ${variable.toLowerCase()} is refused`, () => {
    assert.throws(
      () => readAccountKeys(['ONE', variable], source),
      (error: Error & { code?: unknown }) => error.code === 'ACCOUNT_KEY' && problem.test(error.message),
    )
    assert.throws(() => readAccountKeys([], source), { code: 'ACCOUNT_KEY' })
  })

const NOW = 1_000_000
const record = (change: Partial<AccountRecord> = {}): AccountRecord => ({
  link: 'link',
  accessToken: 't',
  linkedAt: 0,
  scopes: ['read'],
  client: 'client',
  ...change,
})
const range = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`)

/** [the record, the scopes that the service asked for, what is said, what is kept: the needs; undefined for nothing new] */
const NOTED: readonly (readonly [AccountRecord | undefined, readonly string[], object, (readonly string[])?])[] = [
  [record(), ['write'], { scopes: ['write'] }, ['write']],
  [record(), ['read', 'write'], { scopes: ['write'] }, ['write']],
  [record(), ['read'], { scopes: ['read'], problem: 'had' }],
  [record({ asked: ['read', 'write'] }), ['write'], { scopes: ['write'], problem: 'had' }],
  [record({ asked: [], scopes: ['write'] }), ['write'], { scopes: ['write'] }, ['write']],
  [record({ link: 'later' }), ['write'], { scopes: ['write'] }],
  [undefined, ['write'], { scopes: ['write'] }],
  [record({ needs: ['a'], needsUntil: NOW + 1 }), ['write'], { scopes: ['write'] }, ['a', 'write']],
  [record({ needs: ['a'], needsUntil: NOW }), ['write'], { scopes: ['write'] }, ['write']],
  [record({ needs: ['a'] }), ['write'], { scopes: ['write'] }, ['write']],
  [record({ needs: ['write'], needsUntil: NOW + 1 }), ['write'], { scopes: ['write'] }],
  [record(), range(32), { scopes: range(32) }, range(32)],
  [record(), range(33), { scopes: range(33), problem: 'many' }],
  [record({ extra: ['x'] }), range(32), { scopes: range(32), problem: 'many' }],
  [record({ extra: ['s0'] }), range(32), { scopes: range(32) }, range(32)],
]
for (const [index, [found, scopes, expected, needs]] of NOTED.entries())
  test(`what a service asks for, case ${index}: ${scopes.slice(0, 3).join(', ')} is ${JSON.stringify(expected).slice(0, 60)}`, async () => {
    const kept: AccountRecord[] = []
    const order: string[] = []
    const note = noteScopes({
      now: () => NOW,
      read: async () => {
        order.push('read')
        return found && { record: found, text: '' }
      },
      replace: async (_account, _found, next) => {
        order.push('replace')
        kept.push(next)
        return true
      },
      whileNone: async (_account, run) => {
        order.push('begin')
        const done = await run()
        order.push('end')
        return done
      },
    })
    assert.deepEqual(await note(account(), 'link', scopes), expected)
    assert.deepEqual(kept, needs && found ? [{ ...found, needs, needsUntil: NOW + 600_000 }] : [])
    assert.deepEqual(order, ['begin', 'read', ...(needs ? ['replace'] : []), 'end'], 'no refresh comes between')
  })

const client = (always: readonly string[]): ServiceClient => {
  const asking: Partial<ServiceClient> = { id: 'client', askedScopes: async () => always }
  return asking as ServiceClient
}

/** [what is asked for always, the record, what the person has seen, what is asked for, what of it is new] */
const ASKED: readonly (readonly [
  readonly string[],
  AccountRecord | undefined,
  ReadonlySet<string> | undefined,
  readonly string[] | undefined,
  readonly string[],
])[] = [
  [['read'], undefined, undefined, undefined, []],
  [['read'], record(), undefined, undefined, []],
  [['read'], record({ needs: ['write'] }), undefined, ['read', 'write'], ['write']],
  [['read'], record({ needs: ['write', 'admin'] }), new Set(['write']), ['read', 'write'], ['write']],
  [['read'], record({ needs: ['write'] }), new Set(), undefined, []],
  [['read'], record({ extra: ['x'] }), undefined, ['read', 'x'], []],
  [['read'], record({ extra: ['x'], needs: ['x', 'y'] }), undefined, ['read', 'x', 'y'], ['x', 'y']],
  [['read'], record({ needs: ['write'], client: 'other' }), undefined, undefined, []],
  [['read'], record({ needs: ['write'], client: undefined }), undefined, undefined, []],
  [[], record({ needs: ['write'], scopes: ['granted'] }), undefined, ['granted', 'write'], ['write']],
  [['read'], record({ needs: ['write'], scopes: ['granted'] }), undefined, ['read', 'write'], ['write']],
]
for (const [index, [always, found, shown, all, added]] of ASKED.entries())
  test(`a linking, case ${index}, asks for ${all?.join(', ') ?? 'what is asked for always'}`, async () => {
    assert.deepEqual(await scopesToAsk(client(always), found, shown), { all, added })
  })

test('an account keeps what it was linked with, and what of it was asked for besides', async () => {
  assert.deepEqual(await linkedWith(client(['read']), undefined), { asked: ['read'] })
  assert.deepEqual(await linkedWith(client(['read']), ['read', 'write']), { asked: ['read', 'write'], extra: ['write'] })
})
