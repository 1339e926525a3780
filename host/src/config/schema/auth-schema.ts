import { globs, section } from './schema-parts.ts'
import { Type } from '../../data/type.ts'

/** Arrays of objects hold no defaults of their own: what an element leaves out, its reader decides. */
const apiKey = Type.Object(
  {
    id: Type.String({
      description: 'Names the key in logs and audit lines; a part of the key itself',
      pattern: '^[a-z0-9][a-z0-9-]{0,39}$',
      title: 'at most 40 characters of a to z, 0 to 9 and -',
    }),
    hash: Type.String({
      description: 'SHA-256 of the key in hex; the key itself is written nowhere',
      pattern: '^(?:sha256:)?[0-9a-f]{64}$',
      title: '64 hexadecimal digits, the SHA-256 of the key',
    }),
    scopes: Type.Array(Type.String(), { description: 'What the key grants; see `auth.permissions`' }),
    tenant: Type.Optional(Type.String({ description: 'Whose data the key opens', minLength: 1 })),
    notAfter: Type.Optional(Type.String({ description: 'When it expires, as an ISO 8601 date and time', format: 'date-time' })),
  },
  { description: 'One API key', additionalProperties: false },
)

const introspection = Type.Object(
  {
    url: Type.String({ description: "The issuer's introspection endpoint", format: 'uri' }),
    clientId: Type.String({ description: 'As whom the host asks', minLength: 1 }),
    clientSecretVariable: Type.String({
      description: 'Environment variable that holds the client secret; with `_FILE` at its end, one that names its file',
      minLength: 1,
    }),
    cacheSeconds: Type.Optional(
      Type.Integer({
        description: 'How long an answer counts, and so how long a revoked token may live on. Default 30',
        minimum: 0,
        maximum: 300,
      }),
    ),
  },
  { description: 'RFC 7662, for tokens that are no JWT', additionalProperties: false },
)

const issuer = Type.Object(
  {
    issuer: Type.String({ description: 'Exactly as in the `iss` claim', format: 'uri' }),
    jwksUri: Type.Optional(Type.String({ description: "Its keys. Default: from the issuer's metadata", format: 'uri' })),
    introspection: Type.Optional(introspection),
    algorithms: Type.Optional(
      Type.Array(Type.Enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']), {
        description: 'Signatures that are accepted. Default: RS256, PS256, ES256 and EdDSA',
      }),
    ),
    audience: Type.Optional(Type.String({ description: 'Expected `aud`. Default: `resource`', minLength: 1 })),
    clockToleranceSeconds: Type.Optional(Type.Integer({ description: 'Default 30', minimum: 0, maximum: 300 })),
    maxTokenAgeSeconds: Type.Optional(Type.Integer({ description: 'Default 86,400', minimum: 1 })),
    tokenType: Type.Optional(
      Type.Enum(['at+jwt', 'JWT'], {
        description:
          'What the `typ` of a token must say. Default: `at+jwt` (RFC 9068). `JWT`: that or nothing is enough, as with Entra, Okta and Keycloak',
      }),
    ),
    jwksMaxStaleSeconds: Type.Optional(
      Type.Integer({ description: 'How long known keys count while the issuer is away. Default 86,400', minimum: 600 }),
    ),
    permissionClaims: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: 'Claims whose words are permissions; `a.b` looks inside of `a`. Default: scope, scp and roles',
      }),
    ),
    tenantClaim: Type.Optional(Type.String({ description: 'Instead of `auth.tenantClaim`', minLength: 1 })),
  },
  { description: 'One authorization server whose access tokens are accepted', additionalProperties: false },
)

