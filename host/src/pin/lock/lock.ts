import type { Static } from 'typebox'
import { normalCapabilities, capabilitiesSchema, type Capabilities } from '../capabilities.ts'
import { digestPattern, type Digest } from '../digest.ts'
import { Type } from '../../data/type.ts'

/** The only version of mcp.lock.json there is. A change that an older host would misread raises it. */
export const lockfileVersion = 1

const closed = { additionalProperties: false } as const
const digest = () => Type.Unsafe<Digest>({ type: 'string', pattern: digestPattern })

const toolSchema = Type.Object({ digest: digest(), access: Type.Enum(['read', 'write']) }, closed)

const words = () => Type.Optional(Type.Array(Type.String()))
/** What the entry of an MCP server says of how it is run. Values of its variables are no part of it: secrets are among them. */
const serverSchema = Type.Object(
  {
    command: words(),
    args: words(),
    env: words(),
    share: Type.Enum(['all', 'caller', 'session']),
    roots: words(),
    name: Type.Optional(Type.String()),
  },
  closed,
)

/** The description of an API: an address has no bytes that are here to be digested. */
const documentSchema = Type.Object({ from: Type.String({ minLength: 1 }), digest: Type.Optional(digest()) }, closed)

const pluginSchema = Type.Object(
  {
    use: Type.String({ minLength: 1 }),
    version: Type.Optional(Type.String({ minLength: 1 })),
    integrity: Type.Optional(Type.String({ pattern: String.raw`^sha\d+-\S+( sha\d+-\S+)*$` })),
    tree: digest(),
    apiVersion: Type.Integer({ minimum: 1 }),
    capabilities: capabilitiesSchema,
    server: Type.Optional(serverSchema),
    document: Type.Optional(documentSchema),
    surface: digest(),
    tools: Type.Record(Type.String({ pattern: '^[a-z0-9_]{1,64}$' }), toolSchema, closed),
  },
  closed,
)

const deploymentSchema = Type.Object(
  { plugins: Type.Record(Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' }), pluginSchema, closed) },
  closed,
)

/** What mcp.lock.json must be. `tools` are keyed without the instance prefix. */
export const lockSchema = Type.Object(
  {
    lockfileVersion: Type.Literal(lockfileVersion),
    deployments: Type.Record(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }), deploymentSchema, closed),
  },
  closed,
)

/** How an MCP server is run; `env` has the names of its variables, in order. */
export interface LockedServer {
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly string[]
  readonly share: 'all' | 'caller' | 'session'
  readonly roots?: readonly string[]
  /** What one that runs elsewhere calls itself: its address is no proof of what answers there. */
  readonly name?: string
}

/** Which description the tools of an API are made of: a file, relative to the lock, with the digest of its bytes, or an address. */
export interface LockedDocument {
  readonly from: string
  readonly digest?: Digest
}

export type LockedTool = Readonly<Static<typeof toolSchema>>

/** What the lock says of one plugin. Absent `version` and `integrity`: a plugin from a path, which has none. */
export interface LockedPlugin {
  readonly use: string
  readonly version?: string
  readonly integrity?: string
  readonly tree: Digest
  readonly apiVersion: number
  readonly capabilities: Capabilities
  /** Of an MCP server. */
  readonly server?: LockedServer
  /** Of an OpenAPI description. */
  readonly document?: LockedDocument
  readonly surface: Digest
  readonly tools: Readonly<Record<string, LockedTool>>
}

export interface Lock {
  readonly lockfileVersion: typeof lockfileVersion
  readonly deployments: Readonly<Record<string, { readonly plugins: Readonly<Record<string, LockedPlugin>> }>>
}

/** A lock that pins nothing. */
export const emptyLock: Lock = Object.freeze({ lockfileVersion, deployments: Object.freeze({}) })

/** What `lock` says of the plugin `name` in `deployment`; undefined when it says nothing, also for names like `constructor`. */
export function lockedPlugin(lock: Lock | undefined, deployment: string, name: string): LockedPlugin | undefined {
  const plugins = own(lock?.deployments, deployment)?.plugins
  return own(plugins, name)
}

/** A new lock in which `name` is pinned as `plugin`, or no longer pinned when `plugin` is undefined. All else stays. */
export function withPlugin(lock: Lock, deployment: string, name: string, plugin: LockedPlugin | undefined): Lock {
  const { [name]: _replaced, ...others } = own(lock.deployments, deployment)?.plugins ?? {}
  const plugins = plugin === undefined ? others : { ...others, [name]: plugin }
  return { lockfileVersion, deployments: { ...lock.deployments, [deployment]: { plugins } } }
}

/** The lock with every part in its one normal form; what the file leaves out is filled in. */
export function normalLock(file: Static<typeof lockSchema>): Lock {
  const deployments = mapValues(file.deployments, ({ plugins }) => ({ plugins: mapValues(plugins, normalPlugin) }))
  return { lockfileVersion, deployments }
}

/** The text of mcp.lock.json: keys always in the same order, so that a diff in review shows only what changed. */
export function formatLock(lock: Lock): string {
  const deployments = mapValues(sortKeys(lock.deployments), ({ plugins }) => ({
    plugins: mapValues(sortKeys(plugins), pluginInFile),
  }))
  return `${JSON.stringify({ lockfileVersion, deployments }, null, 2)}\n`
}

function normalPlugin({ capabilities, ...plugin }: Static<typeof pluginSchema>): LockedPlugin {
  return { ...plugin, capabilities: normalCapabilities(capabilities) }
}

function pluginInFile(plugin: LockedPlugin): object {
  const { use, version, integrity, tree, apiVersion, capabilities, server, document, surface, tools } = plugin
  const { native, ...rest } = normalCapabilities(capabilities)
  return {
    use,
    version,
    integrity,
    tree,
    apiVersion,
    capabilities: native ? { ...rest, native } : rest,
    server,
    document: document && { from: document.from, digest: document.digest },
    surface,
    tools: mapValues(sortKeys(tools), ({ digest: of, access }) => ({ digest: of, access })),
  }
}

function own<Value>(record: Readonly<Record<string, Value>> | undefined, key: string): Value | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined
}

function sortKeys<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
