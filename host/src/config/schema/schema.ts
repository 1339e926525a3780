import type { AnyPlugin } from '@mcp-patchbay/plugin-api'
import type { Static } from 'typebox'
import { authSchema } from './auth-schema.ts'
import { withDefaults, type Fixed } from './defaults.ts'
import { entrySchema } from './entry-schema.ts'
import { listenSchema, type httpSchema, type managementSchema } from './listen-schema.ts'
import { globs, milliseconds, section } from './schema-parts.ts'
import { Type } from '../../data/type.ts'

/** What a deployment may change: everything but the deployments themselves. */
const parts = {
  plugins: Type.Array(Type.Union([Type.String({ minLength: 1 }), entrySchema]), {
    description: 'The plugins; a string is short for { use: … }',
    default: [],
  }),
  pluginDirs: Type.Array(Type.String({ minLength: 1 }), {
    description: 'Folders in which every folder and module is a plugin, relative to the config file',
    default: [],
  }),
  tools: section('Which tools are served, of all plugins; full names', {
    allow: globs('Served are those that match', ['*']),
    deny: globs('Of those, not served are those that match'),
    toolsets: Type.Record(Type.String(), globs('Its tools'), { description: 'Named selections of tools', default: {} }),
    enable: Type.Optional(
      Type.Array(Type.String(), { description: 'Serve only tools of these toolsets. Left out: all tools. Empty: none' }),
    ),
    approval: globs(
      'A person says yes to each call of those that match; `write` and `destructive` are all that change or destroy',
    ),
    search: Type.Union(
      [
        Type.Boolean(),
        section('When, and what is listed all the same', {
          above: Type.Integer({ description: 'Only for callers who see more tools than this', default: 0, minimum: 0 }),
          always: globs('Listed as well, besides being found'),
        }),
      ],
      {
        description: 'List tools_search, tools_describe and tools_call in place of the tools, which are found and called by them',
        default: false,
      },
    ),
  }),
  server: section('What clients show of this server; two hosts in one client should differ', {
    name: Type.String({
      description: 'For programs',
      default: 'patchbay',
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
      maxLength: 64,
      title: 'a name of letters, digits, dots, hyphens and underscores',
    }),
    title: Type.Optional(Type.String({ description: 'For people. Default: the name', minLength: 1, maxLength: 128 })),
    instructions: Type.Optional(
      Type.String({
        description: 'For the model, before what the host says of its services',
        minLength: 1,
        maxLength: 16_384,
      }),
    ),
  }),
  readOnly: Type.Boolean({ description: 'Serve only tools with read access', default: false }),
  listen: listenSchema,
  auth: authSchema,
  compat: section('Behaviour of older set-ups', {
    authorizationIsUpstream: Type.Boolean({
      description:
        'Send the Authorization or X-API-Key header of a request on to the service. Only for one plugin on loopback with inbound auth `none`',
      default: false,
    }),
  }),
  tenants: Type.Record(
    Type.String(),
    section('What is different for one tenant', {
      plugins: Type.Record(
        Type.String(),
        section('One plugin', {
          config: Type.Record(Type.String(), Type.Unknown(), { description: "Over the plugin's own config", default: {} }),
        }),
        { description: 'By instance name', default: {} },
      ),
      tools: section('Which of the served tools its callers see; full names', {
        allow: globs('Those that match', ['*']),
        deny: globs('Of those, not the ones that match'),
      }),
      readOnly: Type.Boolean({ description: 'Only tools with read access', default: false }),
    }),
    { description: 'By tenant', default: {} },
  ),
  cache: section('Results, lists and tokens that are kept', {
    store: Type.String({
      description: '`memory`, `sqlite:` and a file, or `redis://` and a host, which replicas share',
      default: 'memory',
      pattern: '^(?:memory|sqlite:.+|rediss?://.+)$',
      title: 'memory, sqlite:./data/cache.db or redis://host:6379',
    }),
    ttlMs: milliseconds('For how long, where nothing else says so', 60_000),
    maxEntries: Type.Integer({ description: 'In memory; the least recently used go', default: 10_000, minimum: 1 }),
  }),
  limits: section('What a call, a plugin and a caller may take', {
    callTimeoutMs: milliseconds('A tool that has not answered by then is cancelled', 60_000),
    loadTimeoutMs: milliseconds('For a plugin to import and to start', 10_000),
    leaveMs: milliseconds(
      'Still serves so long after it was told to stop, while /readyz says no: for balancers to notice. 5000 suits most',
      0,
    ),
    drainMs: milliseconds('For calls in flight when their plugin is replaced, or the host ends', 30_000),
    pluginHeapMb: Type.Integer({ description: 'JavaScript heap of a plugin in its own process', default: 256, minimum: 32 }),
    pluginMemoryMb: Type.Integer({
      description: 'All memory of a plugin in its own process, on Linux; one that holds more is restarted',
      default: 512,
      minimum: 96,
    }),
    pluginIdleMs: Type.Integer({
      description:
        'A plugin in its own process, or an MCP server, that was not called for so long is ended until it is called again; 0: never',
      default: 600_000,
      minimum: 0,
    }),
    resultBytes: Type.Integer({ description: 'A longer result is an error', default: 1_048_576, minimum: 1_024 }),
    bodyBytes: Type.Integer({ description: 'A longer request is refused', default: 4_194_304, minimum: 1_024 }),
    rate: Type.Optional(
      Type.Object(
        {
          callsPerMinute: Type.Integer({ description: 'On average', minimum: 1 }),
          burst: Type.Optional(Type.Integer({ description: 'At once. Default: a tenth of a minute', minimum: 1 })),
          per: Type.Optional(Type.Enum(['principal', 'tenant'], { description: 'Whose calls are counted. Default: principal' })),
          tenant: Type.Optional(
            Type.Object(
              {
                callsPerMinute: Type.Integer({ description: 'On average', minimum: 1 }),
                burst: Type.Optional(Type.Integer({ description: 'At once. Default: a tenth of a minute', minimum: 1 })),
              },
              { description: 'Besides: the calls of all principals of one tenant together', additionalProperties: false },
            ),
          ),
        },
        { description: 'Calls beyond it are refused with the time to wait. Left out: no limit', additionalProperties: false },
      ),
    ),
  }),
  log: section('Lines on stderr', {
    level: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
      description: 'The least that is shown',
      default: 'info',
    }),
    format: Type.Optional(Type.Enum(['json', 'pretty'], { description: 'Default: `json`, and `pretty` on a terminal' })),
    audit: Type.Optional(
      Type.Boolean({
        description:
          'A line `audit` for each call that was let through or refused. Default: true where callers prove who they are',
      }),
    ),
  }),
  middleware: Type.Array(Type.String({ minLength: 1 }), {
    description: 'Modules of yours around requests and calls, the first outermost; paths relative to the config file',
    default: [],
  }),
  frozen: Type.Optional(
    Type.Union([Type.Boolean(), Type.Literal('strict')], {
      description:
        'Run only what mcp.lock.json pins, and watch nothing. `strict`: do not start at all when a plugin or tool is not what it pins. Default: true when NODE_ENV is production',
    }),
  ),
}

