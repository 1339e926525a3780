import { relative } from 'node:path'
import { Command } from 'commander'
import { openProject } from '../../project/open-project.ts'
import { installServers } from '../../project/servers/install-servers.ts'
import { EXIT, type CommonOptions, type Run } from '../terminal/exit.ts'
import { printJson, printLines } from '../terminal/print.ts'

const HOW = {
  present: 'is installed',
  lock: 'installed as mcp.servers.lock.json has it',
  registry: 'installed, and added to mcp.servers.lock.json',
} as const

/** `patchbay install`: the trees of the npm servers that the config names. */
export function installCommand(run: Run): Command {
  return new Command('install')
    .description('installs the MCP servers from npm that the config names, each as mcp.servers.lock.json has it')
    .option('--now', 'take a release that is younger than three days; what is in the lock is never too young')
    .option('--allow-native', 'take compiled code and packages with install scripts; the scripts are not run')
    .option('--json', 'as JSON')
    .action((options: CommonOptions & { now?: boolean; allowNative?: boolean; json?: boolean }) =>
      run(async () => {
        const { now = false, allowNative = false } = options
        const project = await openProject(options)
        const servers = await installServers(project, { consent: { now, allowNative }, now: Date.now() })
        if (options.json) printJson({ deployment: project.deployment, servers })
        else if (servers.length === 0) printLines(['The config names no MCP server from npm'])
        else
          printLines(
            servers.map(({ name, version, folder, by }) => `${name} ${version} ${HOW[by]}: ${relative(process.cwd(), folder)}`),
          )
        return EXIT.done
      }),
    )
}
