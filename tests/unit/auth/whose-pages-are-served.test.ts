import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import type { ResolvedConfig } from '../../../host/src/config/schema/schema.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { loginOf, openAccountPages, type OpenPagesDeps } from '../../../host/src/transport/accounts/open-account-pages.ts'

const auth = resolveConfig({ server: { name: 'x' }, listen: { stdio: true } }).auth
type Auth = ResolvedConfig['auth']
const issuer = (name: string, more: object = {}) => ({ issuer: name, algorithms: ['RS256'], ...more })

/** Log-in at `one`, which the config has a claim for. */
function authWith(mode: Auth['inbound']['mode'], issuers: readonly object[]): Auth {
  const login = { issuer: 'https://one.example', clientId: 'me' }
  const oauth = { ...auth.inbound.oauth, resource: 'https://mcp.example', issuers }
  return {
    ...auth,
    tenantClaim: 'tenant',
    accounts: { keyVariable: 'K', store: 'file:accounts', login },
    inbound: { ...auth.inbound, mode, oauth: oauth as never },
  }
}

test('a person has the tenant by the claim of its issuer, as its calls have, and logs in only where calls come with tokens', () => {
  const [one, two] = ['https://one.example', 'https://two.example']
  const claimOf = (mode: Auth['inbound']['mode'], ...issuers: readonly object[]) => loginOf(authWith(mode, issuers))?.tenantClaim
  assert.equal(claimOf('oauth', issuer(one)), 'tenant')
  assert.equal(claimOf('oauth', issuer(two, { tenantClaim: 'org' }), issuer(one, { tenantClaim: 'team' })), 'team')
  assert.equal(claimOf('any', issuer(one, { tenantClaim: 'team' })), 'team')
  assert.equal(claimOf('oauth', issuer(two)), undefined, 'its issuer signs no token that counts here')
  for (const mode of ['none', 'apiKey'] as const) assert.equal(claimOf(mode, issuer(one)), undefined, mode)
  const { accounts: _, ...without } = authWith('oauth', [issuer(one)])
  assert.equal(loginOf(without), undefined)
})

test("without a login or a key to type in, the pages are the operator's: on loopback, where nobody is asked who calls", async () => {
  const served = async (mode: Auth['inbound']['mode'], host: string) => {
    const deps: Partial<OpenPagesDeps> = {
      auth: () => ({ ...auth, inbound: { ...auth.inbound, mode } }),
      log: silentLogger,
      redactor: createRedactor(),
      typedKeys: undefined,
    }
    await using opened = new AsyncDisposableStack()
    return openAccountPages({ host }, deps as OpenPagesDeps, opened) !== undefined
  }
  const table = [
    ['none', '127.0.0.1', true],
    ['none', 'localhost', true],
    ['none', '::1', true],
    ['none', '0.0.0.0', false],
    ['none', '192.168.0.2', false],
    ['none', 'mcp.example', false],
    ['apiKey', '127.0.0.1', false],
    ['oauth', '127.0.0.1', false],
    ['any', '127.0.0.1', false],
  ] as const
  for (const [mode, host, expected] of table) assert.equal(await served(mode, host), expected, `${mode} at ${host}`)
})
