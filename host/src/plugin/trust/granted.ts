import type { PluginEntry } from '../../config/schema/schema.ts'
import { hostError } from '../../errors.ts'
import { compareCapabilities, type Capabilities } from '../../pin/capabilities.ts'
import { grantedCapabilities, joinCapabilities, withDeclared, type ObservedIn } from './observe.ts'
import type { PluginSurface } from '../source/describe-surface.ts'

/**
 * Throws `CAPABILITY_NOT_GRANTED` for a plugin that declares more than its entry grants: it would fail at whatever it needs that for,
 * in the middle of a call. `CAPABILITY_INVALID` for a declaration that is none.
 */
export async function requireGranted(surface: PluginSurface, entry: PluginEntry, within: ObservedIn): Promise<void> {
  const granted = await grantedCapabilities(entry, within)
  const wanted = await withDeclared(granted, surface, within)
  const missing = compareCapabilities(granted, wanted).filter(({ change }) => change === 'broadened')
  if (missing.length === 0) return
  throw hostError('CAPABILITY_NOT_GRANTED', {
    plugin: within.label,
    missing: missing.map(({ capability, value }) => `${capability} ${value}`),
    line: `capabilities: ${literal(joinCapabilities(granted, wanted))}`,
  })
}

/** As one writes it in mcp.config.ts, without what is the default. */
function literal({ hosts, env, fs, credentials, native }: Capabilities): string {
  const list = (name: string, values: readonly string[]) =>
    values.length > 0 ? [`${name}: [${values.map((value) => `'${value.replaceAll("'", "\\'")}'`).join(', ')}]`] : []
  const files = [...list('read', fs.read), ...list('write', fs.write)]
  const parts = [
    ...list('hosts', hosts),
    ...list('env', env),
    ...(files.length > 0 ? [`fs: { ${files.join(', ')} }`] : []),
    ...(credentials === 'raw' ? ["credentials: 'raw'"] : []),
    ...(native ? ['native: true'] : []),
  ]
  return `{ ${parts.join(', ')} }`
}
