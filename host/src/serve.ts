import { dirname, join, resolve } from 'node:path'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { configWarnings } from './config/rules.ts'
import { describeError } from './errors.ts'
import { readSettings, type FileOptions, type Settings } from './from-file.ts'
import { createHost, type Host } from './host.ts'
import { createLogger } from './observability/logger.ts'
import { createRedactor } from './observability/redact.ts'
import { digestOf } from './modules/source.ts'
import { watchFiles, type SettledChange, type WatchTargets } from './service/watch.ts'

export interface ServeOptions extends FileOptions {
  /** Take over what changes on disk as it changes. Never in a frozen deployment. */
  readonly watch: boolean
  /** Default: what the config says, on stderr. */
  readonly log?: Logger
  /** Told of a config that was not taken over, which goes on as it was. */
  readonly onConfigError?: (error: unknown) => void
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
  const startupLog = options.log ?? createLogger({ level: 'info', format: process.stderr.isTTY ? 'pretty' : 'json', redact })
  /** The config, what it imports, and the environment file, with what was read. */
  let configDigests = new Map<string, string>()
  const noteIn = (digests: Map<string, string>) => (file: string) => void digests.set(file, digestOf(file))
  let settings = await readSettings(options, startupLog, noteIn(configDigests))
  const { level, format = process.stderr.isTTY ? ('pretty' as const) : ('json' as const) } = settings.config.log
  const log = options.log ?? createLogger({ level, format, redact })
  for (const warning of warningsOf(settings)) log.warn('config_warning', { warning })

  await using opened = new AsyncDisposableStack()
  const host = opened.use(await createHost(settings.config, { file: settings.file, env: settings.env, log, redact }))
  const envFile = options.envFile === undefined ? join(dirname(settings.file), '.env') : resolve(options.envFile)
  configDigests.set(envFile, digestOf(envFile))

  async function reread(changed?: ReadonlySet<string>): Promise<void> {
    const met = new Map([[envFile, digestOf(envFile)]])
    try {
      const next = await readSettings(options, log, noteIn(met))
      for (const warning of warningsOf(next)) log.warn('config_warning', { warning })
      for (const setting of restartNeeded(settings, next))
        log.warn('restart_required', { setting, reason: 'it is read when the host starts' })
      settings = next
      configDigests = new Map()
      await host.apply({ config: next.config, env: next.env, ...(changed ? { changed } : {}) })
      log.info('config_loaded', { file: next.file, generation: host.snapshot.generation })
    } catch (error) {
      log.error('config_refused', { reason: describeError(error), kept: host.snapshot.generation })
      options.onConfigError?.(error)
    } finally {
      // After a refusal the files before it still count: any of them may mend it.
      configDigests = new Map([...configDigests, ...met])
    }
  }

  const watching = options.watch && !settings.config.frozen
  if (options.watch && settings.config.frozen) log.warn('watch_off', { reason: 'the deployment is frozen' })
  if (watching) {
    opened.use(await watchFiles({ log, targets, onSettled }))
    // What changed while the plugins were being loaded made no event.
    await onSettled({ files: targets().files })
  }

  function targets(): WatchTargets {
    const { files, roots, open } = host.watched()
    const folder = dirname(settings.file)
    return {
      files: new Set([...files, ...configDigests.keys()]),
      roots,
      open,
      pluginDirs: new Set(settings.config.pluginDirs.map((directory) => resolve(folder, directory))),
    }
  }

  async function onSettled({ files }: SettledChange): Promise<void> {
    const isConfig = [...files].some((file) => configDigests.has(file) && configDigests.get(file) !== digestOf(file))
    if (isConfig) await reread(files)
    else await host.apply({ changed: files })
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

function warningsOf({ warnings, config }: Settings): readonly string[] {
  return [...warnings, ...configWarnings(config)]
}

/** Settings that the running process cannot take over. */
function restartNeeded(before: Settings, after: Settings): readonly string[] {
  const differs = (read: (settings: Settings) => unknown) => JSON.stringify(read(before)) !== JSON.stringify(read(after))
  return [
    ...(differs(({ config }) => config.listen) ? ['listen'] : []),
    ...(differs(({ config }) => config.log) ? ['log'] : []),
    ...(differs(({ config }) => config.cache) ? ['cache'] : []),
  ]
}
