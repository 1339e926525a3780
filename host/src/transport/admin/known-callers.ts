import { resolve } from 'node:path'
import { readKeyFile } from '../../auth/inbound/keys/key-file.ts'
import type { ResolvedConfig } from '../../config/schema/schema.ts'
import type { NamedCaller } from '../../server/catalog/operator/named-caller.ts'

/** A caller that the config knows. `as` is what the API takes for it; null means the operator. */
export interface KnownCaller {
  readonly label: string
  readonly as: NamedCaller | null
}

/** The operator, every API key that counts at `now`, and each tenant with every permission. No key itself, and no hash of one. */
export async function knownCallers(
  { auth: { inbound }, tenants }: Pick<ResolvedConfig, 'auth' | 'tenants'>,
  configDir: string,
  now: number,
): Promise<readonly KnownCaller[]> {
  const takesKeys = inbound.mode === 'apiKey' || inbound.mode === 'any'
  const stored = takesKeys ? await readKeyFile(resolve(configDir, inbound.keysFile)) : []
  const keys = [...inbound.keys, ...stored.filter(({ revokedAt }) => revokedAt === undefined)]
  const counting = keys.filter(({ notAfter }) => notAfter === undefined || Date.parse(notAfter) > now)
  return [
    { label: 'Operator', as: null },
    ...counting.map(({ id, tenant, scopes }): KnownCaller => {
      const of = tenant === undefined ? '' : `, tenant ${tenant}`
      return { label: `API key ${id}${of}`, as: { id, permissions: scopes, ...(tenant !== undefined && { tenant }) } }
    }),
    ...Object.keys(tenants).map((tenant): KnownCaller => ({
      label: `Tenant ${tenant}, every permission`,
      as: { id: tenant, tenant, permissions: ['*'] },
    })),
  ]
}
