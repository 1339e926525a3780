import { servesDescription } from '../../config/plugin/openapi-entry.ts'
import type { PluginEntry } from '../../config/schema/schema.ts'
import { hostError, type HostError } from '../../errors.ts'
import { readApproved, type ApprovedDetails } from '../../pin/verdict/approved.ts'
import type { Details, ObservedInstall } from '../../pin/difference/compare.ts'
import { lockedPlugin, type Lock, type LockedDocument, type LockedPlugin } from '../../pin/lock/lock.ts'
import { filesByLocation, type Tree } from '../../pin/tree/tree.ts'
import { judgePlugin, type Accepted, type Question, type Refused } from '../../pin/verdict/verdict.ts'
import type { ApprovedFiles } from './approved-files.ts'
import {
  descriptorsOf,
  grantedCapabilities,
  joinCapabilities,
  observePlugin,
  observeSurface,
  pinSource,
  withDeclared,
  withServerName,
  type ObservedIn,
  type ObservedPlugin,
} from './observe.ts'
import { observeDocument } from './observe-document.ts'
import { specifierOf, type ResolvedPlugin } from '../source/resolve-entry.ts'
import type { PluginSurface } from '../source/describe-surface.ts'

/** What a deployment pins, and how strictly. */
export interface PinPolicy {
  readonly lock: Lock | undefined
  readonly deployment: string
  readonly frozen: boolean
  readonly approved: ApprovedFiles
}

/** What the lock says of a plugin that may run. */
export interface PinResult {
  readonly pinned: 'pinned' | 'unpinned' | 'changed'
  /** The digest of every byte; undefined where they were not read. */
  readonly tree?: string
  /** Tools by their own names. */
  readonly quarantined: ReadonlySet<string>
  /** Its resources, templates and prompts. */
  readonly othersQuarantined: boolean
  /** Each is worth a line in the log; the first is the reason to show. */
  readonly warnings: readonly HostError[]
}

/** One version of a plugin on its way past the lock. Disposed when that version is. */
export interface PinCheck extends Disposable {
  /** Why its code must not run although nothing refuses it: it is from npm and is not what was approved. */
  readonly held: HostError | undefined
  /** In a frozen deployment the SHA-256 of each file that may run, by where it lies. */
  readonly approved?: ReadonlyMap<string, string>
  /** Judges what was imported: `digests` is what was read for it. Throws `PIN_…` and `CAPABILITY_INVALID`. */
  judge(imported: Imported): Promise<PinResult>
  /** Throws `PIN_DOCUMENT` for a description of an API that a frozen deployment does not pin, before the plugin reads it. */
  requireDescription(instance: string, config: Readonly<Record<string, unknown>>): void
}

interface Imported {
  readonly instance: string
  readonly surface: PluginSurface
  readonly digests: ReadonlyMap<string, string>
  /** What it runs with, where its tools depend on that. */
  readonly config?: Readonly<Record<string, unknown>> | undefined
  /** What a server elsewhere calls itself. */
  readonly serverName?: string | undefined
}

/**
 * Compares what is installed with the lock, before any of it runs. Throws `PIN_…` for what the deployment refuses. Where nothing is
 * frozen, the files of a plugin from a path are not read: a developer who edits them should not wait for that.
 */
export async function checkPin(
  entry: PluginEntry,
  resolved: ResolvedPlugin,
  { policy, within }: { policy: PinPolicy; within: ObservedIn },
): Promise<PinCheck> {
  const { frozen } = policy
  // The plugin of descriptions is a package, linked or not; what is edited is the description.
  const isEdited = pinSource(resolved) === 'path' && !servesDescription(entry)
  if (!frozen && isEdited && entry.integrity === undefined) return uncheckedPin(entry, within)
  return checkObserved(entry, await observePlugin(entry, resolved, within), { policy, within })
}

