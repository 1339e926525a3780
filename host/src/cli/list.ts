import { styleText } from 'node:util'
import { Command } from 'commander'
import { openHost } from '../from-file.ts'
import { notAsPinned, type HostListing, type PluginListing } from '../server/catalog/operator/listing.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { printJson, printLines, table } from './terminal/print.ts'

/** `patchbay list`: the plugins, and with `--tools` what each has and why something is hidden. */
export function listCommand(run: Run): Command {
  return new Command('list')
    .description('plugins: name, version, source, isolation, state, reason, tools')
    .option('--tools', 'every tool, with the reason for a hidden one')
    .option('--check', 'exit 1 when a plugin failed, or is not what mcp.lock.json pins, or mcp.lock.json cannot be used')
    .option('--json', 'as JSON')
    .action((options: CommonOptions & { tools?: boolean; check?: boolean; json?: boolean }) =>
      run(async () => {
        await using host = await openHost({ ...options })
        const listing = host.list()
        if (options.json) printJson(listing)
        else
          printLines([
            ...(options.tools ? toolLines(listing) : pluginLines(listing)),
            ...lockLines(listing),
            ...warningLines(listing),
          ])
        return options.check && isWrong(listing) ? EXIT.failed : EXIT.done
      }),
    )
}

/** Whether something that the config names is not served as it should be. What waits for a credential is as its operator left it. */
function isWrong(listing: HostListing): boolean {
  const failed = listing.plugins.some(({ state, reloadError }) => state === 'failed' || reloadError !== null)
  return failed || listing.lockProblem !== null || listing.ignored.length > 0 || notAsPinned(listing).length > 0
}

function pluginLines({ plugins, ignored }: HostListing): readonly string[] {
  const others = ignored.flatMap(({ message, fix }) => ['', message, ...fix.map((step) => `  - ${step}`)])
  if (plugins.length === 0) return ['No plugins. Put one into a folder of pluginDirs, or add an entry to plugins.', ...others]
  const rows = plugins.map((plugin) => [
    plugin.name,
    plugin.version ?? '-',
    plugin.use,
    plugin.isolation === 'inline' ? 'inline (trusted)' : plugin.isolation,
    state(plugin),
    plugin.pinned,
    `${plugin.tools.filter(({ visible }) => visible).length}/${plugin.tools.length}`,
  ])
  const reasons = plugins.flatMap(({ name, reason }) =>
    reason ? ['', `${name}: ${reason.message}`, ...reason.fix.map((step) => `  - ${step}`)] : [],
  )
  const rights = plugins.flatMap(({ name, rights: own }) => (own.length > 0 ? ['', `${name} can use: ${own.join('; ')}`] : []))
  return [
    ...table(['PLUGIN', 'VERSION', 'SOURCE', 'ISOLATION', 'STATE', 'PINNED', 'TOOLS'], rows),
    ...rights,
    ...reasons,
    ...others,
  ]
}

/** Why nothing is compared with the lock, although there is one. */
function lockLines({ lockProblem }: HostListing): readonly string[] {
  if (!lockProblem) return []
  const { message, fix } = lockProblem
  return ['', `The lock is not used: ${message}`, ...fix.map((step) => `  - ${step}`)]
}

/** What the config probably does not mean, and for who wrote a plugin: what is left out of it, or dropped by some clients. */
function warningLines({ warnings, plugins }: HostListing): readonly string[] {
  const ofPlugins = plugins.flatMap((plugin) => plugin.warnings)
  return [
    ...warnings.flatMap((warning) => ['', `warning: ${warning}`]),
    ...ofPlugins.flatMap(({ name, problem, fix }) => ['', `warning: ${name}: ${problem}`, `  - ${fix}`]),
  ]
}

function toolLines({ plugins }: HostListing): readonly string[] {
  const rows = plugins.flatMap(({ tools }) =>
    tools.map(({ name, access, approval, visible, hiddenBy, listed, tokens }) => [
      name,
      approval ? `${access}, asks` : access,
      visible ? (listed ? 'visible' : 'by tools_search') : `hidden: ${hiddenBy}`,
      String(tokens),
    ]),
  )
  return table(['TOOL', 'ACCESS', 'SHOWN', '~TOKENS'], rows)
}

function state({ state: name, reloadError }: PluginListing): string {
  const colour = name === 'active' ? 'green' : name === 'failed' ? 'red' : 'yellow'
  return styleText(colour, reloadError ? `${name} (the newest edit failed)` : name, { stream: process.stdout })
}
