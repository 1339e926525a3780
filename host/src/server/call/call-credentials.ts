import type { Redactor } from '../../observability/redact.ts'
import type { LivePlugin } from '../../plugin/run/live-plugin.ts'
import type { Caller } from '../catalog/caller.ts'
import { liveOf, type SnapshotItem } from '../catalog/snapshot.ts'

/** Takes what the caller brought for services out of every text while `work` runs: a service may echo it, and a plugin pass that on. */
export function hidingCredentials<Answer>(
  { credentials }: Caller,
  redact: Redactor,
  work: () => Promise<Answer>,
): Promise<Answer> {
  if (!credentials || credentials.secrets.length === 0) return work()
  const forget = credentials.secrets.map((secret) => redact.add(secret))
  return work().finally(() => {
    for (const end of forget) end()
  })
}

/**
 * The running version of an item's plugin, for a call. A plugin that was granted the secrets themselves puts them on its requests where
 * no caller sees it, so a call that may not use them does not reach it: throws the `ServiceError` of a request that is refused.
 */
export function liveFor(item: SnapshotItem, { principal, credentials, account }: Caller): LivePlugin {
  const { access, plugin } = item
  if (plugin.entry.capabilities.credentials === 'raw') {
    const use = plugin.credentialUse?.({ access, principal, credentials, account })
    if (use?.by === 'refused') throw use.error
  }
  return liveOf(item)
}
