import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { codeForm, REDIRECT, SAML_RESOURCE, startSamlLogin } from '../fixtures/saml-login.ts'

test('a SAML login becomes an access token of the resource, for that person (B01)', async (t) => {
  const login = await startSamlLogin(t)
  const metadata = (await (await fetch(`${login.issuer}/.well-known/oauth-authorization-server`)).json()) as Record<
    string,
    unknown
  >
  assert.equal(metadata['issuer'], login.issuer)
  assert.deepEqual(metadata['code_challenge_methods_supported'], ['S256'])
  assert.equal(metadata['authorization_response_iss_parameter_supported'], true)
  assert.deepEqual(metadata['scopes_supported'], ['tools:read', 'tools:write', 'openid'])

  const browser = login.browser()
  const consent = await login.logIn(browser)
  assert.equal(consent.status, 200, consent.text)
  const back = await login.decide(browser, consent)
  assert.equal(back.url.origin + back.url.pathname, REDIRECT)
  assert.equal(back.url.searchParams.get('iss'), login.issuer)
  assert.equal(back.url.searchParams.get('state'), 'a state')

  const { status, body } = await login.token(codeForm(back))
  assert.equal(status, 200, JSON.stringify(body))
  const keys = createRemoteJWKSet(new URL(String(metadata['jwks_uri'])))
  const { payload, protectedHeader } = await jwtVerify(String(body['access_token']), keys, {
    issuer: login.issuer,
    audience: SAML_RESOURCE,
    typ: 'at+jwt',
  })
  assert.deepEqual([protectedHeader.kid, protectedHeader.alg], ['one', 'ES256'])
  const { sub, aud, tenant, roles, scope, client_id: client } = payload
  assert.deepEqual(
    { sub, aud, tenant, roles, scope, client },
    {
      sub: 'ada@example.com',
      aud: SAML_RESOURCE,
      tenant: 'acme',
      roles: ['writers', 'people'],
      scope: 'tools:read tools:write',
      client: 'first',
    },
  )
  assert.equal(payload.exp, (payload.iat ?? 0) + 600)
})
