import { InvalidArgumentError } from 'commander'
import { suggest } from '../../config/schema/suggest.ts'
import { hostError } from '../../errors.ts'
import { hostAddress, hostCommand, isInCache } from '../../project/clients/host-command.ts'
import { CLIENT_NAMES, clientFile, installClient } from '../../project/clients/install-client.ts'
import { MCP_CLIENTS, type Entry, type McpClient } from '../../project/clients/mcp-clients.ts'
import { withServer } from '../../project/clients/server-table.ts'
import { openProject, type Project } from '../../project/open-project.ts'
import { EXIT, type CommonOptions } from '../terminal/exit.ts'
import { show } from '../terminal/install-lines.ts'
import { printJson, printLines } from '../terminal/print.ts'

/** What `patchbay install CLIENT` takes. */
export interface ClientOptions extends CommonOptions {
  readonly print?: boolean
  readonly http?: string | true
  readonly as?: string
  readonly project?: boolean
  readonly replace?: boolean
  readonly json?: boolean
}

/** `patchbay install CLIENT`: this project becomes a server of an MCP client. */
export async function installIntoClient(named: string, options: ClientOptions): Promise<number> {
  const client = Object.hasOwn(MCP_CLIENTS, named) ? MCP_CLIENTS[named] : undefined
  if (!client) throw new InvalidArgumentError(unknownClient(named))
  const project = await openProject(options)
  const entry = entryFor(client, project, options)
  const { as, replace = false, project: inProject = false } = options
  if (options.print) {
    const file = clientFile(project, { client, inProject })
    const name = as ?? 'patchbay'
    if (options.json) printJson({ client: named, file, name, entry })
    else printLines([(withServer('', client, name, entry) ?? '').trimEnd()])
    return EXIT.done
  }
  const installed = await installClient(project, { client, as, entry, replace, inProject, now: new Date() })
  if (options.json) printJson({ client: named, ...installed })
  else
    printLines(
      installed.isChanged
        ? [
            `Wrote "${installed.name}" into ${installed.file}`,
            ...(installed.backup === null ? [] : [`As it was before: ${installed.backup}`]),
            client.next,
          ]
        : [`${installed.file} has "${installed.name}" already. Nothing was changed`],
    )
  return EXIT.done
}

/** Throws for options that mean nothing without a client. */
export function refuseClientOptions({ print, http, as, project, replace }: ClientOptions): void {
  const [given] = Object.entries({ print, http, as, project, replace }).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  )
  if (given !== undefined) throw new InvalidArgumentError(`--${given} needs an MCP client: ${CLIENT_NAMES.join(', ')}`)
}

function entryFor(client: McpClient, project: Project, options: ClientOptions): Entry {
  const { http, deployment, envFile } = options
  if (http !== undefined) {
    if (!client.http) throw hostError('CLIENT_HTTP', { problem: `the file of ${client.title} takes no addresses` })
    return client.http(hostAddress(project.settings.config, http))
  }
  const started = hostCommand(project, { deployment, envFile })
  if (isInCache(started))
    show([
      `warning: ${started.args[0]} is in the cache of npx, which npm may clear. Install it in the project: npm install mcp-patchbay`,
    ])
  return client.stdio(started)
}

function unknownClient(named: string): string {
  const meant = suggest(named, CLIENT_NAMES)
  return `"${named}" is not a client that it knows: ${CLIENT_NAMES.join(', ')}.${meant === undefined ? '' : ` Did you mean ${meant}?`}`
}
