import type { Fault, PathPart } from './fault.ts'
import type { PluginEntry, ResolvedConfig } from './schema.ts'
import { isSafeUrl } from './secure-url.ts'

/** What `auth.accounts` and `oauth` of the entries must not say. */
export function accountFaults(config: Pick<ResolvedConfig, 'auth' | 'plugins' | 'cache'>): readonly Fault[] {
  return [...storeFaults(config), ...config.plugins.flatMap((entry, index) => entryFaults(entry, index, config))]
}

/** The folder of `auth.accounts.store`, where it is not `cache`. `file:` before it says the same. */
export function accountFolder(store: string): string {
  return store.replace(/^file:/, '')
}

/** The endpoints of a preset are the host's; the names are those of `oauth.preset`. */
export function presetOf({ use, oauth }: Pick<PluginEntry, 'use' | 'oauth'>): string | undefined {
  if (!oauth || oauth.issuer !== undefined || oauth.authorizationUrl !== undefined) return oauth?.preset
  if (oauth.preset !== undefined) return oauth.preset
  const name = typeof use === 'string' ? lastPart(use) : use.name
  return PRESETS.find((preset) => preset === name)
}

/** The address of an entry that is an MCP server elsewhere. */
export function remoteAddress({ use }: Pick<PluginEntry, 'use'>): string | undefined {
  const [, url] = typeof use === 'string' ? (/^mcp:(https?:.+)$/i.exec(use) ?? []) : []
  return url
}

const PRESETS = ['github', 'slack'] as const

/** `github` of `./plugins/github`, `./plugins/github/index.ts` and `@mcp-patchbay/plugin-github`. */
function lastPart(use: string): string {
  const last =
    use
      .replace(/[\\/]index\.[a-z]+$/, '')
      .split(/[\\/]/)
      .at(-1) ?? ''
  return last.replace(/\.[a-z]+$/, '').replace(/^(?:mcp-)?plugin-/, '')
}

function storeFaults({ auth: { accounts, inbound }, cache }: Pick<ResolvedConfig, 'auth' | 'cache'>): readonly Fault[] {
  if (!accounts) return []
  const faults: Fault[] = []
  const fault = (path: readonly PathPart[], problem: string) => void faults.push({ path: ['auth', 'accounts', ...path], problem })
  const { store, login } = accounts
  if (store === 'cache' && !/^rediss?:/.test(cache.store))
    fault(['store'], 'is "cache", but cache.store is not a Redis, which replicas share: give a folder, or a redis:// URL there')
  else if (/^[a-z][a-z0-9+.-]+:/i.test(store) && !store.startsWith('file:') && !/^[a-z]:[\\/]/i.test(store))
    fault(['store'], 'is a URL: give a folder, or "cache" for the Redis of cache.store')
  if (!login) return faults
  if (!isSafeUrl(login.issuer)) fault(['login', 'issuer'], UNSAFE)
  const issuers = inbound.oauth?.issuers.map(({ issuer }) => issuer) ?? []
  if (!issuers.includes(login.issuer))
    fault(
      ['login', 'issuer'],
      'is not one of auth.inbound.oauth.issuers: who logs in elsewhere cannot be told to be the caller of a token',
    )
  return faults
}

function entryFaults(
  { use, oauth }: PluginEntry,
  index: number,
  { auth: { accounts, inbound } }: Pick<ResolvedConfig, 'auth'>,
): readonly Fault[] {
  if (!oauth) return []
  const faults: Fault[] = []
  const fault = (key: string | undefined, problem: string) =>
    void faults.push({ path: ['plugins', index, 'oauth', ...(key === undefined ? [] : [key])], problem })
  if (typeof use === 'string' && /^mcp:(?!https?:)/.test(use))
    fault(undefined, 'is for plugins whose requests the host sends: a server in a process of its own sends them itself')
  const isRemote = remoteAddress({ use }) !== undefined
  if (oauth.clientId === undefined && !isRemote)
    fault('clientId', 'is missing: only an MCP server elsewhere is asked to register a client')
  if (oauth.clientId === undefined && oauth.clientSecretVariable !== undefined)
    fault('clientSecretVariable', 'is the secret of no client: give its clientId')
  if (!accounts) fault(undefined, 'needs auth.accounts: the store and the key of the tokens')
  else if ((inbound.mode === 'oauth' || inbound.mode === 'any') && !accounts.login)
    fault(undefined, 'needs auth.accounts.login: without it no page can tell who is in front of it')
  for (const key of ['issuer', 'authorizationUrl', 'tokenUrl', 'revocationUrl', 'deviceUrl', 'resource'] as const) {
    const url = oauth[key]
    if (url === undefined) continue
    if (!isSafeUrl(url)) fault(key, UNSAFE)
    else if (url.includes('#')) fault(key, 'has a fragment, which no endpoint has')
  }
  if ((oauth.authorizationUrl === undefined) !== (oauth.tokenUrl === undefined))
    fault(
      oauth.authorizationUrl === undefined ? 'tokenUrl' : 'authorizationUrl',
      'needs authorizationUrl and tokenUrl together, or the issuer whose metadata names them',
    )
  else if (
    !isRemote &&
    oauth.issuer === undefined &&
    oauth.authorizationUrl === undefined &&
    presetOf({ use, oauth }) === undefined
  )
    fault(undefined, 'names no endpoints: give the issuer, or authorizationUrl and tokenUrl, or a preset')
  const own = Object.keys(oauth.parameters ?? {}).find((name) => RESERVED.has(name))
  if (own !== undefined) fault('parameters', `has ${JSON.stringify(own)}, which the host sets itself`)
  return faults
}

const UNSAFE = 'must be https, or http on a loopback address, without a user name'
const RESERVED: ReadonlySet<string> = new Set([
  'client_id',
  'client_secret',
  'code_challenge',
  'code_challenge_method',
  'redirect_uri',
  'resource',
  'response_type',
  'scope',
  'state',
])
