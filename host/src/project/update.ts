import type { EntryConfig } from '../config/schema/schema.ts'
import { isPackage } from '../config/schema/schema.ts'
import { hostError } from '../errors.ts'
import { emptyLock, lockedPlugin } from '../pin/lock/lock.ts'
import { readLock } from '../pin/lock/read-lock.ts'
import { pin } from './add.ts'
import { changeProject } from './change.ts'
import { editPlugins } from './edit-config.ts'
import { grantsFor, choose, dependencies, install, projectNpm, type Chosen, type Consent } from './npm-install.ts'
import type { Project } from './open-project.ts'
import { compareOne, type PluginChange } from './project-pins.ts'
import type { Risk } from './risks.ts'
import { parseSpec, type Spec } from './spec.ts'

/** What a person is shown before a plugin is updated. */
export interface Update {
  readonly chosen: Chosen
  /** Undefined: it is what the lock says already. */
  readonly change: PluginChange | undefined
  readonly risks: readonly Risk[]
}

export interface UpdateOptions {
  readonly name: string
  /** Another release, folder or tarball; default: the newest release. */
  readonly spec: Spec | undefined
  readonly consent: Consent
  readonly now: number
  readonly confirm: (update: Update) => Promise<boolean>
}

/** Installs another release of a plugin from npm, writes its version into the config and pins it, or leaves everything as it was. */
export async function updatePlugin(project: Project, options: UpdateOptions): Promise<Update | undefined> {
  const { name, consent, now, confirm } = options
  const { entry, index } = await findEntry(project, name)
  return changeProject(project, async (transaction) => {
    const npm = projectNpm(project, (pid) => transaction.child(pid))
    const spec = options.spec ?? parseSpec(await registryName(project, entry.use), project.configDir)
    const chosen = await choose(spec, { npm, project, consent, now, as: entry.use })
    const { plugin, risks } = await install(chosen, entry, { npm, project, consent })
    if (plugin.name !== name) throw hostError('INSTALL_TAKEN', { name: plugin.name, use: chosen.use })
    const lock = (await readLock(project.lockFile)) ?? emptyLock
    const update = { chosen, change: await compareOne(project, lock, plugin), risks }
    if (lockedPlugin(lock, project.deployment, name) && !update.change && entry.version === chosen.version) return update
    if (!(await confirm(update))) return undefined
    const grants = grantsFor(
      plugin.install.capabilities,
      risks.some(({ kind }) => kind === 'native'),
    )
    const next: EntryConfig = { ...entry, version: chosen.version, ...(grants ? { capabilities: grants } : {}) }
    await editPlugins(project, { kind: 'replace', index, entry: next })
    await pin(project, name)
    return update
  })
}

/** The entry of `plugins` under this name, as it is written. Throws `INSTALL_UNKNOWN`. */
export async function findEntry(
  project: Project,
  name: string,
): Promise<{ readonly entry: EntryConfig; readonly index: number }> {
  const written = (project.settings.given.plugins ?? []).map((entry) => (typeof entry === 'string' ? { use: entry } : entry))
  const names = await namesOf(project, written)
  const index = names.indexOf(name)
  const entry = written[index]
  if (!entry) throw hostError('INSTALL_UNKNOWN', { name, known: names })
  return { entry, index }
}

/** An entry without a name has its plugin's, which the lock knows. */
export async function namesOf(
  { lockFile, deployment }: Pick<Project, 'lockFile' | 'deployment'>,
  entries: readonly EntryConfig[],
): Promise<readonly string[]> {
  const lock = await readLock(lockFile)
  const locked = Object.entries(lock?.deployments[deployment]?.plugins ?? {})
  return entries.map(({ as, use }) => as ?? locked.find(([, plugin]) => plugin.use === use)?.[0] ?? use)
}

/** What a name in node_modules stands for in the registry. Throws `INSTALL_SPEC` for what did not come from one. */
export async function registryName({ configDir }: Pick<Project, 'configDir'>, use: string): Promise<string> {
  if (!isPackage(use)) throw hostError('INSTALL_SPEC', { spec: use, why: 'it is a path of this project, which needs no update' })
  const source = (await dependencies(configDir))[use] ?? ''
  if (source.startsWith('file:'))
    throw hostError('INSTALL_SPEC', { spec: use, why: `it was installed from ${source}; name the new one` })
  return /^npm:(@?[^@]+)/.exec(source)?.[1] ?? use
}
