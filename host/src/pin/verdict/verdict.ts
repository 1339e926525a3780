import { hostError, type HostError } from '../../errors.ts'
import { compareLock, type Details, type Difference, type ObservedInstall, type ObservedSurface } from '../difference/compare.ts'
import { showInvisible } from '../difference/format-diff.ts'
import type { LockedPlugin } from '../lock/lock.ts'

/**
 * What the host asks about one plugin: before the import without `surface`, when only a refusal matters, and again with it before
 * anything is published.
 */
export interface Question {
  /** The instance name. */
  readonly name: string
  readonly locked: LockedPlugin | undefined
  readonly install: ObservedInstall
  readonly surface?: ObservedSurface
  /** The deployment runs only what is pinned. */
  readonly frozen: boolean
  readonly details?: Details
}

/** A refused plugin is not imported, or not published when it already is. */
export interface Refused {
  readonly plugin: 'refused'
  /** Why, with the code that logs and states show. */
  readonly error: HostError
  readonly differences: readonly Difference[]
}

/** An accepted plugin runs, except for what is quarantined: not listed, and a call of it gets `TOOL_UNKNOWN`. */
export interface Accepted {
  readonly plugin: 'accepted'
  /** Tool names without the instance prefix. Empty as long as the surface is not known. */
  readonly quarantined: readonly string[]
  /** Resources, resource templates and prompts are quarantined, all of them. */
  readonly othersQuarantined: boolean
  /** Each is worth one log line. */
  readonly warnings: readonly HostError[]
  readonly differences: readonly Difference[]
}

/**
 * Whether a plugin may run, and which of its tools may be seen.
 *
 * Frozen: what is not in the lock, or has another source, version, integrity, tree or other capabilities, another description of its API,
 * or a server that is run
 * in another way, is refused; a tool that is new or differs in digest or access is quarantined. A server elsewhere that calls itself by
 * another name is refused too. Not frozen: a plugin from a path runs as it is; one from npm that is not in the
 * lock runs with a warning, one that asks for more capabilities than were approved is refused, one whose files differ has all its tools
 * quarantined until someone approves it, with a warning; changed tools are quarantined as when frozen,
 * unless they are made of a description in the project, which is its developer's to change.
 */
export function judgePlugin({ name, locked, install, surface, frozen, details }: Question): Refused | Accepted {
  // It runs as it is; the list says how it stands to the lock.
  if (!frozen && install.source === 'path')
    return { ...allowed, differences: locked ? compareLock(locked, install, surface, details) : [] }
  if (locked === undefined) {
    const error = hostError('PIN_NOT_LOCKED', { plugin: name })
    return frozen ? { plugin: 'refused', error, differences: [] } : { ...allowed, warnings: [error], differences: [] }
  }
  const differences = compareLock(locked, install, surface, details)
  const faults = differences.filter(isOfInstall)
  const refused = faults.find((fault) => frozen || (fault.kind === 'capability' && fault.change === 'broadened'))
  if (refused !== undefined) return { plugin: 'refused', error: installError(name, refused, install), differences }
  // Asking for less than was approved, and other arguments of a server, matter only where the lock is the law: the code is the same.
  const changed =
    faults.find(({ kind }) => kind !== 'capability' && kind !== 'server' && kind !== 'document') ?? faults.find(isOtherServer)
  if (changed === undefined && !frozen && install.document?.digest !== undefined) return { ...allowed, differences }
  return changed === undefined ? judgeSurface(name, differences) : quarantineAll(name, changed, surface, differences)
}

/** What answers at its address is not what was approved. */
function isOtherServer(difference: Difference): boolean {
  return difference.kind === 'server' && difference.key === 'name'
}

const allowed = { plugin: 'accepted', quarantined: [], othersQuarantined: false, warnings: [] } as const

type InstallDifference = Extract<
  Difference,
  { kind: 'use' | 'version' | 'integrity' | 'tree' | 'server' | 'document' | 'capability' }