/** The same for what was looked at already, whatever it is. */
export async function checkObserved(
  entry: PluginEntry,
  { install, tree }: ObservedPlugin,
  { policy, within }: { policy: PinPolicy; within: ObservedIn },
): Promise<PinCheck> {
  const { frozen, lock, deployment, approved } = policy
  checkConfigured(entry, install, within.label)
  refuseNative({ entry, install, tree }, within.label)
  const held = await judgeInstall({ entry, install, tree }, policy, within)
  // What Node holds in this process is no matter for another one.
  const end = frozen && entry.isolation === 'inline' ? approved.approve(tree) : () => {}
  return {
    held,
    ...(frozen ? { approved: new Map([...filesByLocation(tree)].map(([file, { sha256 }]) => [file, sha256])) } : {}),
    async judge({ instance, surface, digests, config = {}, serverName }) {
      if (frozen) compareRead(tree, digests)
      const locked = lockedPlugin(lock, deployment, instance)
      const capabilities = await withDeclared(install.capabilities, surface, within)
      const question = {
        name: instance,
        locked,
        install: {
          ...withServerName(install, serverName),
          capabilities,
          ...documentIn(observeDocument(entry, config, within.configDir)),
        },
        surface: observeSurface(surface),
        frozen,
      }
      const verdict = await judgeInDetail(question, async () =>
        detailsOf(await detailsFor(instance, locked, policy, within), tree, surface),
      )
      if (verdict.plugin === 'refused') throw verdict.error
      return { ...resultOf(verdict, locked), tree: tree.digest }
    },
    requireDescription(instance, config) {
      const locked = lockedPlugin(lock, deployment, instance)
      if (!frozen || !locked) return
      const document = observeDocument(entry, config, within.configDir)
      // All else of it was judged.
      const capabilities = joinCapabilities(install.capabilities, locked.capabilities)
      const observed = { ...install, capabilities, ...documentIn(document) }
      const verdict = judgePlugin({ name: instance, locked, install: observed, frozen })
      if (verdict.plugin === 'refused') throw verdict.error
    },
    [Symbol.dispose]: end,
  }
}

/** The check of a plugin that an embedder hands over as an object: there are no bytes to compare. */
export const objectPin: PinCheck = Object.freeze({
  held: undefined,
  judge: async () => unpinned,
  requireDescription() {},
  [Symbol.dispose]() {},
})

const unpinned: PinResult = Object.freeze({
  pinned: 'unpinned',
  quarantined: new Set<string>(),
  othersQuarantined: false,
  warnings: [],
})

function uncheckedPin(entry: PluginEntry, within: ObservedIn): PinCheck {
  return {
    ...objectPin,
    async judge({ surface }) {
      await withDeclared(await grantedCapabilities(entry, within), surface, within)
      return unpinned
    },
  }
}

/** The pin in the config itself. */
function checkConfigured({ integrity: wanted }: PluginEntry, { use, integrity }: ObservedInstall, plugin: string): void {
  if (wanted !== undefined && !integrity?.split(' ').includes(wanted))
    throw hostError('PLUGIN_INTEGRITY', { plugin, use, wanted, found: integrity ?? 'none that npm recorded' })
}

/** Compiled code of others runs outside of everything that contains a plugin: the operator must allow it by name. */
function refuseNative({ install, tree }: Installed, plugin: string): void {
  if (install.source === 'path' || install.capabilities.native) return
  const addons = tree.files.filter(({ path }) => path.endsWith('.node'))
  if (addons.length > 0)
    throw hostError('PIN_NATIVE', { plugin, files: addons.map(({ package: of, path }) => (of === '' ? path : `${of}/${path}`)) })
}

interface Installed {
  readonly entry: PluginEntry
  readonly install: ObservedInstall
  readonly tree: Tree
}

