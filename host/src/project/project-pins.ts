import { hostError } from '../errors.ts'
import { approveTool, lockEntry } from '../pin/verdict/approve.ts'
import { forgetApproved, keepApproved, readApproved, type ApprovedPlace } from '../pin/verdict/approved.ts'
import { compareLock, type Difference } from '../pin/difference/compare.ts'
import { emptyLock, lockedPlugin, withPlugin, type Lock, type LockedPlugin } from '../pin/lock/lock.ts'
import { readLock } from '../pin/lock/read-lock.ts'
import { writeLock } from '../pin/lock/write-lock.ts'
import { descriptorsOf } from '../plugin/trust/observe.ts'
import { detailsOf } from '../plugin/trust/pin-policy.ts'
import { changeDigest } from './change-digest.ts'
import { inspectProject, type InspectedPlugin, type Inspection } from './inspect.ts'
import type { Project } from './open-project.ts'

/** What is different of one plugin between the lock and what is on disk. */
export interface PluginChange {
  readonly name: string
  /** `added`: the lock has nothing of it. `removed`: the config does not have it any more. */
  readonly change: 'added' | 'changed' | 'removed'
  /** Of a changed one. */
  readonly differences: readonly Difference[]
  /** Of one that is there. */
  readonly plugin?: InspectedPlugin
}

/** The lock of a deployment against what is on disk. */
export interface Comparison {
  readonly changes: readonly PluginChange[]
  readonly failed: Inspection['failed']
  readonly plugins: readonly InspectedPlugin[]
  readonly lock: Lock
}

/** Compares every plugin of the deployment with the lock. Throws `CONFIG_…` and `LOCK_…`. */
export async function comparePins(project: Project): Promise<Comparison> {
  const lock = (await readLock(project.lockFile)) ?? emptyLock
  const { plugins, failed } = await inspectProject(project)
  const changes = await Promise.all(plugins.map((plugin) => compareOne(project, lock, plugin)))
  const known = new Set(plugins.map(({ name }) => name))
  const removed = failed.length > 0 ? [] : lockedNames(lock, project.deployment).filter((name) => !known.has(name))
  return {
    changes: [
      ...changes.flatMap((change) => change ?? []),
      ...removed.map((name): PluginChange => ({ name, change: 'removed', differences: [] })),
    ],
    failed,
    plugins,
    lock,
  }
}

/** Records every plugin as it is on disk now. Throws `PIN_INCOMPLETE` when one of them cannot be looked at; then nothing is written. */
export async function lockAll(project: Project): Promise<Comparison> {
  const comparison = await comparePins(project)
  if (comparison.failed.length > 0)
    throw hostError('PIN_INCOMPLETE', { file: project.lockFile, config: project.settings.file, failed: comparison.failed })
  let { lock } = comparison
  for (const { name, change, plugin } of comparison.changes) {
    if (change === 'removed') lock = withPlugin(lock, project.deployment, name, undefined)
    else if (plugin) lock = await record(project, lock, plugin)
  }
  const isEmpty = lockedNames(lock, project.deployment).length === 0 && comparison.lock === emptyLock
  if (comparison.changes.length > 0 || isEmpty) await writeLock(project.lockFile, lock)
  for (const { name, change } of comparison.changes) if (change === 'removed') await forgetApproved(placeOf(project, name))
  return comparison
}

/**
 * Records one plugin as it is on disk now, or with `NAME.TOOL` one tool of it. Gives what that approved. With `seen`, the digest of the
 * difference that a person read, only if that is still the difference. Throws `PIN_UNKNOWN`, `PIN_NOT_SEEN`, and `PIN_INCOMPLETE` for a
 * plugin that cannot be inspected.
 */
export async function approve(project: Project, target: string, seen?: string): Promise<PluginChange | undefined> {
  const [name = '', tool] = target.split('.', 2)
  const { changes, plugins, lock, failed } = await comparePins(project)
  const plugin = plugins.find((candidate) => candidate.name === name)
  const broken = failed.filter((failure) => failure.plugin === name)
  if (!plugin && broken.length > 0)
    throw hostError('PIN_INCOMPLETE', { file: project.lockFile, config: project.settings.file, failed: broken })
  if (!plugin) throw hostError('PIN_UNKNOWN', { name, known: plugins.map((candidate) => candidate.name) })
  const now = changeDigest(plugin)
  if (seen !== undefined && seen !== now) throw hostError('PIN_NOT_SEEN', { name, seen, now })
  const change = changes.find((candidate) => candidate.name === name)
  if (tool !== undefined) return approveOne(project, { lock, plugin, tool, change })
  if (change) await writeLock(project.lockFile, await record(project, lock, plugin))
  return change
}

interface ToolApproval {
  readonly lock: Lock
  readonly plugin: InspectedPlugin
  readonly tool: string
  readonly change: PluginChange | undefined
}

async function approveOne(project: Project, { lock, plugin, tool, change }: ToolApproval): Promise<PluginChange | undefined> {
  const { name, observed, surface } = plugin
  const locked = lockedPlugin(lock, project.deployment, name)
  // A tool alone pins no code: the plugin has to be approved once, whole.
  if (!locked) throw hostError('PIN_NOT_LOCKED', { plugin: name })
  const known = Object.keys({ ...locked.tools, ...observed.tools })
  if (!known.includes(tool))
    throw hostError('PIN_UNKNOWN', { name: `${name}.${tool}`, known: known.map((own) => `${name}.${own}`) })
  const differences = (change?.differences ?? []).filter((difference) => 'tool' in difference && difference.tool === tool)
  if (differences.length === 0) return undefined
  const approved = approveTool(locked, observed, tool)
  const before = await readApproved(placeOf(project, name), locked)
  await keepApproved(placeOf(project, name), { ...before, tools: { ...before.tools, ...pick(descriptorsOf(surface), tool) } })
  await writeLock(project.lockFile, withPlugin(lock, project.deployment, name, approved))
  return { name, change: 'changed', differences, plugin }
}

/** The lock with `plugin` pinned as it is; its text is kept beside it, for the next diff. */
export async function record(project: Project, lock: Lock, plugin: InspectedPlugin): Promise<Lock> {
  const { name, install, observed, surface, tree } = plugin
  await keepApproved(placeOf(project, name), { tree, tools: descriptorsOf(surface) })
  return withPlugin(lock, project.deployment, name, lockEntry(install, observed))
}

/** One plugin against the lock; undefined when nothing differs. */
export async function compareOne(project: Project, lock: Lock, plugin: InspectedPlugin): Promise<PluginChange | undefined> {
  const { name } = plugin
  const locked = lockedPlugin(lock, project.deployment, name)
  if (!locked) return { name, change: 'added', differences: [], plugin }
  const differences = await differencesOf(project, locked, plugin)
  return differences.length === 0 ? undefined : { name, change: 'changed', differences, plugin }
}

async function differencesOf(
  project: Project,
  locked: LockedPlugin,
  { name, install, observed, surface, tree }: InspectedPlugin,
): Promise<readonly Difference[]> {
  const before = await readApproved(placeOf(project, name), locked)
  return compareLock(locked, install, observed, detailsOf(before, tree, surface))
}

function placeOf({ configDir, deployment }: Project, name: string): ApprovedPlace {
  return { configDir, deployment, name }
}

function lockedNames(lock: Lock, deployment: string): readonly string[] {
  return Object.hasOwn(lock.deployments, deployment) ? Object.keys(lock.deployments[deployment]?.plugins ?? {}) : []
}

function pick<Value>(values: Readonly<Record<string, Value>>, key: string): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name === key))
}
