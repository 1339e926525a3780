import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { principalOf } from '../../../host/src/auth/inbound/claims.ts'
import { startAccountWorld, type AccountWorld, type WorldHost } from '../../fixtures/auth/account-world.ts'
import { RawSession } from '../../fixtures/http/raw-session.ts'
import { WebBrowser } from '../../fixtures/auth/web-browser.ts'
import { startRedis, withoutRedis } from '../../fixtures/redis.ts'

/** Two hosts on one Redis whose callers may use the server's own credential: what a lower level of the ladder would be. */
let world: AccountWorld
let one: WorldHost
let two: WorldHost
const ends: (() => unknown)[] = []
const skip = withoutRedis
before(async () => {
  if (skip) return
  const t = { after: (end: () => unknown) => void ends.push(end) }
  const redis = await startRedis(t as Parameters<typeof startRedis>[0])
  world = await startAccountWorld(t, {
    store: 'cache',
    config: { cache: { store: redis.url } },
    entry: { serverCredentials: 'allow' },
    configOfPlugin: { personalToken: 'server-token' },
    sessions: 'stateful',
    resource: 'https://hub.example',
    hosts: 2,
  })
  ;[one, two] = [world.hosts[0] ?? assert.fail(), world.hosts[1] ?? assert.fail()]
})
after(async () => {
  for (const end of ends.toReversed()) await end()
})

const idOf = (person: string) =>
  principalOf(world.company.issuer, { sub: person }, { tenantClaim: 'tenant', permissionClaims: [] }).id

/** Links an account whose token has just expired. */
async function linkExpired(person: string): Promise<void> {
  const { accounts } = one.host
  const principal = { tenant: 'acme', kind: 'oauth', id: idOf(person) } as const
  const client = await accounts?.client('hub')
  await accounts?.link(
    { principal, instance: 'hub' },
    {
      accessToken: `expired-of-${person}`,
      refreshToken: `refresh-of-${person}`,
      expiresAt: Date.now() - 1_000,
      scopes: [],
      client: client?.id ?? '',
    },
  )
}

type Fault = (res: ServerResponse) => void
const json =
  (status: number, body: object): Fault =>
  (res) =>
    void res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const gives = (change: object) =>
  json(200, { access_token: 'odd-token', refresh_token: 'next', token_type: 'Bearer', expires_in: 3_600, ...change })
const jwtFor = (aud: string) =>
  ['{"alg":"ES256"}', JSON.stringify({ aud }), 'signature'].map((part) => Buffer.from(part).toString('base64url')).join('.')

const FAULTS: readonly (readonly [what: string, Fault, RegExp])[] = [
  ['is down', (res) => void res.socket?.resetAndDestroy(), /hub/],
  ['answers 500', json(500, {}), /gave no token with status 500/],
  ['answers 400 without a word', json(400, {}), /gave no token with status 400/],
  ['answers a page', (res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<html>'), /gave no token/],
  ['answers 2 MB', gives({ more: 'x'.repeat(2_000_000) }), /hub/],
  ['gives a token for another audience', gives({ access_token: jwtFor('https://other.example') }), /another audience/],
  ['says that the token is for another audience', gives({ audience: 'https://hub.example.evil' }), /another audience/],
  ['gives a token for 0 seconds', gives({ expires_in: 0 }), /expired already/],
  ['gives a token for less', gives({ expires_in: -5 }), /gave no token/],
  ['gives a token for a life in words', gives({ expires_in: 'long' }), /gave no token/],
  ['gives another type', gives({ token_type: 'DPoP' }), /without a bearer token|gave no token/],
  ['refuses the client', json(401, { error: 'invalid_client' }), /refused: invalid_client/],
  ['takes a second use for a theft', json(400, { error: 'invalid_grant' }), /Open http.*link your account/],
]

test(
  'whatever is wrong with a refresh, the call is an error and never goes with another credential, in any era',
  { skip },
  async () => {
    for (const [index, [what, fault, words]] of FAULTS.entries()) {
      const person = `ann${index}`
      await linkExpired(person)
      world.service.intercept = (req: IncomingMessage, res) => {
        if (req.url !== '/token') return false
        fault(res)
        return true
      }
      const modern = await one.call(person, what)
      const session = await RawSession.open(new URL(`${two.base}/mcp`), await two.headers(person))
      const older = await session.post('tools/call', { name: 'hub_who_am_i', arguments: { note: what } })
      assert.equal(modern.isError, true, what)
      assert.match(modern.text, words, what)
      assert.match(older.text, /"isError":true/, what)
      assert.equal(world.asked.has(what), false, `${what}: the service was asked`)
      for (const text of [modern.text, older.text]) assert.doesNotMatch(text, /expired-of|refresh-of|odd-token|server-token/)
    }
    world.service.intercept = undefined
    assert.equal((await one.call('nobody-linked')).text, 'the server', 'there is a lower level')
  },
)

test('two hosts that need a token renewed at once use the refresh token once', { skip }, async () => {
  await linkExpired('bob')
  const forms: string[] = []
  const asked = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  world.service.intercept = async (req, res) => {
    if (req.url !== '/token') return false
    let body = ''
    for await (const chunk of req) body += String(chunk)
    forms.push(body)
    asked.resolve()
    await gate.promise
    gives({ access_token: await world.service.accessToken('bob', 'https://hub.example') })(res)
    return true
  }
  const first = one.call('bob', 'first')
  await asked.promise
  const others = [two.call('bob', 'second'), one.call('bob', 'third'), two.call('bob', 'fourth')]
  gate.resolve()
  for (const { text } of [await first, ...(await Promise.all(others))]) assert.equal(text, 'bob')
  world.service.intercept = undefined
  assert.equal(forms.length, 1)
  assert.equal(new URLSearchParams(forms[0]).get('refresh_token'), 'refresh-of-bob')
  assert.equal(new URLSearchParams(forms[0]).get('resource'), 'https://hub.example', 'the service is named (RFC 8707)')
})

test(
  'who unlinks on a page of one host while another renews the token has nothing left, and is asked to link',
  { skip },
  async () => {
    await linkExpired('cleo')
    const asked = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const fresh = await world.service.accessToken('cleo', 'https://hub.example')
    const revoked: string[] = []
    world.service.intercept = async (req, res) => {
      if (req.url === '/token/revocation') {
        let body = ''
        for await (const chunk of req) body += String(chunk)
        revoked.push(new URLSearchParams(body).get('token') ?? '')
        json(200, {})(res)
        return true
      }
      const isRefresh = req.url === '/token' && req.headers['authorization']?.includes(btoa('patchbay-at-hub:').slice(0, 12))
      if (!isRefresh) return false
      asked.resolve()
      await gate.promise
      gives({ access_token: fresh })(res)
      return true
    }
    const call = one.call('cleo', 'before')
    await asked.promise
    const browser = new WebBrowser('cleo')
    const list = await browser.open(`${two.base}/accounts`)
    const unlinking = browser.press(list, 'Unlink hub')
    gate.resolve()
    assert.match((await unlinking).html, /No account of cleo@example\.com is linked/)
    await call
    world.service.intercept = undefined
    assert.ok(revoked.includes(fresh), 'what was fetched meanwhile is taken back')
    assert.equal((await one.host.accounts?.list({ kind: 'oauth', id: idOf('cleo') }))?.length, 0)
  },
)