/** Throws what refuses the plugin; gives why its code must not run. What it asks for itself is not known yet, so only gains count. */
async function judgeInstall(
  { entry, install, tree }: Installed,
  policy: PinPolicy,
  within: ObservedIn,
): Promise<HostError | undefined> {
  const { frozen } = policy
  const candidates = candidatesOf(entry, policy)
  if (candidates.length === 0) {
    const verdict = judgePlugin({ name: within.label, locked: undefined, install, frozen })
    if (verdict.plugin === 'refused') throw verdict.error
    return undefined
  }
  const verdicts = await Promise.all(
    candidates.map(async ([name, locked]) => {
      const capabilities = joinCapabilities(install.capabilities, locked.capabilities)
      const question = { name, locked, install: { ...install, capabilities, ...documentIn(locked.document) }, frozen }
      return judgeInDetail(question, async () => detailsOf(await detailsFor(name, locked, policy, within), tree))
    }),
  )
  const accepted = verdicts.filter((verdict) => verdict.plugin === 'accepted')
  if (accepted.some(({ warnings }) => warnings.length === 0)) return undefined
  if (accepted[0]) return accepted[0].warnings[0]
  const [refused] = verdicts
  throw refused?.plugin === 'refused' ? refused.error : new Error('unreachable')
}

/**
 * What was approved is kept in a file that is as long as all descriptions together. It says more of what differs and decides nothing, so
 * it is read for a plugin that differs.
 */
async function judgeInDetail(question: Question, details: () => Promise<Details>): Promise<Refused | Accepted> {
  const verdict = judgePlugin(question)
  return verdict.differences.length === 0 ? verdict : judgePlugin({ ...question, details: await details() })
}

/** For what only the config tells. */
function documentIn(document: LockedDocument | undefined): Pick<ObservedInstall, 'document'> {
  return document === undefined ? {} : { document }
}

/** An entry without a name gets its plugin's, which only its code tells: until then every pin of the same `use` may be its own. */
function candidatesOf(entry: PluginEntry, { lock, deployment }: PinPolicy): readonly (readonly [string, LockedPlugin])[] {
  if (entry.as !== undefined) {
    const locked = lockedPlugin(lock, deployment, entry.as)
    return locked ? [[entry.as, locked]] : []
  }
  const section = lock && Object.hasOwn(lock.deployments, deployment) ? lock.deployments[deployment] : undefined
  return Object.entries(section?.plugins ?? {}).filter(([, { use }]) => use === specifierOf(entry))
}

/** Code is judged as it is read; what else decides about it, such as package.json, is compared here. Throws `PIN_FILE`. */
export function compareRead(tree: Tree, digests: ReadonlyMap<string, string>): void {
  const files = filesByLocation(tree)
  for (const [file, digest] of digests) {
    const pinned = files.get(file)
    if (pinned && pinned.sha256 !== digest)
      throw hostError('PIN_FILE', { file, problem: 'it changed after it was compared with mcp.lock.json' })
  }
}

async function detailsFor(
  name: string,
  locked: LockedPlugin | undefined,
  { deployment }: PinPolicy,
  { configDir }: ObservedIn,
): Promise<ApprovedDetails | undefined> {
  return locked && (await readApproved({ configDir, deployment, name }, locked))
}

/** What a diff can say of files and tools beyond their digests. */
export function detailsOf(before: ApprovedDetails | undefined, tree: Tree, surface?: PluginSurface): Details {
  return {
    ...(before?.tree && { files: { before: before.tree.files, after: tree.files } }),
    ...(before &&
      surface && {
        tools: {
          before: before.tools,
          after: descriptorsOf(surface),
        },
      }),
  }
}

function resultOf(
  { quarantined, othersQuarantined, warnings, differences }: Accepted,
  locked: LockedPlugin | undefined,
): PinResult {
  const pinned = locked === undefined ? 'unpinned' : differences.length === 0 ? 'pinned' : 'changed'
  return { pinned, quarantined: new Set(quarantined), othersQuarantined, warnings }
}
