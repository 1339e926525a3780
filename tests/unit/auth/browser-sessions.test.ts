import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { readAccountKeys } from '../../../host/src/auth/accounts/account-keys.ts'
import { createSeal } from '../../../host/src/auth/accounts/sealed.ts'
import { readCookie } from '../../../host/src/transport/accounts/browser-cookies.ts'
import { createBrowserSessions } from '../../../host/src/transport/accounts/browser-session.ts'
import { newKey } from '../../fixtures/auth/accounts.ts'

const requestWith = (cookie: string) => Object.assign(new IncomingMessage(new Socket()), { headers: { cookie } })
const answer = () => new ServerResponse(new IncomingMessage(new Socket()))
const HOUR = 3_600_000

function open() {
  const clock = { ms: 0 }
  const keys = readAccountKeys('K', { env: { K: newKey() }, configDir: '/' })
  return { clock, sessions: createBrowserSessions(createSeal(keys('browser')), () => clock.ms) }
}

/** What a browser sends back of the cookies that it was given. */
const cookiesOf = (res: ServerResponse) =>
  [res.getHeader('set-cookie')].flat().map((cookie) => String(cookie).split(';')[0] ?? '')

test('a form counts for its session, its action and an hour', async () => {
  const { clock, sessions } = open()
  const [own, other] = [await sessions.begin(answer()), await sessions.begin(answer())]
  const token = await sessions.formToken(own, 'unlink')
  const table = [
    [own, 'unlink', token, true],
    [own, 'link', token, false],
    [other, 'unlink', token, false],
    [own, 'unlink', undefined, false],
    [own, 'unlink', `${token}x`, false],
  ] as const
  for (const [session, action, text, expected] of table)
    assert.equal(await sessions.isOwnForm(session, action, text), expected, `${action} ${session === own}`)
  clock.ms = HOUR
  assert.equal(await sessions.isOwnForm(own, 'unlink', token), false)
})

test('what a browser keeps for one way is not found by another, whatever name its cookie has', async () => {
  const { clock, sessions } = open()
  const res = answer()
  await sessions.keep(requestWith(''), res, 'state-a', { of: 'a' })
  const name = await sessions.keep(requestWith(''), res, 'state-b', { of: 'b' })
  const [a = '', b = ''] = cookiesOf(res)
  const renamed = `${b.split('=')[0]}=${a.slice(a.indexOf('=') + 1)}`
  const found = async (cookie: string, by: { state: string } | { name: string }) => {
    const value = (await sessions.kept(requestWith(cookie), by)) as { of?: string } | undefined
    return value?.of
  }
  assert.equal(await found(`${a}; ${b}`, { state: 'state-b' }), 'b')
  assert.equal(await found(`${a}; ${b}`, { name }), 'b')
  assert.equal(await found(renamed, { state: 'state-b' }), undefined)
  assert.equal(await found(b, { name: '../session' }), undefined)
  clock.ms = 600_000
  assert.equal(await found(b, { state: 'state-b' }), undefined)
})

test('a cookie that is there twice is none: another host of the domain set one of them', () => {
  const table = [
    ['__Host-patchbay-session=one', 'one'],
    ['a=b; __Host-patchbay-session=one; c=d', 'one'],
    ['__Host-patchbay-session=one; __Host-patchbay-session=two', undefined],
    ['__Host-patchbay-session=', undefined],
    ['patchbay-session=one', undefined],
    ['', undefined],
  ] as const
  for (const [cookie, expected] of table) assert.equal(readCookie(requestWith(cookie), 'session'), expected, cookie)
})
