import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ResolvedConfig } from '../../config/schema/schema.ts'
import { hostError } from '../../errors.ts'
import type { Project } from '../open-project.ts'
import type { Started } from './mcp-clients.ts'

/** The command line that starts this project's host over stdio, from any folder and with any PATH: every path in it is absolute. */
export function hostCommand({ settings: { file }, configDir }: Project, options: HostCommandOptions): Started {
  const { deployment, envFile, node = process.execPath } = options
  return {
    command: lastingNode(node),
    args: [
      commandFile(configDir),
      'start',
      '--stdio',
      '--config',
      file,
      ...(deployment === undefined ? [] : ['--deployment', deployment]),
      ...(envFile === undefined ? [] : ['--dotenv', resolve(envFile)]),
    ],
  }
}

export interface HostCommandOptions {
  readonly deployment?: string | undefined
  readonly envFile?: string | undefined
  /** The program that runs the host. Default: the one that runs this. */
  readonly node?: string
}

/** Homebrew keeps a release in a folder of its own, and takes it away with the next one; `opt` leads to the newest. */
export function lastingNode(node: string, exists: (path: string) => boolean = existsSync): string {
  const lasting = node.replace(/\/Cellar\/([^/]+)\/[^/]+\//, '/opt/$1/')
  return exists(lasting) ? lasting : node
}

/** The command of the project, where it is installed there; else the one that runs, which may be in a cache of npx. */
function commandFile(configDir: string): string {
  const own = fileURLToPath(new URL('bin/patchbay.mjs', import.meta.resolve('mcp-patchbay/package.json')))
  try {
    const installed = createRequire(join(configDir, 'package.json')).resolve('mcp-patchbay/package.json')
    return join(installed, '../bin/patchbay.mjs')
  } catch {
    return own
  }
}

/** Whether npm may take the command away: it keeps there what npx has fetched. */
export function isInCache({ args }: Started): boolean {
  return /[\\/]_npx[\\/]/.test(args[0] ?? '')
}

/** The address under which a client on this machine finds the host. Throws `CLIENT_HTTP`. */
export function hostAddress({ listen: { http } }: ResolvedConfig, given: string | true): string {
  if (given !== true) {
    if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return given
    throw hostError('CLIENT_HTTP', { problem: `${JSON.stringify(given)} is not an http or https URL` })
  }
  if (!http) throw hostError('CLIENT_HTTP', { problem: 'the config does not listen on HTTP' })
  if (http.port === 0)
    throw hostError('CLIENT_HTTP', { problem: 'listen.http.port is 0, which is another port after each start' })
  const anywhere = /^(?:0\.0\.0\.0|::|\[::\])$/.test(http.host)
  const name = anywhere ? '127.0.0.1' : http.host
  return `http://${name.includes(':') ? `[${name}]` : name}:${http.port}/mcp`
}