/** `auth`: who may call, and what that gives them. */
export const authSchema = section('Who may call, and what that lets them see', {
  inbound: section('How a caller proves who it is', {
    mode: Type.Enum(['none', 'apiKey', 'oauth', 'any'], {
      description: '`none` is for stdio and loopback only; `any` takes API keys and OAuth tokens, told apart by their form',
      default: 'none',
    }),
    keys: Type.Array(apiKey, { description: 'API keys that the config itself holds, besides those of `keysFile`', default: [] }),
    keysFile: Type.String({
      description: 'Where `patchbay keys` keeps API keys, hashed; relative to the config file. A change counts at once',
      default: 'mcp.keys.json',
      minLength: 1,
    }),
    oauth: Type.Optional(
      Type.Object(
        {
          resource: Type.Optional(
            Type.String({
              description:
                'This server as clients address it: the audience of their tokens. Default: /mcp at `listen.http.publicUrl`',
              format: 'uri',
            }),
          ),
          scopes: Type.Optional(
            Type.Array(Type.String({ pattern: String.raw`^[!#-\[\]-~]+$`, title: 'a scope: no spaces, quotes or backslashes' }), {
              description:
                'Scopes that clients may ask for. They are published, and a call that lacks one is told which (403) instead of hidden',
            }),
          ),
          initialScopes: Type.Optional(
            Type.Array(Type.String({ minLength: 1 }), {
              description: 'Of `scopes`, those that a client without a token is told to ask for. Default: all of them',
            }),
          ),
          issuers: Type.Array(issuer, { description: 'Whose access tokens are accepted', minItems: 1 }),
        },
        { description: 'This host as an OAuth 2.0 resource server', additionalProperties: false },
      ),
    ),
    dangerouslyAllowUnauthenticated: Type.Boolean({
      description: 'With mode `none`, listen on other addresses than loopback too: every client that can connect is the operator',
      default: false,
    }),
  }),
  permissions: Type.Record(Type.String(), globs('Tools that it grants, by their full names, or by the name of a toolset'), {
    description: 'Scope or role to tools. Empty: scopes grant what tools ask for by the same name',
    default: {},
  }),
  implies: Type.Record(Type.String(), Type.Array(Type.String({ minLength: 1 }), { description: 'What it includes' }), {
    description: 'Scope or role to the scopes that it includes',
    default: {},
  }),
  tenantClaim: Type.String({ description: "The token's claim that names the tenant", default: 'tenant', minLength: 1 }),
  stateKeyVariable: Type.Optional(
    Type.String({
      description:
        'Environment variable that holds the key which signs what an interactive call leaves with its client between two rounds: 32 characters or more, the same on every replica. Default: a key that only this process has',
      minLength: 1,
    }),
  ),
  accounts: Type.Optional(
    Type.Object(
      {
        store: Type.String({
          description:
            'Where the tokens are kept: a folder, relative to the config file, or `cache`, the Redis of `cache.store`, for several replicas',
          minLength: 1,
        }),
        keyVariable: Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })], {
          description:
            'Environment variable that holds the key they are encrypted with: 32 bytes in Base64; with `_FILE` at its end, one that names its file. Of several the first is in use, the others still open what they encrypted',
        }),
        login: Type.Optional(
          Type.Object(
            {
              issuer: Type.String({
                description: 'One of `auth.inbound.oauth.issuers`: where the person in the browser logs in',
                format: 'uri',
              }),
              clientId: Type.String({ description: 'As which client of OpenID Connect the host asks', minLength: 1 }),
              clientSecretVariable: Type.Optional(
                Type.String({
                  description:
                    'Environment variable that holds the client secret; with `_FILE` at its end, one that names its file. Left out: a public client',
                  minLength: 1,
                }),
              ),
            },
            {
              description: 'How the pages below `/accounts` know who is in front of them, where callers use OAuth',
              additionalProperties: false,
            },
          ),
        ),
      },
      {
        description: 'Tokens that callers linked for services: calls of theirs go with these',
        additionalProperties: false,
      },
    ),
  ),
  serverCredentials: Type.Optional(
    Type.Enum(['deny', 'allow', 'readOnly'], {
      description:
        "Whether callers over HTTP may use the server's own credentials. Default: `deny` with inbound auth, else `allow`",
    }),
  ),
})
