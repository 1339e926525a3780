import { milliseconds, names, section } from './schema-parts.ts'
import { Type } from '../../data/type.ts'

const port = (byDefault: number) =>
  Type.Integer({
    description: '0 picks a free one; the log line `listening` tells it',
    default: byDefault,
    minimum: 0,
    maximum: 65_535,
  })

const host = Type.String({ description: 'Address to bind to', default: '127.0.0.1', minLength: 1 })

const proxy = Type.String({
  pattern: String.raw`^(?:\d{1,3}(?:\.\d{1,3}){3}(?:/(?:[12]?\d|3[0-2]))?|[0-9a-fA-F:]*:[0-9a-fA-F:.]*(?:/(?:1[01]\d|12[0-8]|\d{1,2}))?)$`,
  title: 'an IP address, or a range of them such as 10.0.0.0/8',
})

/** `listen.http`, written out. */
export const httpSchema = section('Streamable HTTP at /mcp', {
  host,
  port: port(3000),
  sse: Type.Boolean({ description: 'Also serve the older HTTP+SSE transport at /sse and /messages', default: true }),
  allowedHosts: names('Host headers that are accepted besides the address itself'),
  allowedOrigins: names('Origin headers that are accepted; browsers send them'),
  publicUrl: Type.Optional(
    Type.String({ description: 'How clients reach this server, where a proxy stands before it', format: 'uri' }),
  ),
  trustedProxies: Type.Array(proxy, {
    description: 'Proxies whose X-Forwarded-For is believed when bad credentials are counted by address',
    default: [],
  }),
  sessions: section('Sessions of clients that speak a revision before 2026-07-28', {
    mode: Type.Enum(['stateful', 'stateless'], {
      description:
        '`stateless` keeps none: for several replicas without sticky routing; such clients then hear of no list changes',
      default: 'stateful',
    }),
    max: Type.Integer({ description: 'Open at a time; one more closes the one idle longest', default: 2_000, minimum: 1 }),
    idleMs: milliseconds('A session without a request or an open stream for this long is closed', 1_800_000),
  }),
})

const admin = Type.Object(
  {
    tokenVariable: Type.String({
      description:
        'Environment variable that holds the token, of 32 characters or more; with `_FILE` at its end, one that names its file',
      minLength: 1,
    }),
    page: Type.Optional(Type.Boolean({ description: 'Also serve the dev page. Default true' })),
  },
  {
    description:
      'Serve /admin and the dev page to clients that have the token; needs a loopback `host`. `patchbay dev` does it without this',
    additionalProperties: false,
  },
)

/** `listen.management`, written out. */
export const managementSchema = section('/livez, /healthz, /readyz, /metrics and, with a token, /admin', {
  host,
  port: port(3001),
  admin: Type.Optional(admin),
})

/** `listen`: nothing of it given means HTTP and management; `stdio: true` alone means stdio alone. */
export const listenSchema = section('Where the host is reached', {
  stdio: Type.Boolean({ description: 'Serve one client on stdin and stdout', default: false }),
  http: Type.Optional(Type.Union([Type.Boolean(), httpSchema], { description: '`true` is HTTP with all defaults' })),
  management: Type.Optional(Type.Union([Type.Boolean(), managementSchema], { description: 'Default: with `http`' })),
})
