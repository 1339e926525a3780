import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAccountKeys } from '../../../host/src/auth/accounts/account-keys.ts'
import { createSeal } from '../../../host/src/auth/accounts/store/sealed.ts'
import { createTickets } from '../../../host/src/auth/accounts/tickets.ts'
import { newKey } from '../../fixtures/auth/accounts.ts'

const ringOf = (key: string) => readAccountKeys('K', { env: { K: key }, configDir: '/' })
const account = { principal: { tenant: 'acme', kind: 'oauth', id: 'ann' }, instance: 'hub' } as const

test('a ticket is for one account, counts once, and for ten minutes', async () => {
  let now = 0
  const tickets = createTickets({ seal: createSeal(ringOf(newKey())('ticket')), now: () => now })
  const first = await tickets.issue(account)
  assert.equal(await tickets.issue(account), first, 'the same again while it is new and unused')
  assert.notEqual(await tickets.issue({ ...account, instance: 'other' }), first)
  assert.match(first, /^[0-9a-f]{48}$/)
  assert.deepEqual(await tickets.read(first), account)
  assert.deepEqual(await tickets.read(first), account, 'reading it uses nothing up')
  assert.deepEqual(await tickets.take(first), account)
  assert.deepEqual([await tickets.read(first), await tickets.take(first)], [undefined, undefined])
  const second = await tickets.issue(account)
  assert.notEqual(first, second)
  now = 60_000
  assert.notEqual(await tickets.issue(account), second, 'one that is older is not given again')
  now = 599_999
  assert.deepEqual(await tickets.read(second), account)
  now = 600_000
  assert.deepEqual([await tickets.read(second), await tickets.take(second)], [undefined, undefined])
  assert.equal(await tickets.read('never-issued'), undefined)
  assert.deepEqual(
    [await tickets.useOnce('way'), await tickets.useOnce('way'), await tickets.useOnce('other')],
    [true, false, true],
  )
})

test('what is sealed opens with its own key, for its own purpose and its own subject only', async () => {
  const [key, other] = [newKey(), newKey()]
  const text = await createSeal(ringOf(key)('browser')).seal('session', { id: 1 })
  const opened = await createSeal(ringOf(key)('browser')).open('session', text)
  assert.deepEqual(opened.value, { id: 1 })
  for (const [ring, subject] of [
    [ringOf(key)('browser'), 'form'],
    [ringOf(key)('ticket'), 'session'],
    [ringOf(other)('browser'), 'session'],
  ] as const)
    await assert.rejects(createSeal(ring).open(subject, text))
  const [head = '', ...rest] = text.split('.')
  const forged = Buffer.from(Buffer.from(head, 'base64url').toString().replace('session', 'form')).toString('base64url')
  await assert.rejects(createSeal(ringOf(key)('browser')).open('form', [forged, ...rest].join('.')))
})
