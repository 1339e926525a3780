import { existsSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { FSWatcher } from 'chokidar'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { followLinks } from './follow-links.ts'
import { createPace, type PaceOptions } from './pace.ts'
import { pollFiles } from './poll-files.ts'
import { holderOf, isBelow, isDiscovery, isIgnored, isRelevant, pathsOf, type WatchTargets } from './watch-targets.ts'

/** What has settled. */
export interface SettledChange {
  /** Real paths of files with events, deleted ones included, and links. Whether their content is another is for the receiver to see. */
  readonly files: ReadonlySet<string>
  /** Something came to or went from a folder of `pluginDirs`. */
  readonly isDiscovery: boolean
}

export interface WatchOptions {
  /** Asked again and again: what is running grows by lazy imports, and by every attempt to reload it. */
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

/** How often files are read where the system watches no more of them. */
const POLL_MS = 300

/**
 * Watches what the targets name and hands over what has settled: a storm of events is a few sets. chokidar's `awaitWriteFinish` is not
 * used: it adds its whole wait to every save, and a half-written file is a failed attempt that the next event repeats. Resolves when
 * everything is being watched.
 */
export async function watchFiles(options: WatchOptions): Promise<Watcher> {
  const { log, maxWaitMs = 400 } = options
  const pace = createPace(options.pace)
  const handling = new Set<Promise<void>>()
  let known = options.targets()
  let watched = pathsOf(known)
  let cached: WatchTargets | undefined
  let pending = new Set<string>()
  let named = new Set<string>()
  let gone = new Set<string>()
  let discovered = false
  let firstAt = 0
  let timer: NodeJS.Timeout | undefined
  let refreshing: NodeJS.Immediate | undefined
  /** Tries again to watch everything, after an attempt that failed. */
  let reopening: NodeJS.Timeout | undefined
  let closed = false
  let watcher: FSWatcher | undefined
  let opening = open(false)

  const configFiles = pollFiles((file) => settle(file))
  configFiles.follow(known.configFiles)
  const links = followLinks(
    () => new Map([...known.links, ...known.pluginDirs]),
    (path) => {
      if (holderOf(path, known.pluginDirs)) discovered = true
      settle(path)
    },
  )

  /** Resolves when everything is watched, or it has failed. */
  function open(isPolling: boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const next = new FSWatcher({
      ignoreInitial: true,
      followSymlinks: true,
      usePolling: isPolling,
      interval: POLL_MS,
      binaryInterval: POLL_MS,
      ignored: (path) => isIgnored(path, known),
    })
    watcher = next
    next.on('all', onEvent)
    next.on('error', (error) => {
      if (!isPolling && watcher === next && !closed && LIMITS.has(codeOf(error))) {
        log.warn('watch_polling', { reason: LIMITS.get(codeOf(error)), everyMs: POLL_MS })
        void reopen(next).then(resolve)
      } else if (watcher === next) {
        if (!reopening) log.warn('watch_failed', { error })
        // Without a free descriptor a folder cannot be listed, so it is unknown what to watch.
        if (isPolling && LIMITS.has(codeOf(error))) reopenLater(next)
      }
    })
    next.once('ready', () => resolve())
    next.add([...watched])
    return promise
  }

  /** Watches by looking, and takes over what changed meanwhile and made no event. */
  function reopen(before: FSWatcher): Promise<void> {
    opening = Promise.all([before.close(), open(true)]).then(() => {
      for (const file of known.files) pending.add(file)
      discovered = true
      schedule()
    })
    return opening
  }

  function reopenLater(failed: FSWatcher): void {
    reopening ??= setTimeout(() => {
      reopening = undefined
      if (watcher === failed && !closed) void reopen(failed)
    }, POLL_MS)
  }

  function onEvent(event: string, path: string): void {
    const real = realPath(path)
    if (isDiscovery({ event, path, real }, current())) discovered = true
    else if (!isRelevant(event, { path, real }, current())) return
    if (event === 'add' || event === 'change' || event === 'unlink') pending.add(real)
    // A path through a link was looked up under its own name.
    if (real !== path) named.add(path)
    if (event === 'unlink') gone.add(real)
    else gone.delete(real)
    schedule()
  }

  /** What is to be watched, read once for all events of a turn. */
  function current(): WatchTargets {
    if (!cached) setImmediate(() => (cached = undefined))
    return (cached ??= options.targets())
  }

  function settle(path: string): void {
    pending.add(path)
    schedule()
  }

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
    const change = { files: new Set([...pending, ...named]), isDiscovery: discovered || [...pending].some(hasGone) }
    pending = new Set()
    named = new Set()
    gone = new Set()
    discovered = false
    const handled = options.onSettled(change).finally(() => {
      handling.delete(handled)
      refresh()
    })
    handling.add(handled)
  }

  /** Whether the plugin that this is a file of has gone, of which the event may be on its way. */
  function hasGone(path: string): boolean {
    const root = holderOf(path, known.roots)
    return root !== undefined && holderOf(root, known.pluginDirs) !== undefined && !existsSync(root)
  }

  /** Not at once: what was published is served first. */
  function refresh(): void {
    refreshing ??= setImmediate(follow)
  }

  function follow(): void {
    refreshing = undefined
    if (closed) return
    const before = { files: known.files, configFiles: known.configFiles, watched }
    known = options.targets()
    watched = pathsOf(known)
    configFiles.follow(known.configFiles)
    const added = [...watched].filter((path) => !before.watched.has(path))
    // What chokidar is told to forget it ignores from then on, also where a folder above is watched: a plugin that comes back must be seen.
    const dropped = [...before.watched].filter(
      (path) => !watched.has(path) && ![...watched].some((other) => isBelow(path, other) || isBelow(other, path)),
    )
    if (dropped.length) watcher?.unwatch(dropped)
    if (added.length) watcher?.add(added)
    // What changed between being read and being watched made no event, or one that meant nothing yet.
    const fresh = [
      ...[...known.files].filter((path) => !before.files.has(path)),
      ...[...known.configFiles].filter((path) => !before.configFiles.has(path)),
    ]
    for (const path of fresh) pending.add(path)
    if (fresh.length > 0) schedule()
  }

  await opening

  return {
    refresh,
    async [Symbol.asyncDispose]() {
      closed = true
      clearTimeout(reopening)
      configFiles[Symbol.dispose]()
      links[Symbol.dispose]()
      clearTimeout(timer)
      clearImmediate(refreshing)
      await Promise.all(handling)
      await opening
      await watcher?.close()
    },
  }
}

/** Why the system watches no more, and what to do, by the code of its error. */
const LIMITS: ReadonlyMap<unknown, string> = new Map([
  [
    'ENOSPC',
    'the system watches no more files (fs.inotify.max_user_watches): files are read again and again instead; to raise the limit: sudo sysctl fs.inotify.max_user_watches=524288',
  ],
  [
    'EMFILE',
    'the system gives no more watchers (fs.inotify.max_user_instances, or open files): files are read again and again instead; to raise the limit: sudo sysctl fs.inotify.max_user_instances=1024',
  ],
])

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
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
