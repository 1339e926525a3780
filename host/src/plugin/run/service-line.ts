import type { Logger } from '@mcp-patchbay/plugin-api'
import type { CredentialPolicy, CredentialUseOf } from '../../auth/outbound/credential-use.ts'
import type { ServiceHttp } from '../../network/http-client.ts'
import type { PluginEntry } from '../../config/schema/schema.ts'
import type { PluginSurface } from '../source/describe-surface.ts'

/** A plugin's way to its service. */
export interface ServiceLine {
  readonly http: ServiceHttp
  readonly credentialUse: CredentialUseOf
}

/** What the network layer must know to make a plugin's `http`. */
export interface HttpOptions {
  readonly instance: string
  /** Of the plugin or its package. */
  readonly version: string | undefined
  readonly surface: PluginSurface
  readonly entry: PluginEntry
  readonly config: Readonly<Record<string, unknown>>
  readonly secrets: ReadonlyMap<string, string>
  /** Where each value of the config came from. */
  readonly sources: Readonly<Record<string, string>>
  /** What its environment variables begin with. */
  readonly prefix: string
  readonly policy: CredentialPolicy
  readonly log: Logger
}
