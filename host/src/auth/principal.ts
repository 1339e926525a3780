import type { Principal } from '@mcp-patchbay/plugin-api'

/** The operator: who calls on stdio, and on a loopback listener without authentication. `*` grants every permission. */
export const LOCAL_PRINCIPAL: Principal = Object.freeze({
  id: 'local',
  tenant: undefined,
  permissions: Object.freeze(['*']),
  kind: 'local',
})