/** One of `deployments`: any part of the config; an entry of its `plugins` may leave `use` out when `as` says which one it changes. */
const deploymentSchema = section('Merged over the rest of the config when it is picked', {
  ...parts,
  plugins: Type.Array(
    Type.Union([
      Type.String({ minLength: 1 }),
      Type.Object({ ...entrySchema.properties, use: Type.Optional(entrySchema.properties.use) }, { additionalProperties: false }),
    ]),
    {
      description: 'Changes the entries of the same name, adds the others',
      default: [],
    },
  ),
})

/** The whole of `mcp.config.ts` as plain JSON Schema: every key with its meaning and its default. */
export const configSchema = section('mcp.config.ts', {
  ...parts,
  deployments: Type.Record(Type.String(), deploymentSchema, {
    description: 'By name; --deployment or MCP_DEPLOYMENT picks one',
    default: {},
  }),
})

/** `mcp.config.ts` as people write it. */
export interface HostConfig extends Omit<Given<Static<typeof configSchema>>, 'plugins' | 'deployments'> {
  readonly plugins?: readonly (string | EntryConfig)[] | undefined
  readonly deployments?: Readonly<Record<string, DeploymentConfig>> | undefined
}

/** One element of `plugins` as people write it. */
export interface EntryConfig extends Omit<Given<Static<typeof entrySchema>>, 'use'> {
  readonly use: string
}

/** One of `deployments` as people write it. */
export interface DeploymentConfig extends Omit<HostConfig, 'plugins' | 'deployments'> {
  readonly plugins?: readonly (string | (Omit<EntryConfig, 'use'> & { readonly use?: string | undefined }))[] | undefined
}

/** The config an embedder hands to `createHost`: a plugin may also be the object that `definePlugin` returned. */
export interface EmbeddedConfig extends Omit<HostConfig, 'plugins'> {
  readonly plugins?: readonly (string | EmbeddedEntry)[] | undefined
}

export interface EmbeddedEntry extends Omit<EntryConfig, 'use'> {
  readonly use: string | AnyPlugin
}

/** One plugin of the host, every key decided. */
export interface PluginEntry extends Omit<Fixed<Static<typeof entrySchema>>, 'use' | 'isolation'> {
  readonly use: string | AnyPlugin
  readonly isolation: 'inline' | 'process'
}

/** The config the host runs by: one deployment merged in, every default applied, frozen. */
export interface ResolvedConfig extends Omit<
  Fixed<Static<typeof configSchema>>,
  'plugins' | 'listen' | 'frozen' | 'deployments'
> {
  readonly plugins: readonly PluginEntry[]
  /** Undefined is not listened on. */
  readonly listen: {
    readonly stdio: boolean
    readonly http: HttpListen | undefined
    readonly management: ManagementListen | undefined
  }
  readonly frozen: boolean
  /** Frozen, and a plugin or tool that is not what the lock pins keeps the host from starting. */
  readonly strict: boolean
  /** The deployment that was picked; `default` when none was. */
  readonly deployment: string
}

export type HttpListen = Fixed<Static<typeof httpSchema>>
export type ManagementListen = Fixed<Static<typeof managementSchema>>

/** Writes one element of `plugins` out. Expects it to be valid. */
export function normalizeEntry(entry: string | EmbeddedEntry): PluginEntry {
  const { use, isolation, ...rest } = typeof entry === 'string' ? { use: entry } : entry
  const decided = withDefaults(entrySchema, { ...rest, use: '' })
  return Object.freeze({ ...decided, use, isolation: isolation ?? (isPackage(use) ? 'process' : 'inline') })
}

/** Whether `use` is the name of a package, and not a path or an object. */
export function isPackage(use: string | AnyPlugin): boolean {
  return typeof use === 'string' && !/^(?:\.|\/|[a-z]:[\\/])/i.test(use)
}

/** Every object may leave out what has a default; elements of arrays are whole. */
type Given<Value> = Value extends readonly (infer Item)[]
  ? readonly Fixed<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]?: Given<Value[Key]> | undefined }
    : Value
