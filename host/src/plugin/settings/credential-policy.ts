import type { CredentialPolicy } from '../../auth/outbound/credential-use.ts'
import type { PluginEntry, ResolvedConfig } from '../../config/schema/schema.ts'

/** What the config says of the credentials of one entry. */
export interface EntryCredentials extends Omit<CredentialPolicy, 'isNeeded'> {
  /** The config counts on callers to bring their own: the service needs none of the server's. */
  readonly areCallers: boolean
}

/**
 * The server's own credentials serve every caller on loopback, where callers are not asked who they are, and no caller where they are,
 * unless the config says otherwise. `started` is the config the listeners were opened with, which a reload does not change.
 */
export function entryCredentials(
  { auth, compat }: Pick<ResolvedConfig, 'auth' | 'compat'>,
  { serverCredentials = auth.serverCredentials, allowRequestCredentials, capabilities, exchange, oauth }: PluginEntry,
  started: Pick<ResolvedConfig, 'auth'> = { auth },
): EntryCredentials {
  const isAnybody = auth.inbound.mode === 'none' && started.auth.inbound.mode === 'none'
  return {
    allowRequestCredentials,
    serverCredentials: serverCredentials ?? (isAnybody ? 'allow' : 'deny'),
    isRaw: capabilities.credentials === 'raw',
    areCallers:
      exchange !== undefined ||
      oauth !== undefined ||
      compat.authorizationIsUpstream ||
      (serverCredentials === 'deny' && (allowRequestCredentials || auth.accounts !== undefined)),
  }
}
