import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { createEndedSessionFiles } from '../../../host/src/auth/accounts/ended-sessions.ts'
import { readAccountKeys } from '../../../host/src/auth/accounts/account-keys.ts'
import { createSeal } from '../../../host/src/auth/accounts/store/sealed.ts'
import { readCookie } from '../../../host/src/transport/accounts/browser-cookies.ts'
import { createBrowserSessions } from '../../../host/src/transport/accounts/browser-session.ts'
import { newKey } from '../../fixtures/auth/accounts.ts'
import { sourceTree } from '../../fixtures/plugins/source-tree.ts'

const requestWith = (cookie: string) => Object.assign(new IncomingMessage(new Socket()), { headers: { cookie } })
const answer = () => new ServerResponse(new IncomingMessage(new Socket()))
const HOUR = 3_600_000

function open() {
  const clock = { ms: 0 }
  const keys = readAccountKeys('K', { env: { K: newKey() }, configDir: '/' })
  const ended = new Set<string>()
  const endedSessions = {
    end: async ({ id }: { id: string }) => void ended.add(id),
    has: async ({ id }: { id: string }) => ended.has(id),
  }
  return { clock, sessions: createBrowserSessions(createSeal(keys('browser')), endedSessions, () => clock.ms) }
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

test('a session ends for whoever has its cookie when its person logs out or another one logs in', async () => {
  const { sessions } = open()
  const person = (id: string) => ({ principal: { kind: 'oauth', id, tenant: undefined }, shown: id }) as const
  const found = async (cookies: readonly string[]) => (await sessions.of(requestWith(cookies.join('; ')), answer())).person?.shown
  const [first, second] = [answer(), answer()]
  const ada = await sessions.begin(first, person('ada'))
  assert.equal(await found(cookiesOf(first)), 'ada')
  const bea = await sessions.begin(second, person('bea'), ada)
  assert.deepEqual([await found(cookiesOf(first)), await found(cookiesOf(second))], [undefined, 'bea'])
  await sessions.end(answer(), bea)
  assert.equal(await found(cookiesOf(second)), undefined)
})

test('marks of sessions that ended are removed once their cookie has ended too, and those that cannot be read are an error', async () => {
  using tree = sourceTree({ 'plain-file': '' })
  let ms = 0
  const ended = createEndedSessionFiles(tree.path('accounts'), () => ms)
  const [early, late] = [
    { id: 'a', until: 10 },
    { id: 'b', until: 20 },
  ]
  assert.equal(await ended.has(early), false)
  tree.write('accounts/person.account.jwe', '')
  await ended.end(early)
  assert.deepEqual([await ended.has(early), await ended.has(late), await ended.has({ ...early, id: 'c' })], [true, false, false])
  ms = 10
  await ended.end(late)
  assert.deepEqual([await ended.has(early), await ended.has(late)], [false, true])
  assert.equal(readdirSync(tree.path('accounts')).length, 2)
  await assert.rejects(createEndedSessionFiles(tree.path('plain-file'), () => ms).has(early), { code: 'ACCOUNT_STORE' })
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
