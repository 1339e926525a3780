import type { EntryConfig } from '../config/schema/schema.ts'
import { hostError } from '../errors.ts'
import { emptyLock } from '../pin/lock/lock.ts'
import { readLock } from '../pin/lock/read-lock.ts'
import { writeLock } from '../pin/lock/write-lock.ts'
import { discoverEntries } from '../plugin/source/discover.ts'
import { nameFromSpecifier, specifierOf } from '../plugin/source/resolve-entry.ts'
import { changeProject, reopen } from './change.ts'
import { editPlugins } from './edit-config.ts'
import { inspectPlugin, type InspectedPlugin } from './inspect.ts'
import { choose, grantsFor, install, projectNpm, type Chosen, type Consent } from './npm-install.ts'
import type { Project } from './open-project.ts'
import { record } from './project-pins.ts'
import { needsConsent, type Risk } from './risks.ts'
import type { Spec } from './spec.ts'

/** What a person is shown before a plugin is added. */
export interface Addition {
  readonly chosen: Chosen
  readonly plugin: InspectedPlugin
  readonly risks: readonly Risk[]
  /** The entry that the config will have. */
  readonly entry: EntryConfig
}

export interface AddOptions {
  readonly spec: Spec
  readonly as?: string | undefined
  readonly consent: Consent
  readonly now: number
  /** Asks a person. No means that nothing happens. */
  readonly confirm: (addition: Addition) => Promise<boolean>
}

/**
 * Installs a plugin and writes it into config and lock, or leaves everything as it was: then it throws, or gives undefined where
 * `confirm` said no. Throws `INSTALL_…`, `CONFIG_…`, `LOCK_…`, and what importing the plugin throws.
 */
export async function addPlugin(project: Project, options: AddOptions): Promise<Addition | undefined> {
  const { spec, as, consent, now, confirm } = options
  return changeProject(project, async (transaction) => {
    const npm = projectNpm(project, (pid) => transaction.child(pid))
    const chosen = await choose(spec, { npm, project, consent, now })
    const { plugin, risks } = await install(
      chosen,
      { use: chosen.use, ...(as === undefined ? {} : { as }) },
      { npm, project, consent },
    )
    refuseTaken(project, plugin.name)
    const entry = entryFor(chosen, plugin, risks)
    const addition = { chosen, plugin, risks, entry }
    if (!(await confirm(addition))) return undefined
    await editPlugins(project, { kind: 'add', entry })
    await pin(project, plugin.name)
    return addition
  })
}

/** Records the plugin of this name as the config on disk has it now. */
export async function pin(project: Project, name: string): Promise<void> {
  const next = await reopen(project)
  const entries = next.settings.config.plugins.filter(({ as, use }) => typeof use === 'string' && (as ?? name) === name)
  for (const entry of entries) {
    const plugin = await inspectPlugin(entry, next)
    if (plugin.name !== name) continue
    const lock = (await readLock(next.lockFile)) ?? emptyLock
    await writeLock(next.lockFile, await record(next, lock, plugin))
  }
}

/** Names are taken once: a second plugin of the same name would be refused, and only when the host starts. */
export function refuseTaken(project: Project, name: string): void {
  for (const entry of discoverEntries(project.settings.config, project)) {
    const other = entry.as ?? nameFromSpecifier(specifierOf(entry))
    if (other === name) throw hostError('INSTALL_TAKEN', { name, use: specifierOf(entry) })
  }
}

function entryFor(
  { use, version }: Chosen,
  { name, install: { capabilities } }: InspectedPlugin,
  risks: readonly Risk[],
): EntryConfig {
  const grants = grantsFor(
    capabilities,
    risks.some(({ kind }) => kind === 'native'),
  )
  return { use, as: name, version, ...(grants ? { capabilities: grants } : {}) }
}

/** The grave risks first. */
export function byGravity(risks: readonly Risk[]): readonly Risk[] {
  return risks.toSorted((a, b) => Number(needsConsent(b)) - Number(needsConsent(a)))
}
