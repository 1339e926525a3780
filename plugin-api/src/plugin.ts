import type { Static, TObject } from 'typebox'
import type { ClientContext, PluginContext } from './context.ts'
import type { Discovered } from './discovered.ts'
import type { AnyPrompt } from './prompt.ts'
import type { Resource } from './resource.ts'
import type { AnyTool } from './tool.ts'

/** The contract's version. The host refuses a plugin made for another one and says so. */
export const API_VERSION = 1

/** The default export of a plugin module. Stamps the contract's version; the rest is for the compiler. */
export function definePlugin<Config extends TObject, Client>(
  plugin: PluginDefinition<Config, Client>,
): ServicePlugin<Config, Client> {
  return { ...plugin, apiVersion: API_VERSION }
}

export interface ServicePlugin<Config extends TObject = TObject, Client = unknown> extends PluginDefinition<Config, Client> {
  readonly apiVersion: number
}

export interface PluginDefinition<Config extends TObject, Client> {
  /** `snake_case`; the default instance name: prefix of its tools, its log lines and its environment variables. */
  readonly name: string
  /** Shown in listings. A package's own version wins. */
  readonly version?: string
  /** For people and models: what this service is, in one sentence. Clients see it in the server's instructions. */
  readonly description?: string
  /** Environment variables follow from it: `apiUrl` of `github` is `GITHUB_API_URL`. `apiUrl` is also where `http` paths begin. */
  readonly config: Config
  /** False hides the tools and reports `not configured`; it never fails the host. */
  readonly isAuthConfigured: (config: Readonly<Static<Config>>) => boolean
  /** Where the service says how one comes by a credential: errors about credentials link to it. */
  readonly docsUrl?: string
  /** What a credential must be allowed at the service, in the service's own words: errors about credentials name them. */
  readonly scopes?: readonly string[]
  /** How each credential of the config is put on a request, where it is not the usual way. */
  readonly credentials?: CredentialPlacement
  /** Headers the service wants on every request, such as `Accept` or an API version. */
  readonly headers?: Readonly<Record<string, string>>
  /** Called once per tenant and credential. The host disposes the client when it drains. */
  readonly createClient: (ctx: ClientContext<Static<Config>>) => Client | Promise<Client>
  readonly tools: readonly AnyTool<Client>[]
  readonly resources?: readonly Resource<Client>[]
  readonly prompts?: readonly AnyPrompt<Client>[]
  /**
   * Tools, resources and prompts that only its config or its service can name. Runs once for each version, after config and credentials
   * and before `start`, within the time that loading may take; what it gives is checked and pinned as if it were written here. The same
   * config must give the same, or it cannot be locked. `signal` aborts when the attempt is given up.
   */
  readonly discover?: (
    ctx: Omit<PluginContext<Static<Config>>, 'keep' | 'resourceChanged'>,
  ) => Discovered<Client> | Promise<Discovered<Client>>
  /** Background work. What it returns is disposed after the last call of this generation. */
  readonly start?: (ctx: PluginContext<Static<Config>>) => Started | Promise<Started>
  /**
   * Files that it depends on besides its modules, such as prompts it reads, as globs relative to its folder: `['prompts/**']`. A host that
   * watches reloads the plugin when one of them changes, comes or goes.
   */
  readonly watch?: readonly string[]
  /** What it needs beyond its own service. Granted in `mcp.config.ts`, recorded in the lock file. */
  readonly capabilities?: Capabilities
}

/** A plugin of which neither config nor client is known; every `ServicePlugin` is one. What an embedder gives to the host, and tests to the kit. */
export type AnyPlugin = Omit<ServicePlugin<TObject, never>, 'isAuthConfigured' | 'createClient' | 'discover' | 'start'> & {
  readonly isAuthConfigured: (config: never) => boolean
  readonly createClient: (ctx: never) => unknown
  readonly discover?: (ctx: never) => Discovered<never> | Promise<Discovered<never>>
  readonly start?: (ctx: never) => Started | Promise<Started>
}

export type Started = void | Disposable | AsyncDisposable | (() => void | Promise<void>)

/** Where a credential goes: `Authorization: Bearer …` is `{ header: 'Authorization', scheme: 'Bearer' }`, `?key=…` is `{ query: 'key' }`. */
export interface CredentialPlacement {
  /** Default `Authorization: Bearer`. */
  readonly oauth?: Placement
  /** Default `Authorization: Bearer`. */
  readonly personalToken?: Placement
  /** Default `X-API-Key`, no scheme. */
  readonly apiKey?: Placement
  /** Default `Authorization: Basic`. */
  readonly basic?: Placement
}

/** One place of a request. In the query and in a cookie it stands alone, without a scheme. */
export type Placement =
  | { readonly header: string; readonly scheme?: string; readonly query?: never; readonly cookie?: never }
  | { readonly query: string; readonly header?: never; readonly cookie?: never }
  | { readonly cookie: string; readonly header?: never; readonly query?: never }

export interface Capabilities {
  /** Origins beyond the one of `apiUrl` (`https://uploads.example.com`), or `public` for any public address. */
  readonly hosts?: readonly string[]
  /** Environment variables beyond those of its config. */
  readonly env?: readonly string[]
  readonly fs?: { readonly read?: readonly string[]; readonly write?: readonly string[] }
  /** `raw`: secrets of the config can be revealed to the plugin. */
  readonly credentials?: 'brokered' | 'raw'
  /** Loads native addons. */
  readonly native?: boolean
}
