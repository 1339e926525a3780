import { normalizeEntry, type EntryConfig } from '../../config/schema/schema.ts'
import { serverOf } from '../../config/schema/server/server-specifier.ts'
import { hostError } from '../../errors.ts'
import { emptyLock, lockedPlugin } from '../../pin/lock/lock.ts'
import { readLock } from '../../pin/lock/read-lock.ts'
import { resolveInstalledServer } from '../../plugin/mcp-server/install/installed-server.ts'
import { pin } from '../add.ts'
import { changeProject, reopen } from '../change.ts'
import { editPlugins } from '../edit-config.ts'
import { inspectPlugin } from '../inspect.ts'
import { acceptedRisks, projectNpm, settledRelease, type Consent } from '../npm-install.ts'
import type { Project } from '../open-project.ts'
import { compareOne, type PluginChange } from '../project-pins.ts'
import type { Risk } from '../risks.ts'
import { addTree, forgetTrees } from './install-servers.ts'
import { withRelease } from './add-server.ts'

/** What a person is shown before a server is updated. */
export interface ServerUpdate {
  readonly version: string
  /** Undefined: it is what the lock says already. */
  readonly change: PluginChange | undefined
  readonly risks: readonly Risk[]
  readonly warnings: readonly string[]
}

export interface UpdateServerOptions {
  readonly name: string
  readonly entry: EntryConfig
  readonly index: number
  /** `NAME@RANGE` of another release, with or without `mcp:npm:`; default: the newest. */
  readonly spec: string | undefined
  readonly consent: Consent
  readonly now: number
  readonly confirm: (update: ServerUpdate) => Promise<boolean>
}

/**
 * Installs another release of a server beside the one that runs, starts it once, and writes it into config and lock; or leaves
 * everything as it was. The tree of the release before stays: a host that runs it has not read all of it.
 */
export async function updateServer(project: Project, options: UpdateServerOptions): Promise<ServerUpdate | undefined> {
  const { name, entry, index, consent, now, confirm } = options
  const spec = wantedRelease(entry, options.spec)
  return changeProject(project, async (transaction) => {
    const npm = projectNpm(project, (pid) => transaction.child(pid))
    const { name: of, version, warnings } = await settledRelease(spec, { npm, consent, now })
    await addTree(project, { name: of, version }, transaction)
    const { tree } = await resolveInstalledServer({ name: of, version, root: project.configDir })
    const risks = await acceptedRisks(tree, of, consent)
    const next = withRelease(entry, version, risks)
    const plugin = await inspectPlugin(normalizeEntry(next), project)
    const lock = (await readLock(project.lockFile)) ?? emptyLock
    const update = { version, change: await compareOne(project, lock, plugin), risks, warnings }
    if (lockedPlugin(lock, project.deployment, name) && !update.change && entry.version === version) return update
    if (!(await confirm(update))) return undefined
    await editPlugins(project, { kind: 'replace', index, entry: next })
    await forgetTrees(await reopen(project))
    await pin(project, name)
    return update
  })
}

/** Throws `INSTALL_SPEC` for a server that has no releases, and for a release of another one. */
function wantedRelease({ use }: EntryConfig, text: string | undefined): string {
  const server = serverOf(use)
  const refuse = (why: string) => hostError('INSTALL_SPEC', { spec: text ?? use, why })
  if (server?.kind !== 'npm') throw refuse('only a server from npm has releases; edit the entry in the config')
  if (text === undefined) return `${server.name}@latest`
  const [, name, range = 'latest'] = /^(?:mcp:npm:)?(@?[^@]+)(?:@(.*))?$/s.exec(text) ?? []
  if (name !== server.name) throw refuse(`this server is ${server.name}`)
  if (!/^[\w.^~<>=|* +-]+$/.test(range)) throw refuse(`${JSON.stringify(range)} is no version, range or tag`)
  return `${name}@${range}`
}
