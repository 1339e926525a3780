import { readPluginConfig, type ReadConfig, type UnreadConfig } from '../../config/plugin/plugin-environment.ts'
import type { PluginEntry } from '../../config/schema/schema.ts'
import { isServerSpecifier } from '../../config/schema/server/server-specifier.ts'
import { withOptionalCredentials } from '../../config/plugin/variables.ts'
import type { EntryCredentials } from './credential-policy.ts'
import type { PluginSurface } from '../source/describe-surface.ts'

export interface EntryEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>
  /** What paths in `_FILE` variables are relative to. */
  readonly configDir: string
  readonly credentialsOf: (entry: PluginEntry) => EntryCredentials
}

/** The config of one entry, from everywhere it may come from. */
export function readEntryConfig(
  { instance, surface, entry }: { instance: string; surface: PluginSurface; entry: PluginEntry },
  { env, configDir, credentialsOf }: EntryEnvironment,
): ReadConfig | UnreadConfig {
  return readPluginConfig({
    schema: credentialsOf(entry).areCallers ? withOptionalCredentials(surface.config) : surface.config,
    instance,
    inline: entry.config,
    env,
    baseDir: configDir,
    // An MCP server is given what its entry names, and nothing else.
    revealSecrets:
      isServer(entry) || (entry.capabilities.credentials === 'raw' && (entry.isolation === 'inline' || declaresRaw(surface))),
  })
}

function isServer({ use }: PluginEntry): boolean {
  return typeof use === 'string' && isServerSpecifier(use)
}

/** Secrets go into another process only where both sides want it. */
function declaresRaw({ capabilities }: PluginSurface): boolean {
  return capabilities.credentials === 'raw'
}
