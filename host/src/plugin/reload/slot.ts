import { existsSync } from 'node:fs'
import { sep } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { PluginEntry } from '../../config/schema/schema.ts'
import type { Activation } from '../activation.ts'
import { isInPackages } from '../../modules/source.ts'
import { digestOf, isAnother } from '../../modules/reading/source-digest.ts'
import { isSurrounding } from '../source/surroundings.ts'
import { reasonOf } from '../run/reason.ts'
import { specifierOf } from '../source/resolve-entry.ts'
import { connectionVariables, variablesOfConfig } from '../settings/environment-readers.ts'
import { tenantPrefix } from '../settings/tenant-config.ts'

/** One entry of the config over time: what serves, and what is being built to replace it. */
export interface Slot {
  entry: PluginEntry
  /** What is published; undefined before the first attempt is done. */
  current: Activation | undefined
  /** The generation that `current` was published with. */
  generation: number
  /** The newest attempt, also when it failed: a change of one of its files is reason to try again. */
  newest: Activation | undefined
  building: Build | undefined
}

/** One attempt to build the next version. */
export interface Build {
  readonly controller: AbortController
  readonly startedAt: number
  /** Nothing but files changed, so the version that serves is still what its operator wants. */
  readonly isEdit: boolean
  /** Never rejects: a failure is a result. */
  readonly done: Promise<void>
  result: Activation | undefined
}

export function createSlot(entry: PluginEntry): Slot {
  return { entry, current: undefined, generation: 0, newest: undefined, building: undefined }
}

/** What makes an entry the same one in two configs: its name, or its specifier; the second with the same gets a number. */
export function slotKeys(entries: readonly PluginEntry[]): readonly string[] {
  const seen = new Map<string, number>()
  return entries.map((entry) => {
    const key = entry.as ?? specifierOf(entry)
    const count = (seen.get(key) ?? 0) + 1
    seen.set(key, count)
    return count === 1 ? key : `${key}#${count}`
  })
}

/** Whether both entries say the same. Every reading of a config makes new objects; keeping the old one keeps what was made for it. */
export function sameEntry(a: PluginEntry, b: PluginEntry): boolean {
  return a === b || (a.use === b.use && isDeepStrictEqual({ ...a, use: '' }, { ...b, use: '' }))
}

/** Whether both entries run the same version in the same way. Filters and overrides do not count: they are the snapshot's. */
export function sameVersion(a: PluginEntry, b: PluginEntry): boolean {
  if (a === b) return true
  const essence = (entry: PluginEntry) => JSON.stringify(SETTINGS.map((key) => entry[key]))
  return a.use === b.use && essence(a) === essence(b)
}

/** What a version is built with. */
const SETTINGS = [
  'as',
  'version',
  'integrity',
  'config',
  'isolation',
  'idleMs',
  'watch',
  'capabilities',
  'http',
  'readOnly',
  'allowRequestCredentials',
  'serverCredentials',
  'exchange',
  'command',
  'args',
  'env',
  'share',
  'maxProcesses',
  'roots',
  'oauth',
] as const satisfies readonly (keyof PluginEntry)[]

/**
 * Whether one of these files holds something else than what the newest attempt read: contents decide, not events. For an attempt that
 * failed, any other file in its folder may be what it misses; for any, a file that is new beside its own, or that `watch` names.
 */
export function isTouched({ newest }: Slot, files: ReadonlySet<string>): boolean {
  if (!newest) return false
  const { digests, root, record, surroundings } = newest
  const isOpen = (path: string) =>
    record.state === 'failed' && root !== undefined && (path === root || path.startsWith(`${root}${sep}`))
  return [...files].some((path) => {
    const read = digests.get(path)
    return read === undefined ? isOpen(path) || isSurrounding(path, surroundings) : read !== digestOf(path)
  })
}

/** Whether a file that holds a value of its config holds another now: a secret that was rotated. */
export function hasOtherConfigFiles({ newest }: Slot): boolean {
  return [...(newest?.configFiles ?? [])].some(([file, digest]) => isAnother(file, digest))
}

/** Whether a plugin reads one of these environment variables. One whose config is not known may read any. */
export function readsVariable({ newest }: Slot, variables: ReadonlySet<string>): boolean {
  if (variables.size === 0 || !newest) return false
  const { surface, instance, tenants = [], refusedFor } = newest.record
  if (!surface) return true
  const prefixes = [instance, ...new Set([...tenants, ...(refusedFor?.keys() ?? [])])].map((tenant, index) =>
    index === 0 || tenant === '' ? instance : tenantPrefix(tenant, instance),
  )
  const named = newest.record.entry.exchange?.clientSecretVariable
  if (named !== undefined && (variables.has(named) || variables.has(`${named}_FILE`))) return true
  return prefixes
    .flatMap((prefix) => [...variablesOfConfig(prefix, surface), ...connectionVariables(prefix, surface)])
    .some((variable) => variables.has(variable))
}

/** Whether its newest version was built from files that are others on the disk now. */
export function isOutdated(slot: Slot): boolean {
  const { building, newest } = slot
  if (building || newest === undefined || hasGone(newest)) return false
  return ownFiles(newest).some(([file, digest]) => isAnother(file, digest)) || hasOtherConfigFiles(slot)
}

/** What people edit, without the packages that it brings: to read thousands of files again would take longer than the reload. */
function ownFiles({ digests, root = '' }: Activation): readonly (readonly [file: string, digest: string])[] {
  return [...digests].filter(([file]) => !isInPackages(file.startsWith(root) ? file.slice(root.length) : file))
}

/** A plugin that went as a whole is the watcher's to tell: it may be removed, or away for a while. */
function hasGone({ root }: Activation): boolean {
  return root !== undefined && !existsSync(root)
}

/** Puts a failed version in the place of the one whose plugin has given up; gives the one that was there, and why it did. */
export function retire(slot: Slot): { readonly activation: Activation; readonly error: Error } | undefined {
  const { current } = slot
  const error = current?.record.live?.running.failure
  if (!current || !error) return undefined
  slot.current = failedActivation(current, error)
  if (slot.newest === current) slot.newest = slot.current
  return { activation: current, error }
}

/** What is left of a version that serves no call any more. */
function failedActivation({ record, digests, configFiles, root, surroundings }: Activation, error: Error): Activation {
  const { instance, entry, version } = record
  return {
    record: { instance, entry, state: 'failed', reason: reasonOf(error), ...(version === undefined ? {} : { version }) },
    digests: new Map(digests),
    configFiles,
    root,
    surroundings,
    error,
    traces: [],
    release() {},
  }
}
