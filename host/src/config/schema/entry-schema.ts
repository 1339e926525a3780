import { globs, names, section } from './schema-parts.ts'
import { serverKeys } from './server/server-schema.ts'
import { Type } from '../../data/type.ts'

const ORIGINS = 'Origins beyond the one of its `apiUrl` (`https://uploads.example.com`), or `public` for any public address'

const capabilitiesSchema = section('What the plugin is granted beyond its own service; what is left out is not granted', {
  hosts: names(ORIGINS),
  env: names('Environment variables beyond those of its config'),
  fs: section('Files and folders beyond its own, relative to the config file', {
    read: names('What it may read'),
    write: names('What it may write'),
  }),
  credentials: Type.Enum(['brokered', 'raw'], {
    description: '`raw`: the plugin itself sees its secrets; `brokered`: only the host does',
    default: 'brokered',
  }),
  native: Type.Boolean({ description: 'May load compiled addons', default: false }),
})

const httpSchema = section('How the host talks to the service, where that differs from its defaults', {
  caFile: Type.Optional(Type.String({ description: 'PEM file of further certificate authorities, relative to the config file' })),
  certFile: Type.Optional(
    Type.String({ description: 'PEM file of the certificate that the host shows the service, relative to the config file' }),
  ),
  keyFile: Type.Optional(Type.String({ description: 'PEM file of its key' })),
  proxyUrl: Type.Optional(
    Type.String({ description: 'HTTP proxy that every request goes through: `http://user:password@proxy:3128`', format: 'uri' }),
  ),
  sslVerify: Type.Optional(
    Type.Boolean({
      description:
        'False: the certificate of the service, and of nothing else, is not checked; told at every start. Default: true',
    }),
  ),
  http2: Type.Optional(Type.Boolean({ description: 'HTTP/2 where the service offers it. Default: true' })),
  connectTimeoutMs: Type.Optional(Type.Integer({ description: 'For TCP and TLS together', minimum: 1 })),
  headersTimeoutMs: Type.Optional(Type.Integer({ description: 'From the request to the head of the answer', minimum: 1 })),
  bodyTimeoutMs: Type.Optional(Type.Integer({ description: 'From the head of the answer to its last byte', minimum: 1 })),
  maxConnections: Type.Optional(Type.Integer({ description: 'At a time, to one origin', minimum: 1 })),
})

const exchangeSchema = Type.Object(
  {
    tokenUrl: Type.String({ description: "The token endpoint of the callers' authorization server", format: 'uri' }),
    clientId: Type.String({ description: 'As whom the host asks there', minLength: 1 }),
    clientSecretVariable: Type.Optional(
      Type.String({ description: 'Environment variable that holds the client secret', minLength: 1 }),
    ),
    audience: Type.Optional(Type.String({ description: 'The service, by the name that server knows it by', minLength: 1 })),
    resource: Type.Optional(Type.String({ description: 'The service, by its address', format: 'uri' })),
    scope: Type.Optional(Type.String({ description: 'What the token is to grant', minLength: 1 })),
  },
  {
    description: 'RFC 8693: the access token of a caller is exchanged for one of this service, which its calls then go with',
    additionalProperties: false,
  },
)

const oauthSchema = Type.Object(
  {
    issuer: Type.Optional(
      Type.String({ description: "The service's authorization server, whose metadata names the endpoints", format: 'uri' }),
    ),
    preset: Type.Optional(
      Type.Enum(['github', 'slack'], {
        description: 'Endpoints that the host knows. Default: that of the plugin of this name, where no endpoints are given',
      }),
    ),
    authorizationUrl: Type.Optional(Type.String({ description: 'Where a person consents', format: 'uri' })),
    tokenUrl: Type.Optional(Type.String({ description: 'The token endpoint', format: 'uri' })),
    revocationUrl: Type.Optional(Type.String({ description: 'Where tokens are taken back (RFC 7009)', format: 'uri' })),
    deviceUrl: Type.Optional(Type.String({ description: 'The device authorization endpoint (RFC 8628)', format: 'uri' })),
    clientId: Type.Optional(
      Type.String({
        description:
          'As which OAuth client the host asks. Left out, at an MCP server elsewhere it is known by its metadata document, or registers itself (RFC 7591)',
        minLength: 1,
      }),
    ),
    clientSecretVariable: Type.Optional(
      Type.String({
        description:
          'Environment variable that holds the client secret; with `_FILE` at its end, one that names its file. Left out: a public client',
        minLength: 1,
      }),
    ),
    clientAuthentication: Type.Optional(
      Type.Enum(['basic', 'post'], {
        description: 'How the client secret is sent. Default: as the metadata or the preset says, else `basic`',
      }),
    ),
    scopes: Type.Optional(
      Type.Array(Type.String({ pattern: String.raw`^[!#-\[\]-~]+$`, title: 'a scope: no spaces, quotes or backslashes' }), {
        description: 'What a linked account grants. Default: what the service grants without any',
      }),
    ),
    resource: Type.Optional(Type.String({ description: 'The service as the audience of the tokens (RFC 8707)', format: 'uri' })),
    parameters: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Further parameters of the authorization request: `access_type: offline`, `prompt: consent`',
      }),
    ),
  },
  {
    description:
      'The OAuth client with which callers link their own accounts of this service; needs `auth.accounts`. Their calls go with these',
    additionalProperties: false,
  },
)

