import { dirname, join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { configWarnings } from './config/schema/rules.ts'
import { describeError, hostError } from './errors.ts'
import { readSettings, type FileOptions, type Settings } from './from-file.ts'
import type { Host } from './types.ts'
import type { ResolvedConfig } from './config/schema/schema.ts'
import type { LogLines } from './observability/log/log-lines.ts'
import { createLogger } from './observability/logger.ts'
import { createRedactor } from './observability/redact.ts'
import { stderrOutput } from './observability/log/stderr.ts'
import { digestOf } from './modules/reading/source-digest.ts'
import { realPathOf } from './plugin/source/surroundings.ts'
import { notAsPinned } from './server/catalog/operator/listing.ts'
import { lockPath } from './plugin/lock-file.ts'
import type { SettledChange } from './plugin/reload/watch.ts'
import type { WatchTargets } from './plugin/reload/watch-targets.ts'

export interface ServeOptions extends FileOptions {
  /** Take over what changes on disk as it changes. Never in a frozen deployment. */
  readonly watch: boolean
  /** Gets the log as JSON lines, secrets gone. Default: stderr, in the form that the config says. */
  readonly lines?: LogLines
  /** Told of the config that the host starts with, before any plugin is imported. */
  readonly onStart?: (config: ResolvedConfig) => void
  /** Told of a config that was not taken over, which goes on as it was. */
  readonly onConfigError?: (error: unknown) => void
  /** Told of files that were saved, real paths, once they are taken over or refused. */
  readonly onSaved?: (files: ReadonlySet<string>) => void
  /** Told of one that was. */
  readonly onConfig?: (taken: ConfigTaken) => void
}

export interface ConfigTaken {
  readonly settings: Settings
  /** What the running process cannot take over: it differs from what the host was started with. */
  readonly restartNeeded: readonly string[]
}

/** A host that follows its config file. */
export interface ServedHost extends AsyncDisposable {
  readonly host: Host
  readonly log: Logger
  readonly settings: Settings
  /** Reads config and environment again, as `SIGHUP` asks for. What is wrong with them goes to the log and changes nothing. */
  reread(): Promise<void>
}

/** Opens the host of a config file and keeps it in step with the file. Throws `CONFIG_…` for the first reading only. */
export async function serveFile(options: ServeOptions): Promise<ServedHost> {
  const redact = createRedactor()
  const logAs = ({
    level,
    format = process.stderr.isTTY ? 'pretty' : 'json',
  }: Partial<LogSettings> & { level: LogSettings['level'] }) =>
    createLogger({ level, redact, ...(options.lines ? { format: 'json', destination: options.lines } : { format }) })
  const noteIn = (digests: Map<string, string>) => (file: string) => void digests.set(file, digestOf(file))
  /** The config, what it imports, the environment file and the lock, with what was read. */
  let configDigests = new Map<string, string>()
  // Together: a config that is code is read by another process.
  const [started, { createHost }] = await Promise.all([
    readSettings(options, logAs({ level: 'info' }), noteIn(configDigests)),
    import('./host.ts'),
  ])
  options.onStart?.(started.config)
  let settings = started
  let pluginDirs = placesOf(settings)
  const log = logAs(settings.config.log)
  for (const warning of warningsOf(settings)) log.warn('config_warning', { warning })

  const isWatching = options.watch && !settings.config.frozen
  await using opened = new AsyncDisposableStack()
  const host = opened.use(
    await createHost(settings.config, {
      file: settings.file,
      env: settings.env,
      log,
      redact,
      keepRegistry: !isWatching,
      expectReloads: isWatching,
      logLinesDropped: () => stderrOutput().dropped,
    }),
  )
  const unused = settings.config.frozen ? host.unusedRules() : []
  if (unused.length > 0) throw hostError('CONFIG_UNUSED', { file: settings.file, rules: unused })
  const unpinned = settings.config.strict ? notAsPinned(host.list()) : []
  if (unpinned.length > 0) throw hostError('LOCK_MISMATCH', { path: lockPath(dirname(settings.file)), found: unpinned })
  const envFile = options.envFile === undefined ? join(dirname(settings.file), '.env') : resolve(options.envFile)
  const lockFile = lockPath(dirname(settings.file))
  const besideConfig = () => [envFile, lockFile].map((file) => [file, digestOf(file)] as const)
  for (const [file, digest] of besideConfig()) configDigests.set(file, digest)

  const takeOver = async (changed?: ReadonlySet<string>): Promise<void> => {
    const met = new Map(besideConfig())
    try {
      const next = await readSettings(options, log, noteIn(met))
      for (const warning of warningsOf(next)) log.warn('config_warning', { warning })
      const restart = restartNeeded(started, next)
      for (const setting of restart) log.warn('restart_required', { setting, reason: 'it is read when the host starts' })
      settings = next
      pluginDirs = placesOf(settings)
      configDigests = new Map()
      await host.apply({ config: next.config, env: next.env, ...(changed ? { changed } : {}) })
      log.info('config_loaded', { file: next.file, generation: host.snapshot.generation })
      options.onConfig?.({ settings, restartNeeded: restart })
    } catch (error) {
      log.error('config_refused', { reason: describeError(error), kept: host.snapshot.generation })
      options.onConfigError?.(error)
    } finally {
      // After a refusal the files before it still count: an edit of any of them may fix it.
      configDigests = new Map([...configDigests, ...met])
    }
  }
  /** One after the other, so that an older reading is never taken over after a newer one. */
  let reading: Promise<void> = Promise.resolve()
  const reread = (changed?: ReadonlySet<string>): Promise<void> => (reading = reading.then(() => takeOver(changed)))

  if (options.watch && settings.config.frozen) log.warn('watch_off', { reason: 'the deployment is frozen' })
  if (isWatching) {
    const { watchFiles } = await import('./plugin/reload/watch.ts')
    const onSaved = async (change: SettledChange) => {
      await onSettled(change)
      options.onSaved?.(change.files)
    }
    const watcher = opened.use(await watchFiles({ log, targets, onSettled: onSaved }))
    // A plugin that was slow to build is published later than its set.
    host.on('generation', () => watcher.refresh())
    // Changes made while the plugins were loading have caused no event.
    await onSettled({ files: targets().files, isDiscovery: true })
  }
  opened.defer(() => reading)

  function targets(): WatchTargets {
    const { files, ...sources } = host.watched()
    return {
      files: new Set([...files, ...configDigests.keys()]),
      ...sources,
      pluginDirs,
    }
  }

  async function onSettled({ files, isDiscovery }: SettledChange): Promise<void> {
    if (isDiscovery) pluginDirs = placesOf(settings)
    const isConfig = [...files].some((file) => configDigests.has(file) && configDigests.get(file) !== digestOf(file))
    if (isConfig) await reread(files)
    else await host.apply({ changed: files, samePlugins: !isDiscovery })
  }

  const kept = opened.move()
  return {
    host,
    log,
    get settings() {
      return settings
    },
    reread: () => reread(),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

type LogSettings = ResolvedConfig['log']

/** Where the folders of `pluginDirs` are now. */
function placesOf({ file, config }: Settings): WatchTargets['pluginDirs'] {
  const of = {}
  const paths = config.pluginDirs.map((directory) => resolve(dirname(file), directory))
  return new Map(paths.map((path) => [path, { led: realPathOf(path), of }]))
}

/** Settings that differ and that the running process cannot take over. */
function restartNeeded(before: Settings, after: Settings): readonly string[] {
  const settings: Readonly<Record<string, (config: ResolvedConfig) => unknown>> = {
    listen: ({ listen }) => listen,
    // Its keys are taken over as they change.
    'auth.inbound': ({ auth }) => ({ ...auth.inbound, keys: [] }),
    'auth.accounts': ({ auth }) => auth.accounts,
    'auth.stateKeyVariable': ({ auth }) => auth.stateKeyVariable,
    'auth.tenantClaim': ({ auth }) => auth.tenantClaim,
    compat: ({ compat }) => compat,
    'limits.bodyBytes': ({ limits }) => limits.bodyBytes,
    log: ({ log }) => log,
    cache: ({ cache }) => cache,
    middleware: ({ middleware }) => middleware,
    frozen: ({ frozen }) => frozen,
  }
  return Object.entries(settings)
    .filter(([, read]) => !isDeepStrictEqual(read(before.config), read(after.config)))
    .map(([name]) => name)
}

function warningsOf({ warnings, config }: Settings): readonly string[] {
  return [...warnings, ...configWarnings(config)]
}
