import { normalizeEntry, type EntryConfig } from '../../config/schema/schema.ts'
import { ruleFaults } from '../../config/schema/rules.ts'
import { parseServerSpecifier, serverInstance } from '../../config/schema/server/server-specifier.ts'
import { hostError } from '../../errors.ts'
import { resolveInstalledServer } from '../../plugin/mcp-server/install/installed-server.ts'
import { pin, refuseTaken } from '../add.ts'
import { changeProject, reopen } from '../change.ts'
import { editPlugins } from '../edit-config.ts'
import { inspectPlugin, type InspectedPlugin } from '../inspect.ts'
import { acceptedRisks, projectNpm, settledRelease, type Consent } from '../npm-install.ts'
import type { Project } from '../open-project.ts'
import type { Risk } from '../risks.ts'
import { addTree } from './install-servers.ts'

/** An MCP server that is to be added: what its entry will hold, without a version. */
export interface ServerSpec {
  readonly entry: EntryConfig & { readonly as: string }
  /** Of one from npm. */
  readonly release: { readonly name: string; readonly range: string } | undefined
}

/** What a person is shown before a server is added. It was started once, with no more than the entry grants. */
export interface ServerAddition {
  readonly entry: EntryConfig
  readonly plugin: InspectedPlugin
  readonly risks: readonly Risk[]
  readonly warnings: readonly string[]
}

export interface AddServerOptions {
  readonly consent: Consent
  readonly now: number
  readonly confirm: (addition: ServerAddition) => Promise<boolean>
}

/**
 * Reads `mcp:npm:NAME[@RANGE]`, `mcp:exec` or `mcp:https://…`, with the words behind `--`: the command of `mcp:exec`, the arguments of a
 * server from npm. Throws `INSTALL_SPEC`.
 */
export function parseServerSpec(
  text: string,
  {
    words,
    as,
    more,
  }: {
    readonly words: readonly string[]
    readonly as: string | undefined
    readonly more: Omit<Partial<EntryConfig>, 'use' | 'as'>
  },
): ServerSpec {
  const refuse = (why: string) => hostError('INSTALL_SPEC', { spec: text, why })
  const [, name, range] = /^mcp:npm:(@?[^@]+)(?:@(.*))?$/s.exec(text) ?? []
  const use = name === undefined ? text : `mcp:npm:${name}`
  const server = parseServerSpecifier(use)
  if (server?.kind === 'problem') throw refuse(`it ${server.problem}`)
  if (!server) throw refuse('it is no MCP server')
  if (range !== undefined && !/^[\w.^~<>=|* +-]+$/.test(range))
    throw refuse(`${JSON.stringify(range)} is no version, range or tag`)
  if (server.kind === 'command' && words.length === 0) throw refuse('the command is missing: mcp:exec -- COMMAND ARGS')
  if (server.kind === 'remote' && words.length > 0) throw refuse('a server at an address takes no arguments')
  const instance = as ?? serverInstance(use)
  if (instance === undefined || instance === '') throw refuse('it needs a name: --as NAME')
  const [program = '', ...rest] = words
  const own =
    server.kind === 'command'
      ? { command: [program], ...(rest.length > 0 && { args: rest }) }
      : { ...(words.length > 0 && { args: words }) }
  return {
    entry: { use, as: instance, ...own, ...more },
    release: server.kind === 'npm' ? { name: server.name, range: range ?? 'latest' } : undefined,
  }
}

/**
 * Installs a server, starts it once as confined as its entry says, and writes it into config and lock; or leaves everything as it was:
 * then it throws, or gives undefined where `confirm` said no. Throws `INSTALL_…`, `CONFIG_…`, and what starting the server throws.
 */
export async function addServer(
  project: Project,
  { entry: wanted, release }: ServerSpec,
  { consent, now, confirm }: AddServerOptions,
): Promise<ServerAddition | undefined> {
  refuseTaken(project, wanted.as)
  return changeProject(project, async (transaction) => {
    const { name = '', range = '' } = release ?? {}
    const npm = projectNpm(project, (pid) => transaction.child(pid))
    const chosen = release && (await settledRelease(`${name}@${range}`, { npm, consent, now }))
    let entry: EntryConfig = wanted
    let risks: readonly Risk[] = []
    if (chosen) {
      await addTree(project, chosen, transaction)
      const { tree } = await resolveInstalledServer({ ...chosen, root: project.configDir })
      risks = await acceptedRisks(tree, chosen.name, consent)
      entry = withRelease(wanted, chosen.version, risks)
    }
    refuseFaults(project, entry)
    const plugin = await inspectPlugin(normalizeEntry(entry), project)
    const addition = { entry, plugin, risks, warnings: chosen?.warnings ?? [] }
    if (!(await confirm(addition))) return undefined
    await editPlugins(project, { kind: 'add', entry })
    await reopen(project)
    await pin(project, plugin.name)
    return addition
  })
}

/** The entry in this version; with the right to load the compiled code that was consented to. */
export function withRelease(entry: EntryConfig, version: string, risks: readonly Risk[]): EntryConfig {
  const { use, version: _before, ...rest } = entry
  const native = risks.some(({ kind }) => kind === 'native')
  return { use, version, ...rest, ...(native && { capabilities: { ...rest.capabilities, native } }) }
}

/** What the config would be refused for, before anything runs. Throws `INSTALL_SPEC`. */
function refuseFaults({ settings: { config } }: Project, entry: EntryConfig): void {
  const [fault] = ruleFaults({ ...config, plugins: [normalizeEntry(entry)] }).filter(({ path }) => path[0] === 'plugins')
  if (fault) throw hostError('INSTALL_SPEC', { spec: entry.use, why: `${fault.path.slice(2).join('.')} ${fault.problem}` })
}
