import { dirname, extname } from 'node:path'
import { realpathSync } from 'node:fs'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { readEnvFile, type Environment } from './dotenv.ts'
import { evaluateConfig } from './evaluate.ts'
import { CONFIG_KINDS, findConfig } from './find.ts'
import { createMask } from '../schema/mask.ts'
import { parseData } from './parse-data.ts'
import type { HostConfig } from '../schema/schema.ts'
import { validateConfig } from './validate-config.ts'
import type { ConfigSource } from './types.ts'

export interface LoadOptions {
  /** Where the search begins, and what `file` and `envFile` are relative to. */
  readonly cwd: string
  /** `--config`: this file and no search. */
  readonly file?: string | undefined
  /** `--dotenv`: instead of `.env` beside the config. */
  readonly envFile?: string | undefined
  /** The real environment. */
  readonly env: Environment
  readonly log: Logger
  /** For a config that is code. Default 5,000. */
  readonly timeoutMs?: number
  /** Called with each file the config is made of as soon as it is known, so that a watcher has it also when the config fails. */
  readonly onFile?: (file: string) => void
}

export interface LoadedConfig {
  /** Checked, without defaults and with its deployments: see `resolveConfig`. */
  readonly config: HostConfig
  /** Absolute. Paths in the config are relative to its folder. */
  readonly file: string
  /** Every file the config is made of, itself included: absolute real paths. */
  readonly files: readonly string[]
  /** Where to look for the line of a fault that is found later. */
  readonly source: ConfigSource
  /** The real environment and below it the environment file. */
  readonly env: Environment
  readonly warnings: readonly string[]
}

/**
 * Finds, reads and checks `mcp.config.{ts,mts,js,mjs,json,yaml,yml}`, again each time. Throws `CONFIG_NOT_FOUND`, `CONFIG_FAILED`,
 * `CONFIG_ENV_FILE` or `CONFIG_INVALID`; nothing the file does or holds ends or blocks the host.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { cwd, log, timeoutMs = 5_000, onFile } = options
  const { warnings, ...source } = await findConfig(cwd, options.file)
  const { file } = source
  const files = new Set<string>()
  const addFile = (path: string) => {
    if (files.has(path)) return
    files.add(path)
    onFile?.(path)
  }
  addFile(realpathSync(file))
  const env = readEnvFile({ folder: dirname(file), file: options.envFile, cwd, env: options.env })
  const mask = createMask(env)
  const kind = CONFIG_KINDS[extname(file)] ?? 'code'
  const value =
    kind === 'code' ? await evaluateConfig(source, { env, timeoutMs, log, onFile: addFile, mask }) : parseData(source, kind, mask)
  return { config: validateConfig(value, source), file, files: [...files], source, env, warnings }
}
