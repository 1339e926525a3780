import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyOf, type Account } from '../../../host/src/auth/accounts/account.ts'
import { readAccountKeys } from '../../../host/src/auth/accounts/account-keys.ts'
import { createSeal } from '../../../host/src/auth/accounts/store/sealed.ts'
import { createTickets } from '../../../host/src/auth/accounts/tickets.ts'
import { newKey } from '../../fixtures/auth/accounts.ts'

const ann: Account = { principal: { tenant: 'acme', kind: 'oauth', id: 'ann' }, instance: 'hub' }
const as = (more: Partial<Account['principal']>): Account => ({ ...ann, principal: { ...ann.principal, ...more } })

/** Against `ann`: whether it is the same account, and whether it is listed as the same person's. */
const others: readonly (readonly [what: string, account: Account, isAccount: boolean, isPerson: boolean])[] = [
  ['the same', as({}), true, true],
  ['another id', as({ id: 'bob' }), false, false],
  ['a key with the id of a login', as({ kind: 'apiKey' }), false, false],
  ['another tenant', as({ tenant: 'bolt' }), false, true],
  ['no tenant', as({ tenant: undefined }), false, true],
  ['another service', { ...ann, instance: 'box' }, false, true],
  ['the parts in another order', { principal: { tenant: 'hub', kind: 'oauth', id: 'acme' }, instance: 'ann' }, false, false],
]

test('an account is that of one tenant, kind, id and service; a person is one kind and id', () => {
  for (const [what, account, isAccount, isPerson] of others) {
    assert.equal(keyOf(account).account === keyOf(ann).account, isAccount, what)
    assert.equal(keyOf(account).person === keyOf(ann).person, isPerson, what)
  }
})

test('a ticket is given again for the same account, and for no other', async () => {
  const keys = readAccountKeys('K', { env: { K: newKey() }, configDir: '/' })
  const tickets = createTickets({ seal: createSeal(keys('ticket')), now: () => 0 })
  const first = await tickets.issue(ann)
  for (const [what, account, isAccount] of others) {
    const ticket = await tickets.issue(account)
    assert.equal(ticket === first, isAccount, what)
    assert.equal(keyOf((await tickets.read(ticket)) ?? ann).account, keyOf(account).account, what)
  }
})

test('a key of 32 bytes is taken, and no other', () => {
  const read = (bytes: number) => readAccountKeys('K', { env: { K: Buffer.alloc(bytes, 7).toString('base64') }, configDir: '/' })
  assert.equal(read(32)('ticket')[0].bytes.length, 32)
  for (const bytes of [1, 16, 31, 33, 64]) assert.throws(() => read(bytes), { code: 'ACCOUNT_KEY' }, `${bytes} bytes`)
})
