import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import { Keyv } from 'keyv'
import { createClient } from 'redis'
import type { LoginStore } from '../../../auth-saml/src/store.ts'
import { startRedis, withoutRedis } from '../../fixtures/redis.ts'
import { codeForm, COOKIE_SECRET, REDIRECT, signingKey, startSamlLogin } from '../../fixtures/auth/saml-login.ts'

test('a new key signs, and tokens of the old one stay good', async (t) => {
  const [before, after] = [signingKey('before'), signingKey('after')]
  const store = new Keyv()
  const login = await startSamlLogin(t, { store, signingKeys: [before] })
  const browser = login.browser()
  const old = await login.token(codeForm(await login.decide(browser, await login.logIn(browser))))
  login.restart({ signingKeys: [after, before] })
  const refreshed = await login.token({ grant_type: 'refresh_token', refresh_token: String(old.body['refresh_token']) })
  const tokens = [old, refreshed].map(({ body }) => String(body['access_token']))
  assert.deepEqual(
    tokens.map((token) => decodeProtectedHeader(token).kid),
    ['before', 'after'],
  )
  const jwks = new URL('/jwks', login.issuer)
  for (const token of tokens) await jwtVerify(token, createRemoteJWKSet(jwks), { issuer: login.issuer })
  const { keys } = (await (await fetch(jwks)).json()) as JSONWebKeySet
  assert.deepEqual(
    keys.map(({ kid, d }) => [kid, d]),
    [
      ['after', undefined],
      ['before', undefined],
    ],
  )
})

test('a new cookie secret leaves people logged in for as long as the old one is known', async (t) => {
  const store = new Keyv()
  const login = await startSamlLogin(t, { store })
  const browser = login.browser()
  await login.decide(browser, await login.logIn(browser))
  const host = async () => (await browser.open(login.authorizeUrl())).url.host
  login.restart({ cookieSecrets: ['another secret that is long enough too', COOKIE_SECRET] })
  assert.equal(await host(), new URL(REDIRECT).host)
  login.restart({ cookieSecrets: ['a third secret, and nothing of the others'] })
  assert.equal(await host(), 'idp.example.com')
})

test('servers that share a Keyv finish what another of them began, once', async (t) => {
  const store = new Keyv()
  const login = await startSamlLogin(t, { store })
  const browser = login.browser()
  const response = login.idp.respond(await login.answer(await browser.open(login.authorizeUrl())))
  login.restart()
  const consent = await login.deliver(browser, response)
  assert.equal(consent.status, 200)
  login.restart()
  assert.equal((await login.deliver(browser, response)).status, 403, 'the other server took it')
  const form = codeForm(await login.decide(browser, consent))
  login.restart()
  assert.equal((await login.token(form)).status, 200)
  login.restart()
  assert.equal((await login.token(form)).body['error'], 'invalid_grant')
})

test('of many deliveries and exchanges at once, over one Redis, one counts', { skip: withoutRedis }, async (t) => {
  const { url } = await startRedis(t)
  const redis = await createClient({ url })
    .on('error', () => {}) // when Redis ends first
    .connect()
  t.after(() => redis.destroy())
  const store: LoginStore = {
    get: async (key) => JSON.parse((await redis.get(key)) ?? 'null') ?? undefined,
    set: (key, value, ttlMs) => redis.set(key, JSON.stringify(value), { expiration: { type: 'PX', value: ttlMs } }),
    delete: async (key) => (await redis.del(key)) === 1,
  }
  const login = await startSamlLogin(t, { store })
  const browser = login.browser()
  const response = login.idp.respond(await login.answer(await browser.open(login.authorizeUrl())))
  const visits = await Promise.all(Array.from({ length: 8 }, () => login.deliver(browser, response)))
  const [consent, ...more] = visits.filter(({ status }) => status === 200)
  assert.ok(consent)
  assert.equal(more.length, 0)
  const form = codeForm(await login.decide(browser, consent))
  const answers = await Promise.all(Array.from({ length: 8 }, () => login.token(form)))
  assert.ok(answers.filter(({ status }) => status === 200).length <= 1)
})

test('a store that is away lets nobody in', async (t) => {
  const store = new Keyv()
  const login = await startSamlLogin(t, { store })
  const browser = login.browser()
  const response = login.idp.respond(await login.answer(await browser.open(login.authorizeUrl())))
  login.restart({ store: { get: async () => undefined, set: async () => true, delete: async () => false } })
  assert.equal((await login.deliver(browser, response)).status, 403)
  login.restart({ store: { get: (key) => store.get(key), set: async () => true, delete: async () => false } })
  assert.equal((await login.deliver(browser, response)).status, 403, 'a request that cannot be used up')
})

test('clients register themselves only where they may, and never with an unsafe address', async (t) => {
  const login = await startSamlLogin(t)
  const register = async (uri: string, type: string) => {
    const body = JSON.stringify({
      redirect_uris: [uri],
      application_type: type,
      client_name: 'Somebody',
      token_endpoint_auth_method: 'none',
    })
    const response = await fetch(`${login.issuer}/reg`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    return { status: response.status, body: (await response.json().catch(() => ({}))) as Record<string, unknown> }
  }
  assert.equal((await register(REDIRECT, 'web')).status, 404)
  login.restart({ registration: true })
  for (const [uri, type] of [
    ['http://example.com/', 'web'],
    ['http://example.com/', 'native'],
    ['javascript:alert(1)', 'native'],
    ['data:text/html,x', 'native'],
  ] as const)
    assert.match(String((await register(uri, type)).body['error']), /^invalid_(?:redirect_uri|client_metadata)$/, uri)
  const { status, body } = await register('http://127.0.0.1/callback', 'native')
  assert.equal(status, 201)
  assert.equal(body['client_secret'], undefined)
  const browser = login.browser()
  const parameters = { client_id: String(body['client_id']), redirect_uri: 'http://127.0.0.1:5000/callback' }
  assert.match((await login.logIn(browser, { parameters })).text, /<strong>Somebody<\/strong>[^]*127\.0\.0\.1:5000/)
})