>

function isOfInstall(difference: Difference): difference is InstallDifference {
  return (
    difference.kind === 'document' || ['use', 'version', 'integrity', 'tree', 'server', 'capability'].includes(difference.kind)
  )
}

function installError(plugin: string, difference: InstallDifference, install?: ObservedInstall): HostError {
  const folder = install?.source === 'path' ? install.use : undefined
  switch (difference.kind) {
    case 'use':
    case 'version': {
      const { kind, locked = 'none', observed = 'none' } = difference
      return hostError('PIN_VERSION', { plugin, what: kind === 'use' ? 'source' : 'version', locked, observed, folder })
    }
    case 'server': {
      const { key, locked = 'none', observed = 'none' } = difference
      return hostError('PIN_VERSION', { plugin, what: key, locked, observed })
    }
    case 'document':
      return hostError('PIN_DOCUMENT', { plugin, problem: documentProblem(difference) })
    case 'integrity':
      return hostError('PIN_INTEGRITY', {
        plugin,
        what: 'package',
        locked: difference.locked ?? '',
        observed: difference.observed ?? '',
        files: [],
      })
    case 'tree': {
      const files = difference.files?.map(({ package: of, path }) => showInvisible(of === '' ? path : `${of}/${path}`)) ?? []
      return hostError('PIN_INTEGRITY', {
        plugin,
        what: 'files',
        locked: difference.locked,
        observed: difference.observed,
        files,
        folder,
        inDependencies: difference.files?.length ? difference.files.every(({ package: of }) => of !== '') : undefined,
      })
    }
    default:
      return hostError('PIN_CAPABILITY', { plugin, ...difference })
  }
}

function documentProblem({ locked, observed }: Extract<Difference, { kind: 'document' }>): string {
  if (locked === undefined) return `mcp.lock.json has no description for it, and it reads ${observed?.from}`
  if (observed === undefined) return `it reads no description, the lock says ${locked.from}`
  if (locked.from !== observed.from) return `it reads ${observed.from}, the lock says ${locked.from}`
  if (observed.digest === undefined) return `${observed.from} cannot be read`
  return `${observed.from} is ${observed.digest}, the lock says ${locked.digest ?? 'no digest'}`
}

function judgeSurface(plugin: string, differences: readonly Difference[]): Accepted {
  const reasons = new Map(differences.flatMap((difference) => quarantineReason(difference)))
  const othersQuarantined = differences.some(({ kind }) => kind === 'others')
  const warnings = [
    ...Array.from(reasons, ([tool, reason]) => hostError('PIN_TOOL_CHANGED', { plugin, tool, reason })),
    ...(othersQuarantined ? [hostError('PIN_OTHERS_CHANGED', { plugin })] : []),
  ]
  return { plugin: 'accepted', quarantined: [...reasons.keys()], othersQuarantined, warnings, differences }
}

function quarantineReason(difference: Difference): [tool: string, reason: string][] {
  if (difference.kind === 'access') {
    return [[difference.tool, `it was approved as a ${difference.locked} tool and is a ${difference.observed} tool now`]]
  }
  if (difference.kind !== 'tool' || difference.change === 'removed') return []
  if (difference.change === 'added') return [[difference.tool, 'it is not in mcp.lock.json']]
  const fields = difference.fields?.map(({ field }) => showInvisible(field)).join(', ')
  return [[difference.tool, `what clients see of it is not what was approved${fields ? ` (${fields})` : ''}`]]
}

function quarantineAll(
  plugin: string,
  fault: InstallDifference,
  surface: ObservedSurface | undefined,
  differences: readonly Difference[],
): Accepted {
  const quarantined = Object.keys(surface?.tools ?? {})
  return { plugin: 'accepted', quarantined, othersQuarantined: true, warnings: [installError(plugin, fault)], differences }
}
