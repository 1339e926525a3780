import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  createSamlAuthorizationServer,
  readIdentityProvider,
  readLoginSecrets,
  type SamlAuthorizationServerOptions,
  type SigningKey,
} from '@mcp-patchbay/auth-saml'
import { selfSigned } from '../../fixtures/auth/certificate.ts'
import { testIdentityProvider } from '../../fixtures/auth/saml-identity-provider.ts'
import { COOKIE_SECRET, signingKey } from '../../fixtures/auth/saml-login.ts'

const idp = testIdentityProvider()
const good: SamlAuthorizationServerOptions = {
  issuer: 'https://login.example.com',
  resource: 'https://mcp.example.com/mcp',
  identityProvider: await readIdentityProvider(idp.metadata),
  signingKeys: [signingKey('one')],
  cookieSecrets: [COOKIE_SECRET],
  scopes: { tools: 'everyone' },
}

function rsa(modulusLength: number): SigningKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength })
  return { ...privateKey.export({ format: 'jwk' }), kty: 'RSA', kid: 'rsa' }
}

test('takes keys of each kind that the host verifies', () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const ed25519: SigningKey = { ...privateKey.export({ format: 'jwk' }), kty: 'OKP', kid: 'ed' }
  for (const key of [signingKey('ec'), ed25519, rsa(2048)])
    assert.equal(createSamlAuthorizationServer({ ...good, signingKeys: [key] }).issuer, good.issuer)
})

test('does not start with what is too weak, too open or not there, and says all of it at once', () => {
  const { d: _, ...open } = signingKey('open')
  const options: SamlAuthorizationServerOptions = {
    ...good,
    issuer: 'http://login.example.com',
    resource: 'mcp',
    identityProvider: {
      ...good.identityProvider,
      ssoUrl: 'ftp://idp.example.com',
      certificates: [selfSigned('idp', { bits: 1024 }).certificate, 'x'],
    },
    signingKeys: [rsa(1024), open, signingKey('a'), signingKey('a'), { kty: 'oct', kid: 'b', d: 'x' }],
    cookieSecrets: ['short'],
    scopes: { 'not one': 'everyone' },
    clients: [
      { id: 'c', redirectUris: ['http://example.com/'] },
      { id: 'c', redirectUris: ['javascript:alert(1)'] },
    ],
    accessTokenSeconds: 10,
  }
  assert.throws(
    () => createSamlAuthorizationServer(options),
    ({ message }: Error) => {
      const said = message.split('\n').slice(1)
      const expected = [
        'signingKeys[0] is an RSA key of less than 2048 bits',
        'signingKeys[1] is no private key',
        'signingKeys[3] has the kid of another',
        'signingKeys[4] is not a key that can be read',
        'cookieSecrets[0] is shorter than 32 bytes',
        'identityProvider.ssoUrl must be',
        'identityProvider.certificates[0] has a key of less than 2048 bits',
        'identityProvider.certificates[1] is no certificate',
        'issuer must be https',
        'resource must be',
        'scopes: "not one" is no scope',
        'clients[0].redirectUris: must be https',
        'clients[1].id is empty, or there twice',
        'clients[1].redirectUris: must be https',
        'accessTokenSeconds must be',
      ]
      assert.equal(said.length, expected.length, message)
      expected.forEach((words, index) => assert.ok(said[index]?.startsWith(`- ${words}`), `${words}: ${said[index]}`))
      assert.ok(!message.includes('short-secret'))
      for (const key of options.signingKeys)
        if (typeof key['d'] === 'string' && key['d'].length > 8) assert.ok(!message.includes(key['d']))
      return true
    },
  )
  const nothing = { ...good, signingKeys: [], cookieSecrets: [], scopes: {}, issuer: 'https://login.example.com/path' }
  assert.throws(
    () => createSamlAuthorizationServer(nothing),
    /signingKeys is empty[^]*cookieSecrets is empty[^]*an origin[^]*scopes is empty/,
  )
})

test('does not start with certificates of which none is valid today', async () => {
  const old = testIdentityProvider(selfSigned('idp', { from: Date.now() - 10 * 86_400_000, days: 5 }))
  const identityProvider = await readIdentityProvider(old.metadata)
  assert.throws(() => createSamlAuthorizationServer({ ...good, identityProvider }), /none that is valid today/)
})

test('reads secrets from the environment or from files, and quotes none of them', () => {
  const keys = { keys: [signingKey('one')] }
  const folder = mkdtempSync(join(tmpdir(), 'saml-secrets-'))
  try {
    const file = join(folder, 'keys.json')
    writeFileSync(file, JSON.stringify(keys))
    const secrets = readLoginSecrets({ SAML_SIGNING_KEYS_FILE: file, SAML_COOKIE_SECRETS: ` ${COOKIE_SECRET},\nthe old one ` })
    assert.deepEqual(secrets, { signingKeys: keys.keys, cookieSecrets: [COOKIE_SECRET, 'the old one'] })
  } finally {
    rmSync(folder, { recursive: true })
  }
  assert.throws(() => readLoginSecrets({}), /SAML_SIGNING_KEYS is not set\. Set it, or point SAML_SIGNING_KEYS_FILE/)
  assert.throws(() => readLoginSecrets({ SAML_SIGNING_KEYS: JSON.stringify(keys) }), /SAML_COOKIE_SECRETS is not set/)
  assert.throws(
    () => readLoginSecrets({ SAML_SIGNING_KEYS: 'a secret', SAML_COOKIE_SECRETS: COOKIE_SECRET }),
    ({ message }: Error) => /must be a JWK Set/.test(message) && !message.includes('a secret'),
  )
})

test('reads metadata of one identity provider that is still good', async () => {
  const { entityId, ssoUrl, certificates } = await readIdentityProvider(idp.metadata)
  assert.deepEqual(
    { entityId, ssoUrl, certificates },
    { entityId: idp.entityId, ssoUrl: idp.ssoUrl, certificates: [idp.key.certificate] },
  )
  const broken = {
    '': /cannot be used/,
    'no XML': /cannot be used/,
    '<other/>': /has 0 of EntityDescriptor/,
    [idp.metadata.replace('<EntityDescriptor', '<EntityDescriptor validUntil="2020-01-01T00:00:00Z"')]: /past its validUntil/,
    [idp.metadata.replaceAll('HTTP-Redirect', 'HTTP-POST')]: /SingleSignOnService with the HTTP-Redirect binding/,
    [`<!DOCTYPE a>${idp.metadata}`]: /document type/,
  }
  for (const [metadata, problem] of Object.entries(broken)) await assert.rejects(readIdentityProvider(metadata), problem)
})
