import { hash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { resolve as resolvePath } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { hostError } from '../errors.ts'
import { bridge } from './commonjs/bridge.ts'
import { createExportNames } from './commonjs/commonjs-exports.ts'
import { createCommonJs } from './commonjs/commonjs.ts'
import type { Evaluation } from './evaluation.ts'
import { createEvaluations } from './evaluations.ts'
import { registerGraphHooks } from './hooks.ts'
import { explainLoadError } from './load-error.ts'
import { packageName } from './package-scope.ts'
import { createPlacement } from './placement.ts'
import { createReclaimer, type ReclaimKind } from './reclaim/reclaim.ts'
import { keepSources } from './reading/kept-sources.ts'
import { createModuleRequirer } from './commonjs/require-module.ts'
import { urlOfRace } from './commonjs/require-race.ts'
import { digestOf } from './reading/source-digest.ts'
import { createSourceReader } from './source.ts'
import type { Admit } from './types.ts'
import { createTypeStripper } from './typescript.ts'

export interface ModuleGraphOptions {
  /** Packages of which every file of the graph gets the host's copy: specifier to file URL. Subpaths follow their package. */
  readonly shared: Readonly<Record<string, string>>
  readonly log?: Pick<Logger, 'warn'>
  /** Decides about every file of every version, lazy imports and packages outside a root included, before it is evaluated. */
  readonly admit?: Admit | undefined
  /** `off` where nothing is ever reloaded. Default `auto`: superseded modules become collectable, if this Node has a way. */
  readonly reclaim?: 'auto' | 'off'
  /** Keeps what a version may import late as it was when the version was loaded, for calls that go on after an edit. Default: false. */
  readonly keepsSources?: boolean
  /** How much superseded code may stay in memory, where there is none, before the log warns. Default 256 MB. */
  readonly retainedBudgetBytes?: number
}

/**
 * Loads modules any number of times over, each time as a version of its own: old ones keep running, lazy imports included, until
 * they are released. Several graphs in one process do not see each other.
 */
export interface ModuleGraph extends Disposable {
  /**
   * Imports a new version of `entry`. Everything under `root` is evaluated again; a file outside, which others may share, only when
   * it changed since it was last evaluated, or imports something that did. Packages in a node_modules outside `root`, and what
   * Node brings, are Node's and are shared with the whole process.
   *
   * Rejects with what the import threw, or `MODULE_LOAD_TIMEOUT`, `MODULE_SYNTAX` and its kin; the versions before stay as they
   * are and of this one nothing remains. An endless loop at the top level cannot be interrupted: isolate such a plugin.
   */
  load(entry: string, options: LoadOptions): Promise<LoadedVersion>
  readonly status: ModuleGraphStatus
  /** Does now what the first release would stop the process for, some 250 ms: look for a way to let go of modules. */
  prepareReleases(): Promise<void>
}

interface LoadOptions {
  /** A folder, or the entry itself. Symlinks are followed, as for `entry`; either may be a path or a file URL. */
  readonly root: string
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** When the load fails: receives the files it met, and those it looked for in vain, which a watcher should wait for; see `digests`. */
  readonly digests?: Map<string, string>
}

export interface LoadedVersion {
  /** The module namespace; of CommonJS what `import()` makes of it. */
  readonly exports: object
  /**
   * Real paths of every file it consists of, inside and outside its root, with JSON, required and lazily imported ones, the
   * package.json files that decided how, and those that are missing. Grows as it imports lazily. Without Node's own modules and
   * packages outside the root.
   */
  readonly files: ReadonlySet<string>
  /** What was in each of `files` when it was read: SHA-256, hex; empty for one that is missing. */
  readonly digests: ReadonlyMap<string, string>
  /** Links among the paths that its files import, and where each led. */
  readonly links: ReadonlyMap<string, string>
  /** Forgets this version: call it when its last call has finished. Its modules become collectable. Idempotent. */
  release(): void
}

interface ModuleGraphStatus {
  /** Versions loaded and not released, and evaluations of files outside roots that they share. */
  readonly versions: number
  readonly shared: number
  /** Undefined before the first release. */
  readonly reclaim: ReclaimKind | undefined
  /** An estimate of what released versions still hold. */
  readonly retainedBytes: number
}

/**
 * A graph is told apart from others of the process, also of another copy of this package, and called the same at each start: what Node
 * keeps of compiled code it keeps by URL.
 */
const COPY = hash('sha256', import.meta.url).slice(0, 8)
let graphs = 0

/** A module graph of its own in this process. Disposing it releases every version and takes its hooks out of Node's loader. */
export function createModuleGraph(options: ModuleGraphOptions): ModuleGraph {
  const { shared, log, admit, reclaim = 'auto', keepsSources = false, retainedBudgetBytes = 256 * 1024 * 1024 } = options
  const graph = `${COPY}-${++graphs}`
  const evaluations = createEvaluations(graph)
  const placement = createPlacement(evaluations, shared)
  const readSource = createSourceReader(createTypeStripper(), admit)
  const modules = createModuleRequirer(graph)
  const commonJs = createCommonJs({ evaluations, placement, readSource, modules })
  const exportNames = createExportNames({ placement, readSource })
  const reclaimer = createReclaimer({ mode: reclaim, retainedBudgetBytes, log })

  const end = (evaluation: Evaluation): void => {
    for (const { urls, sourceLength } of evaluations.end(evaluation)) reclaimer.evict([...urls], sourceLength)
  }

  const resources = new DisposableStack()
  resources.use(
    bridge(graph, {
      runCommonJs: (id, file) => commonJs.run(file, evaluations.get(id, file)),
      nodeModuleOf: (id) => commonJs.nodeModule(evaluations.get(id, 'node:module')),
    }),
  )
  resources.use(registerGraphHooks({ graph, evaluations, placement, readSource, modules, exportNames, admit }))
  resources.defer(() => [...evaluations.versions].forEach(end))

  let sharedImported: Promise<unknown> | undefined

  async function loadOnce(entry: string, { root, timeoutMs, signal, digests }: LoadOptions): Promise<LoadedVersion> {
    signal?.throwIfAborted()
    const file = realPath(entry)
    const evaluation = evaluations.begin(file, realPath(root))
    evaluation.files.add(file)
    try {
      const loading: Promise<object> = import(evaluation.url(file))
      const exports = await inTime(loading, { file, timeoutMs, signal })
      digestsOf(evaluation)
      if (keepsSources) void keepSources(evaluation)
      return loadedVersion(evaluation, exports, () => end(evaluation))
    } catch (error) {
      for (const [path, digest] of digestsOf(evaluation)) digests?.set(path, digest)
      const explained = explainLoadError(error, evaluation)
      end(evaluation)
      throw explained
    }
  }

  return {
    async load(entry, options) {
      // A `require` cannot wait for what another plugin is only beginning to import.
      await (sharedImported ??= importPackages(shared))
      for (const waited = new Set<string>(); ;) {
        try {
          return await loadOnce(entry, options)
        } catch (error) {
          const url = urlOfRace(error)
          if (url === undefined || waited.has(url)) throw error
          waited.add(url)
          await import(url).catch(() => {}) // what is wrong with it is the error of the next attempt
        }
      }
    },
    prepareReleases: () => reclaimer.prepare(),
    get status() {
      const { versions, sharedCount } = evaluations
      return { versions: versions.size, shared: sharedCount, reclaim: reclaimer.kind, retainedBytes: reclaimer.retainedBytes }
    },
    [Symbol.dispose]: () => resources.dispose(),
  }
}

/** Imports what is shared whole: a subpath that few ask for is imported when it is. */
function importPackages(shared: Readonly<Record<string, string>>): Promise<unknown> {
  const urls = Object.entries(shared).flatMap(([specifier, url]) => (packageName(specifier) === specifier ? [url] : []))
  return Promise.allSettled(urls.map((url): Promise<unknown> => import(url)))
}

function loadedVersion(evaluation: Evaluation, exports: object, release: () => void): LoadedVersion {
  let known: { readonly extent: number; readonly digests: Map<string, string> } | undefined
  return {
    exports,
    get files() {
      return filesOf(evaluation)
    },
    get digests() {
      const extent = extentOf(evaluation)
      if (known?.extent !== extent) known = { extent, digests: digestsOf(evaluation) }
      return known.digests
    },
    get links() {
      return new Map([...evaluation.reachable()].flatMap(({ links }) => [...links]))
    },
    release,
  }
}

function filesOf(evaluation: Evaluation): Set<string> {
  return new Set([...evaluation.reachable()].flatMap(({ files }) => [...files]))
}

/** Changes with every file that is read or missed: a host with many plugins asks for all their digests at every save. */
function extentOf(evaluation: Evaluation): number {
  let extent = 0
  for (const { files, digests, misses } of evaluation.reachable()) extent += files.size + digests.size + misses
  return extent
}

/** A file that no import read, such as a package.json on the way to a dependency, counts with its content at the first question. */
function digestsOf(evaluation: Evaluation): Map<string, string> {
  const digests = new Map<string, string>()
  for (const { files, digests: read } of evaluation.reachable())
    for (const file of files) {
      const digest = read.get(file) ?? digestOf(file)
      read.set(file, digest)
      digests.set(file, digest)
    }
  return digests
}

interface Deadline {
  readonly file: string
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** What the import settles with, unless the time is over or the signal fires before. */
function inTime(loading: Promise<object>, { file, timeoutMs, signal }: Deadline): Promise<object> {
  return new Promise((resolve, reject) => {
    const abort = (): void => settle(() => reject(signal?.reason))
    const timer = setTimeout(() => settle(() => reject(hostError('MODULE_LOAD_TIMEOUT', { entry: file, timeoutMs }))), timeoutMs)
    const settle = (how: () => void): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      how()
    }
    signal?.addEventListener('abort', abort, { once: true })
    loading.then(
      (exports) => settle(() => resolve(exports)),
      (error: unknown) => settle(() => reject(error)),
    )
  })
}

/** A path that is not there stays as it is, for the import to say so. */
function realPath(pathOrUrl: string): string {
  const path = pathOrUrl.startsWith('file:') ? fileURLToPath(pathOrUrl) : resolvePath(pathOrUrl)
  try {
    return realpathSync.native(path)
  } catch {
    return path
  }
}
