import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import { knownCallers } from '../../../host/src/transport/admin/known-callers.ts'
import { createLiveFeed } from '../../../host/src/transport/admin/live-feed.ts'

const HASH = '0'.repeat(64)
const NOON = Date.parse('2026-01-01T12:00:00Z')

test('the callers that an operator can look through are those whose keys count now', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-callers-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const key = (id: string, more: object = {}) => ({
    id,
    hash: HASH,
    scopes: ['tea:read'],
    createdAt: '2025-01-01T00:00:00Z',
    ...more,
  })
  const keys = [
    key('lasting'),
    key('ending', { notAfter: '2026-01-01T12:00:01Z', tenant: 'acme' }),
    key('over', { notAfter: '2026-01-01T12:00:00Z' }),
    key('revoked', { revokedAt: '2025-06-01T00:00:00Z' }),
  ]
  writeFileSync(join(folder, 'keys.json'), JSON.stringify({ keysVersion: 1, keys }))
  const shown = async (mode: 'apiKey' | 'any' | 'none') => {
    const config = resolveConfig({
      server: { name: 'x' },
      auth: { inbound: { mode: 'apiKey', keysFile: 'keys.json' } },
      tenants: { acme: {} },
    })
    const inbound = { ...config.auth.inbound, mode }
    const callers = await knownCallers({ auth: { ...config.auth, inbound }, tenants: config.tenants }, folder, NOON)
    return callers.map(({ label, as }) => [label, as])
  }
  const operator = ['Operator', null]
  const tenant = ['Tenant acme, every permission', { id: 'acme', tenant: 'acme', permissions: ['*'] }]
  const ofKeys = [
    ['API key lasting', { id: 'lasting', permissions: ['tea:read'] }],
    ['API key ending, tenant acme', { id: 'ending', permissions: ['tea:read'], tenant: 'acme' }],
  ]
  assert.deepEqual(await shown('apiKey'), [operator, ...ofKeys, tenant])
  assert.deepEqual(await shown('any'), [operator, ...ofKeys, tenant])
  assert.deepEqual(await shown('none'), [operator, tenant], 'no key counts there')
})

test('what happens is told without its secrets, at once and to who comes later', () => {
  const redactor = createRedactor()
  redactor.add('hunter2-hunter2')
  const feed = createLiveFeed({ redact: redactor, now: () => 5 })
  const heard: string[] = []
  feed.subscribe(({ json }) => void heard.push(json))
  feed.push('call', { said: 'it is hunter2-hunter2', hunter: 'hunter2-hunter2' })
  const later = feed.after(0).map(({ json }) => json)
  assert.deepEqual(later, heard)
  assert.equal(later.length, 1)
  assert.doesNotMatch(later.join(), /hunter2-hunter2/)
})
