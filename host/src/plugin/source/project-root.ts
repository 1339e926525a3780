import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readManifest } from './plugin-manifest.ts'

/**
 * How far paths of a config may lead: the root of its repository, or of its npm or pnpm workspace where there is no repository; without
 * either, the folder of the config.
 */
export function projectRoot(configDir: string): string {
  let workspace: string | undefined
  for (let at = configDir; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at
    if (!workspace && isWorkspace(at)) workspace = at
    if (at === dirname(at)) return workspace ?? configDir
  }
}

function isWorkspace(folder: string): boolean {
  return existsSync(join(folder, 'pnpm-workspace.yaml')) || readManifest(folder)['workspaces'] !== undefined
}
