import { InvalidArgumentError, type Command } from 'commander'
import type { EntryConfig } from '../../config/schema/schema.ts'
import { normalizeEntry } from '../../config/schema/schema.ts'
import { serverRights } from '../../plugin/mcp-server/server-rights.ts'
import type { Project } from '../../project/open-project.ts'
import { addServer, parseServerSpec } from '../../project/servers/add-server.ts'
import { updateServer } from '../../project/servers/update-server.ts'
import { confirm } from '../terminal/confirm.ts'
import { EXIT } from '../terminal/exit.ts'
import { consentOf, indented, riskLines, show, unchanged, warningLines, type InstallOptions } from '../terminal/install-lines.ts'
import { changeJson, changeLines, pluginJson, pluginLines } from '../terminal/pin-lines.ts'
import { printJson, printLines } from '../terminal/print.ts'

/** What `patchbay add` takes for MCP servers only. */
export interface ServerOptions {
  readonly as?: string
  readonly env?: readonly string[]
  readonly read?: readonly string[]
  readonly write?: readonly string[]
  readonly host?: readonly string[]
  readonly share?: string
}

/** The options of {@link ServerOptions}, but the name. */
export function withServerOptions(command: Command): Command {
  return command
    .option('--env <name[=value]>', 'a variable that an MCP server gets; without a value it is a secret of .env', collect)
    .option('--read <path>', 'a file or folder that an MCP server from npm may read', collect)
    .option('--write <path>', 'one that it may write', collect)
    .option('--host <origin>', 'lets it use the network: an origin, or public', collect)
    .option('--share <who>', 'all, caller or session: who shares one process of an MCP server')
}

/** For an option that may be given several times. */
function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** Throws for options that apply to MCP servers only. */
export function refuseServerOptions(words: readonly string[], { env, read, write, host, share }: ServerOptions): void {
  const given = Object.entries({ env, read, write, host, share }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`],
  )
  const [first] = words.length > 0 ? [JSON.stringify(words[0])] : given
  if (first !== undefined)
    throw new InvalidArgumentError(`${first} is for MCP servers: add mcp:npm:NAME, mcp:exec or mcp:https://…`)
}

/** `patchbay add mcp:…` */
export async function addServerEntry(
  project: Project,
  text: string,
  words: readonly string[],
  options: InstallOptions & ServerOptions,
): Promise<number> {
  const spec = parseServerSpec(text, { words, as: options.as, more: grantedBy(options) })
  const added = await addServer(project, spec, {
    consent: consentOf(options),
    now: Date.now(),
    confirm({ entry, plugin, risks, warnings }) {
      if (!options.json)
        show([
          ...warningLines(warnings),
          plugin.name,
          ...indented([...pluginLines(plugin), ...rightLines(entry)]),
          ...plugin.surface.leftOut.map(
            ({ kind, name, faults }) => `  ! ${kind} ${name} is left out: ${faults[0]?.problem ?? ''}`,
          ),
          ...riskLines(risks),
        ])
      return confirm(`Add it as "${plugin.name}"?`, options.yes ?? false)
    },
  })
  if (!added) return unchanged()
  const { plugin, entry, risks, warnings } = added
  if (options.json) printJson({ deployment: project.deployment, entry, plugin: pluginJson(plugin), risks, warnings })
  else printLines([`Added ${plugin.name} (${entry.use}) to ${project.settings.file} and ${project.lockFile}`])
  return EXIT.done
}

/** `patchbay update NAME` of an MCP server. */
export async function updateServerEntry(
  project: Project,
  found: { readonly name: string; readonly entry: EntryConfig; readonly index: number; readonly spec: string | undefined },
  options: InstallOptions,
): Promise<number> {
  const { name } = found
  const update = await updateServer(project, {
    ...found,
    consent: consentOf(options),
    now: Date.now(),
    confirm({ version, change, risks, warnings }) {
      if (!options.json) show([...warningLines(warnings), ...changeLines(change ? [change] : []), ...riskLines(risks)])
      return confirm(`Update "${name}" to ${version}?`, options.yes ?? false)
    },
  })
  if (!update) return unchanged()
  const { version, change, risks, warnings } = update
  if (options.json)
    printJson({ deployment: project.deployment, name, version, change: change ? changeJson(change) : null, risks, warnings })
  else printLines([change ? `Updated ${name} to ${version}` : `${name} is at ${version} already`])
  return EXIT.done
}

function rightLines(entry: EntryConfig): readonly string[] {
  const rights = serverRights(normalizeEntry(entry))
  if (entry.use.startsWith('mcp:http')) return []
  return rights.length > 0 ? [`can use: ${rights.join('; ')}`] : ['can use: its own folder, and nothing else']
}

function grantedBy({
  env = [],
  read = [],
  write = [],
  host = [],
  share,
}: ServerOptions): Omit<Partial<EntryConfig>, 'use' | 'as'> {
  const variables = env.map((text): [string, string | { secret: true }] => {
    const at = text.indexOf('=')
    return at < 0 ? [text, { secret: true }] : [text.slice(0, at), text.slice(at + 1)]
  })
  const fs = { ...(read.length > 0 && { read }), ...(write.length > 0 && { write }) }
  const capabilities = { ...(host.length > 0 && { hosts: host }), ...(Object.keys(fs).length > 0 && { fs }) }
  if (share !== undefined && share !== 'all' && share !== 'caller' && share !== 'session')
    throw new InvalidArgumentError('--share is all, caller or session')
  return {
    ...(variables.length > 0 && { env: Object.fromEntries(variables) }),
    ...(Object.keys(capabilities).length > 0 && { capabilities }),
    ...(share !== undefined && { share }),
  }
}
