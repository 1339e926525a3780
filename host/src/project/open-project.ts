import { dirname } from 'node:path'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { quietLog, readSettings, type FileOptions, type Settings } from '../from-file.ts'
import { createRedactor } from '../observability/redact.ts'
import { lockPath } from '../plugin/lock-file.ts'

/** A config file with what belongs to it, for a command that changes or compares it. */
export interface Project {
  readonly settings: Settings
  /** Paths in the config are relative to it; the lock, package.json and node_modules lie in it. */
  readonly configDir: string
  readonly lockFile: string
  readonly deployment: string
  readonly log: Logger
}

/** Reads the config. Throws `CONFIG_…`. */
export async function openProject(options: FileOptions): Promise<Project> {
  const log = quietLog(createRedactor())
  const settings = await readSettings(options, log)
  const configDir = dirname(settings.file)
  return { settings, configDir, lockFile: lockPath(configDir), deployment: settings.config.deployment, log }
}
