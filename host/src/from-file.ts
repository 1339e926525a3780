import { loadConfig, type LoadedConfig } from './config/file/load-config.ts'
import { resolveConfig } from './config/file/resolve-config.ts'
import type { HostConfig, ResolvedConfig } from './config/schema/schema.ts'
import type { Host, HostContext } from './types.ts'
import { createLogger, silentLogger, type LogLevel } from './observability/logger.ts'
import { createRedactor, type Redactor } from './observability/redact.ts'
import type { Logger } from '@mcp-patchbay/plugin-api'

/** Where a command finds its config, and the flags that override it. */
export interface FileOptions {
  /** Default: the nearest `mcp.config.*` from the working directory upward. */
  readonly config?: string | undefined
  readonly deployment?: string | undefined
  readonly envFile?: string | undefined
  /** What command-line flags change in the config, after the deployment is merged in. */
  readonly adjust?: ((config: ResolvedConfig) => ResolvedConfig) | undefined
}

/** A config as it is on disk now, with everything it was made from. */
export interface Settings extends Omit<LoadedConfig, 'config'> {
  readonly given: HostConfig
  readonly config: ResolvedConfig
}

/** Reads config, deployment and environment file. Throws `CONFIG_…`. `onFile` hears of each file of the config, also when it fails. */
export async function readSettings(options: FileOptions, log: Logger, onFile?: (file: string) => void): Promise<Settings> {
  const { config: file, deployment, envFile, adjust = (config) => config } = options
  const { config: given, ...loaded } = await loadConfig({
    cwd: process.cwd(),
    file,
    envFile,
    env: process.env,
    log,
    ...(onFile ? { onFile } : {}),
  })
  const { env, source } = loaded
  const resolved = resolveConfig(given, { deployment: deployment ?? nonEmpty(env['MCP_DEPLOYMENT']), env, source })
  return { ...loaded, given, config: adjust(resolved) }
}

/**
 * The host of a config file, for a command that asks it something and ends: quiet, and with every plugin either loaded or
 * failed.
 */
export async function openHost(
  options: FileOptions,
  logOf: (redact: Redactor) => Logger = (redact) => quietLog(redact),
  more: Pick<HostContext, 'middleware'> = {},
): Promise<Host> {
  const redact = createRedactor()
  const log = logOf(redact)
  // Together: a config that is code is read by another process.
  const [{ config, file, env }, { createHost }] = await Promise.all([readSettings(options, log), import('./host.ts')])
  return createHost(config, { file, env, log, redact, patienceMs: Infinity, ...more })
}

/** The log of a command that prints its answer and ends; of events that are `worthwhile` it shows the errors. */
export function quietLog(redact: Redactor, worthwhile: readonly string[] = []): Logger {
  const level = quietLevel()
  if (level !== 'silent' || worthwhile.length === 0) return createLogger({ level, format: 'pretty', redact })
  return errorsOf(createLogger({ level: 'error', format: 'pretty', redact }), worthwhile)
}

function errorsOf(log: Logger, events: readonly string[]): Logger {
  return {
    ...silentLogger,
    error: (event, fields) => (events.includes(event) ? log.error(event, fields) : undefined),
    child: (fields) => errorsOf(log.child(fields), events),
  }
}

/** `PATCHBAY_LOG=debug` shows what a quiet command does. */
function quietLevel(): LogLevel {
  const wanted = process.env['PATCHBAY_LOG']
  return LEVELS.find((level) => level === wanted) ?? 'silent'
}

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'silent']

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
