import { dirname } from 'node:path'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { quietLog, readSettings, type FileOptions, type Settings } from '../from-file.ts'
import { readLock } from '../pin/lock/read-lock.ts'
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

/**
 * The project once for each deployment of the config. Its parts outside of `deployments` are one of their own when nothing else is, or
 * when the lock has them. Throws `CONFIG_…` and `LOCK_…`.
 */
export async function openEveryDeployment(options: FileOptions): Promise<readonly Project[]> {
  const base = await openProject({ ...options, deployment: undefined })
  const named = Object.keys(base.settings.given.deployments ?? {})
  const lock = await readLock(base.lockFile)
  const hasBase = named.length === 0 || lock?.deployments[base.deployment] !== undefined
  const others: Project[] = []
  for (const deployment of named) others.push(await openProject({ ...options, deployment }))
  return hasBase ? [base, ...others] : others
}

/** Reads the config. Throws `CONFIG_…`. */
export async function openProject(options: FileOptions): Promise<Project> {
  const log = quietLog(createRedactor())
  const settings = await readSettings(options, log)
  const configDir = dirname(settings.file)
  return { settings, configDir, lockFile: lockPath(configDir), deployment: settings.config.deployment, log }
}
