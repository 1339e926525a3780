import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { Argument, Command } from 'commander'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { HostCache } from '../cache/cache.ts'
import { openCache } from '../cache/open-cache.ts'
import { openRegistryCache, registryFile } from '../cache/registry-file.ts'
import type { StoreContents } from '../cache/stores/store.ts'
import { quietLog, readSettings } from '../from-file.ts'
import { createRedactor } from '../observability/redact.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { printJson, printLines, table } from './terminal/print.ts'

/** `patchbay cache stats`: what the store of the cache holds. `patchbay cache clear`: empties it, for every host that uses it. */
export function cacheCommand(run: Run): Command {
  return new Command('cache')
    .description('what the store of the cache holds, or empty it')
    .addArgument(new Argument('<what>', 'to do').choices(['stats', 'clear']))
    .option('--json', 'as JSON')
    .action((what: 'stats' | 'clear', options: CommonOptions & { json?: boolean }) =>
      run(async () => {
        const log = quietLog(createRedactor())
        const { config, file } = await readSettings(options, log)
        await using cache = openCache({ settings: config.cache, configDir: dirname(file), log })
        const before = await cache.inspect()
        if (what === 'clear') await cache.clear()
        const registry = cache.outlivesProcess ? undefined : await keptRegistry(dirname(file), { log, clear: what === 'clear' })
        if (options.json)
          printJson(what === 'clear' ? { store: nameOf(cache), removed: before.entries } : { store: nameOf(cache), ...before })
        else printLines([...linesOf(what, cache, before), ...(registry ? [registry] : [])])
        return EXIT.done
      }),
    )
}

function linesOf(what: 'stats' | 'clear', cache: HostCache, { entries, bytes, kinds }: StoreContents): readonly string[] {
  if (cache.stats.store === 'memory')
    return [
      'The cache is in the memory of each running host, where no other process can look: it is empty again after a restart.',
      'What it answers is in the metrics of the host, patchbay_cache_lookups_total. To keep it, set cache.store.',
    ]
  if (what === 'clear') return [`${nameOf(cache)}: removed ${entries} ${entries === 1 ? 'entry' : 'entries'}`]
  const rows = Object.entries(kinds)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([kind, count]) => [kind, String(count)])
  const size = bytes === undefined ? '' : `, ${(bytes / 1_048_576).toFixed(1)} MiB`
  return [
    `${nameOf(cache)}: ${entries} ${entries === 1 ? 'entry' : 'entries'}${size}`,
    ...(rows.length > 0 ? table(['KIND', 'ENTRIES'], rows) : []),
  ]
}

/** What a host keeps beside the config of its own accord: what its plugins offer, so that the next start lists before it imports. */
async function keptRegistry(configDir: string, { log, clear }: { log: Logger; clear: boolean }): Promise<string | undefined> {
  const file = registryFile(configDir)
  if (!existsSync(file)) return undefined
  await using kept = openRegistryCache({ configDir, log })
  if (!kept) return undefined
  const { entries } = await kept.inspect()
  if (clear) await kept.clear()
  return `${file}: ${clear ? 'forgot' : 'knows'} what ${entries} ${entries === 1 ? 'plugin offers' : 'plugins offer'}`
}

function nameOf(cache: HostCache): string {
  return cache.stats.store
}
