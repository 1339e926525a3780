import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostConfig } from 'mcp-patchbay'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { configWarnings } from '../../../host/src/config/schema/rules.ts'

type OAuth = NonNullable<NonNullable<NonNullable<HostConfig['auth']>['inbound']>['oauth']>

const issuers = [{ issuer: 'https://idp.example' }]
const config = (oauth: Partial<OAuth>, auth: HostConfig['auth'] = {}): HostConfig => ({
  auth: { ...auth, inbound: { mode: 'oauth', oauth: { resource: 'https://mcp.example/mcp', issuers, ...oauth } } },
})

test('only scopes that are published can be the first to ask for', () => {
  assert.throws(() => resolveConfig(config({ scopes: ['a'], initialScopes: ['a', 'b'] })), {
    message: /auth\.inbound\.oauth\.initialScopes\[1\]: "b" is not in scopes/,
  })
})

test('only one issuer can be asked about tokens that do not say whose they are', () => {
  const asking = (issuer: string) => ({
    issuer,
    introspection: { url: `${issuer}/introspect`, clientId: 'host', clientSecretVariable: 'SECRET' },
  })
  const twice = config({ issuers: [asking('https://a.example'), asking('https://b.example')] })
  assert.throws(() => resolveConfig(twice), { message: /issuers\[1\]\.introspection: is of a second issuer/ })
  const open = config({
    issuers: [{ ...asking('https://a.example'), introspection: { ...asking('http://a.example').introspection } }],
  })
  assert.throws(() => resolveConfig(open), { message: /introspection\.url: must be https/ })
})

test('warns where no client is told which scopes open the tools', () => {
  const permissions = { read: ['*_get'] }
  const warned = (value: HostConfig) => configWarnings(resolveConfig(value)).filter((line) => line.includes('oauth.scopes'))
  assert.equal(warned(config({}, { permissions })).length, 1)
  assert.deepEqual(warned(config({ scopes: ['read'] }, { permissions })), [])
  assert.deepEqual(warned(config({})), [])
})
