import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REDIRECT, SAML_RESOURCE, startSamlLogin } from '../../fixtures/auth/saml-login.ts'

const SECOND = { client_id: 'second', redirect_uri: 'https://other.example.org/back' }

test('asks again for each client, by name and host, on a page that nobody can frame', async (t) => {
  const login = await startSamlLogin(t)
  const browser = login.browser()
  const first = await login.logIn(browser)
  assert.match(first.text, /The first client/)
  await login.decide(browser, first)

  const second = await browser.open(login.authorizeUrl(SECOND))
  assert.equal(second.status, 200, 'logged in already, and yet asked')
  assert.match(second.text, /<strong>Another &#60;client&#62;<\/strong>/)
  assert.match(second.text, /<code>second<\/code>/)
  assert.match(second.text, /<strong>other\.example\.org<\/strong>/)
  assert.ok(second.text.includes(SAML_RESOURCE))
  assert.equal(second.headers.get('x-frame-options'), 'DENY')
  assert.equal(second.headers.get('cache-control'), 'no-store')
  const policy = second.headers.get('content-security-policy') ?? ''
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.match(policy, /form-action 'self' https:\/\/other\.example\.org(?:;|$)/)

  const again = await browser.open(login.authorizeUrl())
  assert.equal(again.url.origin + again.url.pathname, REDIRECT, 'the first client is known')
  assert.ok(again.url.searchParams.has('code'))
})

test('asks each time for a program on a machine, whose id anybody can use', async (t) => {
  const login = await startSamlLogin(t)
  const browser = login.browser()
  const parameters = { client_id: 'desktop', redirect_uri: 'http://127.0.0.1:4000/callback' }
  const asked = await login.logIn(browser, { parameters })
  assert.match(asked.text, /127\.0\.0\.1:4000/)
  assert.ok((await login.decide(browser, asked)).url.searchParams.has('code'))
  const { status, text } = await browser.open(login.authorizeUrl(parameters))
  assert.equal(status, 200)
  assert.match(text, /Allow access/)
})

test('a no goes back to the client as access_denied', async (t) => {
  const login = await startSamlLogin(t)
  const browser = login.browser()
  const { url } = await login.decide(browser, await login.logIn(browser), 'deny')
  assert.equal(url.origin + url.pathname, REDIRECT)
  assert.equal(url.searchParams.get('error'), 'access_denied')
  assert.equal(url.searchParams.get('iss'), login.issuer)
})

test('takes a decision only from its own page, in the browser that was asked', async (t) => {
  const login = await startSamlLogin(t)
  const browser = login.browser()
  const { url } = await login.logIn(browser)
  const action = new URL(`${url.pathname}/consent`, login.issuer)
  assert.equal((await browser.submitFromElsewhere(action, { decision: 'allow' }, 'https://evil.example')).status, 403)
  assert.equal((await browser.submitFromElsewhere(action, { decision: 'allow' })).status, 403)
  assert.equal((await login.browser().submit(action, { decision: 'allow' })).status, 403)
  const { status } = await fetch(action, { method: 'POST', body: new URLSearchParams({ decision: 'allow' }) })
  assert.equal(status, 403)
})

test('takes no decision before the login, and no login without its ticket', async (t) => {
  const login = await startSamlLogin(t)
  const browser = login.browser()
  const { url } = await browser.open(login.authorizeUrl())
  assert.equal(url.host, 'idp.example.com')
  const [uid = ''] = [...browser.paths('interaction')].map((path) => path.split('/')[2] ?? '')
  assert.notEqual(uid, '')
  assert.equal((await browser.submit(`/interaction/${uid}/consent`, { decision: 'allow' })).status, 403)
  assert.equal((await browser.open(`/interaction/${uid}/login?ticket=made-up`)).status, 403)
  assert.equal((await browser.open('/interaction/another/login?ticket=made-up')).status, 403)
})
