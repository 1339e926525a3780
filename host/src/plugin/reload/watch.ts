import { realpathSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { FSWatcher } from 'chokidar'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { createPace, type PaceOptions } from './pace.ts'
import { pollFiles } from './poll-files.ts'

/** What is to be watched now: it changes with every reload. */
export interface WatchTargets {
  /** Files whose content matters, by real path. They need not exist. */
  readonly files: ReadonlySet<string>
  /** Files that values are read from, such as mounted secrets, by absolute path. */
  readonly configFiles: ReadonlySet<string>
  /** Folders of plugins. */
  readonly roots: ReadonlySet<string>
  /** Those of them in which any file may matter: the plugin failed, and something new may be what it misses. */
  readonly open: ReadonlySet<string>
  /** Folders of `pluginDirs`: what appears in them or goes is a change. */
  readonly pluginDirs: ReadonlySet<string>
}

/** What has settled. */
export interface SettledChange {
  /** Real paths of files with events, deleted ones included. Whether their content is another is for the receiver to see. */
  readonly files: ReadonlySet<string>
}

export interface WatchOptions {
  /** Asked anew at every event: what is running grows by lazy imports, and by every attempt to reload it. */
  readonly targets: () => WatchTargets
  /** Called with one settled set after the other, also while an earlier one is still being worked on. Must not reject. */
  readonly onSettled: (change: SettledChange) => Promise<void>
  readonly log: Logger
  /** How long it waits for more. */
  readonly pace?: PaceOptions
  /** Never waits longer than this in all. */
  readonly maxWaitMs?: number
}

export interface Watcher extends AsyncDisposable {
  /** To be called when the targets may have changed. */
  refresh(): void
}

/**
 * Watches what the targets name and hands over what has settled: a storm of events is a few sets. chokidar's `awaitWriteFinish` is not
 * used: it adds its whole wait to every save, and a half-written file is a failed attempt that the next event repeats. Resolves when
 * everything is being watched.
 */
export async function watchFiles(options: WatchOptions): Promise<Watcher> {
  const { targets, log, maxWaitMs = 400 } = options
  const pace = createPace(options.pace)
  let known = targets()
  const watcher = new FSWatcher({ ignoreInitial: true, followSymlinks: true, ignored: (path) => isIgnored(path, known) })
  const handling = new Set<Promise<void>>()
  let pending = new Set<string>()
  let gone = new Set<string>()
  let discovered = false
  let firstAt = 0
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const poll = pollFiles((file) => {
    pending.add(file)
    schedule()
  })
  poll.follow(known.configFiles)

  watcher.on('error', (error) => log.warn('watch_failed', { error }))
  watcher.on('all', (event, path) => {
    const real = realPath(path)
    const now = targets()
    if (isDiscovery({ event, path, real }, now)) discovered = true
    else if (!isRelevant(real, now)) return
    if (event === 'add' || event === 'change' || event === 'unlink') pending.add(real)
    if (event === 'unlink') gone.add(real)
    else gone.delete(real)
    schedule()
  })

  function schedule(): void {
    if (closed) return
    const now = performance.now()
    if (!timer) firstAt = now
    clearTimeout(timer)
    const wait = pace.waitMs({ files: pending.size, isIncomplete: gone.size > 0 || discovered }, now)
    timer = setTimeout(flush, Math.max(0, Math.min(wait, firstAt + maxWaitMs - now)))
  }

  function flush(): void {
    timer = undefined
    pace.taken(performance.now())
    const change = { files: pending }
    pending = new Set()
    gone = new Set()
    discovered = false
    const handled = options.onSettled(change).finally(() => {
      handling.delete(handled)
      refresh()
    })
    handling.add(handled)
  }

  function refresh(): void {
    if (closed) return
    const next = targets()
    const before = pathsOf(known)
    const after = pathsOf(next)
    const { files: knownFiles } = known
    poll.follow(next.configFiles)
    known = next
    const added = [...after].filter((path) => !before.has(path))
    // What chokidar is told to forget it ignores from then on, also where a folder above is watched: a plugin that comes back must be seen.
    const dropped = [...before].filter(
      (path) => !after.has(path) && ![...after].some((other) => isBelow(path, other) || isBelow(other, path)),
    )
    if (dropped.length) watcher.unwatch(dropped)
    if (added.length) watcher.add(added)
    // What changed between being read and being watched made no event, or one that meant nothing yet.
    const fresh = [...next.files].filter((path) => !knownFiles.has(path))
    for (const path of fresh) pending.add(path)
    if (fresh.length > 0) schedule()
  }

  const { promise: ready, resolve } = Promise.withResolvers<void>()
  watcher.once('ready', () => resolve())
  watcher.add([...pathsOf(known)])
  await ready

  return {
    refresh,
    async [Symbol.asyncDispose]() {
      closed = true
      poll[Symbol.dispose]()
      clearTimeout(timer)
      await Promise.all(handling)
      await watcher.close()
    },
  }
}

/** Whether something happens in a folder of `pluginDirs` outside every known plugin, or a plugin as a whole comes or goes. */
function isDiscovery(
  { event, path, real }: { event: string; path: string; real: string },
  { pluginDirs, roots }: WatchTargets,
): boolean {
  if (![...pluginDirs].some((folder) => isBelow(path, folder) || isBelow(real, folder))) return false
  const owner = [...roots].find((root) => isBelow(real, root))
  return owner === undefined || (real === owner && event !== 'change')
}

/** Whole folders of plugins; everything else file by file, since the folder of the config holds the whole project. */
function pathsOf({ files, roots, pluginDirs }: WatchTargets): ReadonlySet<string> {
  const all = [...new Set([...roots, ...pluginDirs])]
  const folders = all.filter((folder) => !all.some((other) => other !== folder && isBelow(folder, other)) || isInPackages(folder))
  const single = [...files].filter((file) => !folders.some((folder) => isBelow(file, folder)) || isInPackages(file))
  return new Set([...folders, ...single])
}

function isRelevant(path: string, { files, open }: WatchTargets): boolean {
  return files.has(path) || [...open].some((folder) => isBelow(path, folder))
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}${sep}`)
}

function isInPackages(path: string): boolean {
  return path.includes(`${sep}node_modules${sep}`)
}

/** Nothing below these matters, unless a loaded file lies there: those are watched one by one. */
function isIgnored(path: string, { files, roots }: WatchTargets): boolean {
  if (!/[\\/](?:node_modules|\.git|coverage)(?:[\\/]|$)/.test(path)) return false
  return (
    !files.has(path) &&
    ![...roots].some((root) => isInPackages(root) && isBelow(path, root) && !isInPackages(path.slice(root.length)))
  )
}

/** Of something deleted, the real path of what held it. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : `${realPath(parent)}${path.slice(parent.length)}`
  }
}
