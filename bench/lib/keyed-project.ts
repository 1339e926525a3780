import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A project with the tools of the other comparisons, for callers with API keys, each of a tenant of its own. Gone when disposed. */
export interface KeyedProject extends Disposable {
  readonly config: string
  readonly keyOf: (tenant: string) => string
}

export function keyedProject(tenants: readonly string[]): KeyedProject {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
  copyFileSync(join(import.meta.dirname, '../servers/patchbay/plugin.ts'), join(folder, 'plugin.ts'))
  const keyOf = (tenant: string) => `pbk_${tenant}_${tenant.padEnd(43, 'x')}`
  const keys = tenants.map((tenant) => ({
    id: tenant,
    hash: createHash('sha256').update(keyOf(tenant)).digest('hex'),
    scopes: [],
    tenant,
    createdAt: '2026-01-01T00:00:00.000Z',
  }))
  writeFileSync(join(folder, 'mcp.keys.json'), JSON.stringify({ keysVersion: 1, keys }), { mode: 0o600 })
  const config = join(folder, 'mcp.config.json')
  const settings = {
    plugins: [{ use: './plugin.ts', as: 'bench' }],
    auth: { inbound: { mode: 'apiKey' } },
    tenants: Object.fromEntries(tenants.map((tenant) => [tenant, { plugins: { bench: {} } }])),
  }
  writeFileSync(config, JSON.stringify(settings))
  return { config, keyOf, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}
