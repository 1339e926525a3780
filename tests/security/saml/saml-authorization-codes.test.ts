import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { codeForm, REDIRECT, startSamlLogin, VERIFIER, type SamlLogin } from '../../fixtures/auth/saml-login.ts'
import type { Visit } from '../../fixtures/auth/browser.ts'

/** A person who agrees: the redirect back to the client. */
async function agreed(login: SamlLogin, parameters: Readonly<Record<string, string | null>> = {}): Promise<Visit> {
  const browser = login.browser()
  return login.decide(browser, await login.logIn(browser, { parameters }))
}

test('begins no login without PKCE by S256', async (t) => {
  const login = await startSamlLogin(t)
  const cases = {
    'no challenge': { code_challenge: null, code_challenge_method: null },
    'a plain one': { code_challenge: VERIFIER, code_challenge_method: 'plain' },
    'a plain one, unsaid': { code_challenge: VERIFIER, code_challenge_method: null },
    'a challenge that is none': { code_challenge: 'short' },
  }
  for (const [what, parameters] of Object.entries(cases)) {
    const { url } = await login.browser().open(login.authorizeUrl(parameters))
    assert.equal(url.origin + url.pathname, REDIRECT, what)
    assert.equal(url.searchParams.get('error'), 'invalid_request', what)
    assert.equal(url.searchParams.get('iss'), login.issuer, what)
  }
})

test('gives no token for a code with another verifier, redirect or client', async (t) => {
  const login = await startSamlLogin(t)
  const cases = {
    'another verifier': { code_verifier: 'x'.repeat(43) },
    'no verifier': { code_verifier: '' },
    'another redirect': { redirect_uri: `${REDIRECT}/` },
    'another client': { client_id: 'second' },
    'another resource': { resource: 'https://other.example.com/mcp' },
    'no code that there is': { code: 'made-up' },
  }
  for (const [what, changes] of Object.entries(cases)) {
    const { status, body } = await login.token(codeForm(await agreed(login), changes))
    assert.equal(status, 400, what)
    assert.match(String(body['error']), /^invalid_(?:grant|target)$/, what)
  }
})

test('goes back only to an address that was registered, character by character', async (t) => {
  const login = await startSamlLogin(t)
  const refused = async (client: string, redirect: string): Promise<void> => {
    const parameters = { client_id: client, redirect_uri: redirect }
    const visit = await login.browser().open(login.authorizeUrl(parameters))
    assert.equal(visit.url.origin, login.issuer, redirect)
    assert.equal(visit.status, 400, redirect)
    assert.match(visit.text, /redirect_uri/, redirect)
    assert.match(visit.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
  }
  await refused('first', `${REDIRECT}s`)
  await refused('first', `${REDIRECT}/more`)
  await refused('first', `${REDIRECT}?a=b`)
  await refused('first', REDIRECT.replace('https:', 'http:'))
  await refused('first', REDIRECT.replace('client.', 'client2.'))
  await refused('first', 'https://client.example.com@evil.example/callback')
  await refused('desktop', 'http://localhost/callback')
  await refused('desktop', 'http://127.0.0.1:4000/callback/more')
  const { url } = await login
    .browser()
    .open(login.authorizeUrl({ client_id: 'desktop', redirect_uri: 'http://127.0.0.1:4000/callback' }))
  assert.equal(url.host, 'idp.example.com', 'a program on this machine may take any port')
})

test('a code that comes twice revokes what it gave', async (t) => {
  const login = await startSamlLogin(t)
  const form = codeForm(await agreed(login))
  const first = await login.token(form)
  assert.equal(first.status, 200)
  const refresh = { grant_type: 'refresh_token', refresh_token: String(first.body['refresh_token']) }
  const again = await login.token(form)
  assert.deepEqual([again.status, again.body['error']], [400, 'invalid_grant'])
  const refreshed = await login.token(refresh)
  assert.deepEqual([refreshed.status, refreshed.body['error']], [400, 'invalid_grant'])
})

test('of many uses of a code at once, no two get a token', async (t) => {
  const login = await startSamlLogin(t)
  const form = codeForm(await agreed(login))
  const answers = await Promise.all(Array.from({ length: 8 }, () => login.token(form)))
  assert.equal(answers.filter(({ status }) => status === 200).length <= 1, true)
  for (const { status, body } of answers) if (status !== 200) assert.equal(body['error'], 'invalid_grant')
})

test('a refresh token works once, and its second use ends the login of that client', async (t) => {
  const login = await startSamlLogin(t)
  const { body } = await login.token(codeForm(await agreed(login)))
  const refresh = (token: unknown) => login.token({ grant_type: 'refresh_token', refresh_token: String(token) })
  const second = await refresh(body['refresh_token'])
  assert.equal(second.status, 200)
  assert.equal(decodeJwt(String(second.body['access_token'])).sub, 'ada@example.com')
  assert.equal((await refresh(body['refresh_token'])).status, 400)
  assert.equal((await refresh(second.body['refresh_token'])).status, 400)
})

test('gives tokens for the one resource only, whether or not a client names it', async (t) => {
  const login = await startSamlLogin(t)
  const { url } = await login.browser().open(login.authorizeUrl({ resource: 'https://other.example.com/mcp' }))
  assert.equal(url.searchParams.get('error'), 'invalid_target')
  const { body } = await login.token(codeForm(await agreed(login, { resource: null })))
  assert.equal(decodeJwt(String(body['access_token'])).aud, 'https://mcp.example.com/mcp')
})

test('gives a person the scopes of their roles and no other, as the last login has them', async (t) => {
  const login = await startSamlLogin(t)
  const browser = login.browser()
  const reader = { attributes: { company: ['acme'], groups: ['people'] } }
  const consent = await login.logIn(browser, { claim: reader })
  assert.match(consent.text, /tools:read/)
  assert.doesNotMatch(consent.text, /tools:write/)
  const { body } = await login.token(codeForm(await login.decide(browser, consent)))
  assert.equal(decodeJwt(String(body['access_token'])).scope, 'tools:read')

  const writer = await login.token(codeForm(await agreed(login)))
  assert.equal(decodeJwt(String(writer.body['access_token'])).scope, 'tools:read tools:write')
  await login.logIn(login.browser(), { claim: reader })
  const refreshed = await login.token({ grant_type: 'refresh_token', refresh_token: String(writer.body['refresh_token']) })
  assert.equal(decodeJwt(String(refreshed.body['access_token'])).scope, 'tools:read', 'the role was taken away since')
})

test('gives all scopes that a person may have to a client that asks for none in particular', async (t) => {
  const login = await startSamlLogin(t)
  const { body } = await login.token(codeForm(await agreed(login, { scope: null })))
  assert.equal(decodeJwt(String(body['access_token'])).scope, 'tools:read tools:write')
})
