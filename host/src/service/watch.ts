import { existsSync, realpathSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { FSWatcher } from 'chokidar'
import type { Logger } from '@mcp-patchbay/plugin-api'

/** What is to be watched now: it changes with every reload. */
export interface WatchTargets {
  /** Files whose content matters, by real path. They need not exist. */
  readonly files: ReadonlySet<string>
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
  readonly targets: () => WatchTargets
  /** Called with one settled set at a time: the next waits for the promise, and gathers meanwhile. Must not reject. */
  readonly onSettled: (change: SettledChange) => Promise<void>
  readonly log: Logger
  /** Waits this long after an event for another one. */
  readonly debounceMs?: number
  /** Instead, once more than one file has changed: a checkout or a save-all is under way. */
  readonly quietMs?: number
  /** Instead, while a file is gone: editors delete and write anew. */
  readonly goneMs?: number
  /** Never waits longer than this in all. */
  readonly maxWaitMs?: number
}

export interface Watcher extends AsyncDisposable {
  /** To be called when the targets may have changed. */
  refresh(): void
}

/**
 * Watches what the targets name and hands over what has settled: a storm of events is a few sets, one at a time. chokidar's
 * `awaitWriteFinish` is not used: it adds its whole wait to every save, and a half-written file is a failed attempt that the next event
 * repeats. Resolves when everything is being watched.
 */
export async function watchFiles(options: WatchOptions): Promise<Watcher> {
  const { targets, log, debounceMs = 10, quietMs = 50, goneMs = 120, maxWaitMs = 400 } = options
  let known = targets()
  const watcher = new FSWatcher({ ignoreInitial: true, followSymlinks: true, ignored: (path) => isIgnored(path, known) })
  let pending = new Set<string>()
  let discovered = false
  let firstAt = 0
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let closed = false

  watcher.on('error', (error) => log.warn('watch_failed', { error }))
  watcher.on('all', (event, path) => {
    const real = realPath(path)
    const inPluginDir = known.pluginDirs.has(dirname(path)) || known.pluginDirs.has(dirname(real))
    const isFolder = event === 'addDir' || event === 'unlinkDir'
    if (inPluginDir && (isFolder || event === 'add' || event === 'unlink')) discovered = true
    else if (isFolder || !isRelevant(real, known)) return
    if (!isFolder) pending.add(real)
    schedule()
  })

  function schedule(): void {
    if (closed || running) return
    const now = performance.now()
    if (!timer) firstAt = now
    clearTimeout(timer)
    const gone = [...pending].some((path) => !existsSync(path))
    const wait = gone || discovered ? goneMs : pending.size > 1 ? quietMs : debounceMs
    timer = setTimeout(flush, Math.max(0, Math.min(wait, firstAt + maxWaitMs - now)))
  }

  function flush(): void {
    timer = undefined
    const change = { files: pending }
    pending = new Set()
    discovered = false
    running = options.onSettled(change).finally(() => {
      running = undefined
      refresh()
      if (pending.size > 0 || discovered) schedule()
    })
  }

  function refresh(): void {
    if (closed) return
    const next = targets()
    const before = pathsOf(known)
    const after = pathsOf(next)
    known = next
    const added = [...after].filter((path) => !before.has(path))
    const dropped = [...before].filter((path) => !after.has(path))
    if (dropped.length) watcher.unwatch(dropped)
    if (added.length) watcher.add(added)
    // What changed between being read and being watched made no event.
    for (const path of added) if (next.files.has(path)) pending.add(path)
    if (pending.size > 0) schedule()
  }

  const { promise: ready, resolve } = Promise.withResolvers<void>()
  watcher.once('ready', () => resolve())
  watcher.add([...pathsOf(known)])
  await ready

  return {
    refresh,
    async [Symbol.asyncDispose]() {
      closed = true
      clearTimeout(timer)
      await running
      await watcher.close()
    },
  }
}

/** Whole folders of plugins; everything else file by file, since the folder of the config holds the whole project. */
function pathsOf({ files, roots, pluginDirs }: WatchTargets): ReadonlySet<string> {
  const folders = [...roots, ...pluginDirs]
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
