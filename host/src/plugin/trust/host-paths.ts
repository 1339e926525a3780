import { join, resolve } from 'node:path'
import { accountFolder } from '../../config/schema/account-rules.ts'
import type { PluginEntry, ResolvedConfig } from '../../config/schema/schema.ts'
import type { KeptPath } from '../../pin/check-capabilities.ts'
import { expectedRoot } from '../source/resolve-entry.ts'

/**
 * What no plugin may be granted to write, since it decides what runs and who may call: the config and what belongs to it, the lock, keys,
 * stored tokens, and the code of other plugins. `own` is the plugin that is asked for, whose own folder is its own.
 */
export function hostPaths(
  config: Pick<ResolvedConfig, 'auth' | 'cache' | 'pluginDirs'>,
  { entries, own, configDir }: { entries: readonly PluginEntry[]; own: PluginEntry; configDir: string },
): readonly KeptPath[] {
  const at = (path: string) => resolve(configDir, path)
  const { inbound, accounts } = config.auth
  const [kind, file = ''] = config.cache.store.split(':', 2)
  const pluginOf = (entry: PluginEntry) => (typeof entry.use === 'string' ? expectedRoot(entry.use, configDir) : undefined)
  const mine = pluginOf(own)
  return [
    ...CONFIG_FILES.map((path) => ({ path: at(path), what: 'a file of the config' })),
    ...['mcp.lock.json', 'mcp.servers.lock.json'].map((name) => ({ path: at(name), what: name })),
    { path: at('.patchbay'), what: 'the folder .patchbay of the host' },
    { path: at('node_modules'), what: 'the packages of the project' },
    { path: at(inbound.keysFile), what: 'the file of the API keys' },
    ...(accounts && accounts.store !== 'cache'
      ? [{ path: at(accountFolder(accounts.store)), what: 'the folder of the stored tokens' }]
      : []),
    ...(kind === 'sqlite' ? [{ path: at(file), what: 'the file of the cache' }] : []),
    ...entries.flatMap(({ http }) =>
      [http?.certFile, http?.keyFile].flatMap((one) =>
        one === undefined ? [] : [{ path: at(one), what: 'a certificate or its key' }],
      ),
    ),
    ...config.pluginDirs.map((path) => ({ path: at(path), what: 'a folder of pluginDirs', except: mine })),
    ...entries.flatMap((entry) => {
      const path = pluginOf(entry)
      return path === undefined || path === mine ? [] : [{ path, what: 'the folder of another plugin', except: mine }]
    }),
  ]
}

const CONFIG_FILES = [
  ...['ts', 'mts', 'js', 'mjs', 'json', 'yaml', 'yml'].map((extension) => `mcp.config.${extension}`),
  '.env',
  'package.json',
  'package-lock.json',
].map((name) => join('.', name))