const overrideSchema = section('What the operator says of one tool instead of what the plugin says', {
  title: Type.Optional(Type.String({ description: 'For people' })),
  description: Type.Optional(Type.String({ description: 'For the model', minLength: 1 })),
  permissions: Type.Optional(Type.Array(Type.String(), { description: 'Every one of these must be granted to the caller' })),
  timeoutMs: Type.Optional(Type.Integer({ description: 'Instead of `limits.callTimeoutMs`', minimum: 1 })),
  access: Type.Optional(
    Type.Enum(['read', 'write'], { description: 'Whether it changes anything; as `read` its requests may not write either' }),
  ),
  approval: Type.Optional(
    Type.Enum(['required', 'none'], {
      description: "`required`: a person says yes to each call; `none`: not for `tools.approval`, but for the plugin's own wish",
    }),
  ),
})

/** One element of `plugins`, written out. */
export const entrySchema = section('One plugin under one name', {
  use: Type.String({
    description:
      'A folder or file beginning with `./`, relative to the config file, the name of an installed npm package, `openapi:` and an OpenAPI description, or an MCP server: `mcp:npm:NAME`, `mcp:exec`, `mcp:https://…`',
    minLength: 1,
  }),
  as: Type.Optional(
    Type.String({
      description: "Instance name: prefix of its tools and environment variables. Default: the plugin's own name",
      pattern: '^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$',
      maxLength: 64,
      title: 'a name in snake_case, a to z and 0 to 9',
    }),
  ),
  version: Type.Optional(
    Type.String({
      description: 'The only version that is accepted',
      pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?$',
      title: 'an exact version such as 2.3.1',
    }),
  ),
  integrity: Type.Optional(
    Type.String({
      description: 'The only package content that is accepted, as npm writes it',
      pattern: '^sha512-[A-Za-z0-9+/]{86}==$',
      title: 'a digest as package-lock.json has it: sha512-…',
    }),
  ),
  config: Type.Record(Type.String(), Type.Unknown(), {
    description: "Values of the plugin's own config; environment variables go before them",
    default: {},
  }),
  operations: Type.Optional(
    Type.Object(
      {
        allow: Type.Optional(
          Type.Array(Type.String({ minLength: 1 }), {
            description: 'Tools are those that match: `METHOD /path`, a tag or an operationId',
          }),
        ),
        deny: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description: 'Of those, not the ones that match' })),
      },
      { description: 'Of an entry with `openapi:`, which operations become tools; `*` is anything', additionalProperties: false },
    ),
  ),
  ...serverKeys,
  tools: section('Which of its tools are served; names without the instance prefix', {
    allow: globs('Served are those that match', ['*']),
    deny: globs('Of those, not served are those that match'),
  }),
  readOnly: Type.Boolean({ description: 'Serve only tools with read access', default: false }),
  isolation: Type.Optional(
    Type.Enum(['inline', 'process'], {
      description: 'Where its code runs: in the host, or in a process of its own. Default: `inline` for paths, `process` for npm',
    }),
  ),
  idleMs: Type.Optional(
    Type.Integer({
      description:
        'In a process of its own: instead of `limits.pluginIdleMs`, and also for a plugin whose `start` works in the background, which is not ended otherwise. 0: never',
      minimum: 0,
    }),
  ),
  capabilities: capabilitiesSchema,
  watch: Type.Array(Type.String({ minLength: 1 }), {
    description: 'With `--watch`, files that it also depends on, as globs relative to its folder: `prompts/**`',
    default: [],
  }),
  required: Type.Boolean({ description: 'The host is not ready while this plugin is down', default: false }),
  overrides: Type.Record(Type.String(), overrideSchema, {
    description: 'By tool name without the instance prefix',
    default: {},
  }),
  allowRequestCredentials: Type.Boolean({
    description:
      'Whether callers may send a credential of their own for this service, `X-Upstream-<INSTANCE>-Authorization`; without, such a request is refused',
    default: true,
  }),
  serverCredentials: Type.Optional(
    Type.Enum(['deny', 'allow', 'readOnly'], {
      description:
        "Whether callers over HTTP may use the server's own credentials of this service. Default: `auth.serverCredentials`",
    }),
  ),
  exchange: Type.Optional(exchangeSchema),
  oauth: Type.Optional(oauthSchema),
  http: httpSchema,
})
