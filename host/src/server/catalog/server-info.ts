import packageJson from '../../../package.json' with { type: 'json' }
import type { ResolvedConfig } from '../../config/schema/schema.ts'

/** MCP's `Implementation`: what clients show of this server. */
export interface ServerInfo {
  readonly name: string
  readonly title?: string
  readonly version: string
}

/** `server` of the config. The version is the host's: it is what a bug report needs. */
export function serverInfo({ name, title }: ResolvedConfig['server']): ServerInfo {
  return Object.freeze({ name, ...(title !== undefined && { title }), version: packageJson.version })
}
