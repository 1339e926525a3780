import { relative } from 'node:path'
import { Command } from 'commander'
import { openProject } from '../../project/open-project.ts'
import { installServers } from '../../project/servers/install-servers.ts'
import { EXIT, type Run } from '../terminal/exit.ts'
import { printJson, printLines } from '../terminal/print.ts'
import { CLIENT_NAMES } from '../../project/clients/install-client.ts'
import { installIntoClient, refuseClientOptions, type ClientOptions } from './install-client-command.ts'

const HOW = {
  present: 'is installed',
  lock: 'installed as mcp.servers.lock.json has it',
  registry: 'installed, and added to mcp.servers.lock.json',
} as const

/** `patchbay install`: the trees of the npm servers that the config names; with a client, this project as a server of that client. */
export function installCommand(run: Run): Command {
  return new Command('install')
    .description(
      'installs the MCP servers from npm that the config names, each as mcp.servers.lock.json has it; with a client, makes this project a server of that client',
    )
    .argument('[client]', `the MCP client whose file is written: ${CLIENT_NAMES.join(', ')}`)
    .option('--print', 'of a client: print the entry and write nothing')
    .option('--http [url]', 'of a client: the address of a host that runs, in place of a command; default: listen.http')
    .option('--as <name>', 'of a client: the name of the entry; default: patchbay')
    .option('--project', 'of a client: its file in the folder of the config, in place of your own')
    .option('--replace', 'of a client: take the place of another server of that name')
    .option('--now', 'take a release that is younger than three days; what is in the lock is never too young')
    .option('--allow-native', 'take compiled code and packages with install scripts; the scripts are not run')
    .option('--json', 'as JSON')
    .action((client: string | undefined, options: ClientOptions & { now?: boolean; allowNative?: boolean }) =>
      run(async () => {
        if (client !== undefined) return installIntoClient(client, options)
        refuseClientOptions(options)
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
