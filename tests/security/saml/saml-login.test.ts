import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { guardedHost } from '../../fixtures/http/guarded-host.ts'
import { codeForm, REDIRECT, SAML_RESOURCE, startSamlLogin } from '../../fixtures/auth/saml-login.ts'

test('a SAML login becomes an access token of the resource, for that person', async (t) => {
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

test('leads from a 401 of the host through a SAML login to a tool call', async (t) => {
  const login = await startSamlLogin(t)
  const guarded = await guardedHost(t, {
    auth: {
      inbound: {
        mode: 'oauth',
        oauth: {
          resource: SAML_RESOURCE,
          scopes: ['tools:read', 'tools:write'],
          issuers: [{ issuer: login.issuer, permissionClaims: ['scope'] }],
        },
      },
      permissions: { 'tools:read': ['demo_whoami'], 'tools:write': ['demo_delete'], writers: ['demo_echo'] },
    },
  })
  const stranger = await guarded.client.post('tools/list')
  assert.equal(stranger.status, 401)
  const [, scope = ''] = /scope="([^"]*)"/.exec(stranger.headers.get('www-authenticate') ?? '') ?? []
  const [, page = ''] = /resource_metadata="([^"]*)"/.exec(stranger.headers.get('www-authenticate') ?? '') ?? []
  const resource = (await (await fetch(new URL(new URL(page).pathname, guarded.url))).json()) as {
    resource: string
    authorization_servers: readonly string[]
  }
  const [issuer = ''] = resource.authorization_servers
  const server = (await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json()) as Record<string, string>
  assert.equal(server['authorization_endpoint'], `${login.issuer}/auth`)

  const browser = login.browser()
  const parameters = { scope, resource: resource.resource }
  const reader = { attributes: { company: ['acme'], groups: ['people'] } }
  const back = await login.decide(browser, await login.logIn(browser, { parameters, claim: reader }))
  assert.equal(back.url.searchParams.get('iss'), issuer)
  const { body } = await login.token(codeForm(back))
  const token = String(body['access_token'])
  guarded.hide(token)
  const bearer = { authorization: `Bearer ${token}` }
  assert.match((await guarded.client.call('demo_whoami', {}, bearer)).text, / of acme/)
  assert.equal((await guarded.client.call('demo_delete', {}, bearer)).status, 403, 'a scope that this person may not have')
  assert.doesNotMatch((await guarded.client.post('tools/list', {}, bearer)).text, /demo_echo/)
  assert.equal((await guarded.as(`${token.slice(0, -4)}AAAA`)).status, 401)
})
