import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Principal } from '@mcp-patchbay/plugin-api'
import { createLinkedAccounts } from '../../../host/src/auth/accounts/call-accounts.ts'
import type { OpenAccounts } from '../../../host/src/auth/accounts/open-accounts.ts'
import { silentLogger } from '../../../host/src/observability/logger.ts'

const of = (kind: Principal['kind']): Principal => ({ id: 'ann', tenant: undefined, permissions: [], kind })
const command = 'npx mcp-patchbay login hub'
const address = 'https://mcp.example/accounts/link?ticket=t'

test('a caller is told the pages that can tell who it is, and only the operator the command', async () => {
  const tickets: Partial<OpenAccounts['tickets']> = { issue: async () => 't' }
  const open: Partial<OpenAccounts> = { tickets: tickets as OpenAccounts['tickets'] }
  const table: readonly (readonly [serves: Principal['kind'] | undefined, kind: Principal['kind'], expected: object])[] = [
    [undefined, 'local', { command }],
    [undefined, 'oauth', {}],
    [undefined, 'apiKey', {}],
    ['local', 'local', { address, command }],
    ['local', 'oauth', {}],
    ['oauth', 'oauth', { address }],
    ['oauth', 'apiKey', {}],
    ['oauth', 'local', { command }],
    ['apiKey', 'apiKey', { address }],
    ['apiKey', 'oauth', {}],
  ]
  for (const [serves, kind, expected] of table) {
    const linked = createLinkedAccounts(open as OpenAccounts, silentLogger)
    if (serves !== undefined) linked.serve({ base: 'https://mcp.example', serves: (principal) => principal.kind === serves })
    assert.deepEqual(await linked.waysToLink(of(kind), 'hub'), expected, `${kind}, where the pages are for ${serves}`)
  }
})
