import type { Cache, Principal } from '@mcp-patchbay/plugin-api'
import type { PluginCaches } from '../../cache/cache.ts'

/**
 * The part of the cache that one version of a plugin has in the calls of one principal, or without a principal in its background work.
 * Kind, tenant, id, instance and version are all in its name: what one of them keeps, no other can read.
 */
export function pluginCache(
  cache: PluginCaches,
  { instance, digest, principal }: { instance: string; digest: string; principal: Principal | undefined },
): Cache {
  if (!principal) return cache.namespace('plugin', 'start', instance, digest)
  const { tenant = '', kind, id } = principal
  return cache.namespace('plugin', 'call', tenant, kind, id, instance, digest)
}
