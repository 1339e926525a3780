import { createHmac, randomBytes } from 'node:crypto'
import type { Principal } from '@mcp-patchbay/plugin-api'

/** Two plugins cannot find out that they serve the same caller. The one principal of a host without callers has no secret in its name. */
export function createOpaqueCallers(): OpaqueCallers {
  const key = randomBytes(32)
  const hash = (text: string) => createHmac('sha256', key).update(text).digest('base64url')
  const known = new WeakMap<Principal, Principal>()
  return {
    opaque: (principal) => {
      if (principal.kind === 'local') return principal
      let hidden = known.get(principal)
      if (!hidden) {
        const { id, tenant, kind, permissions } = principal
        hidden = { id: hash(JSON.stringify([kind, tenant, id])), tenant, kind, permissions }
        known.set(principal, hidden)
      }
      return hidden
    },
    hide: (credentialKey) => (credentialKey === '' ? '' : hash(credentialKey)),
  }
}

export interface OpaqueCallers {
  readonly opaque: (principal: Principal) => Principal
  readonly hide: (credentialKey: string) => string
}
