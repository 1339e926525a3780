/** Why a plugin may not send the header, or undefined if it may. `credentials` are the headers that hold credentials, in lower case. */
export function headerProblem(name: string, value: unknown, credentials: ReadonlySet<string>): string | undefined {
  if (!isHeaderName(name)) return 'is not a header name'
  const key = name.toLowerCase()
  if (credentials.has(key)) return 'is a credential, which the host puts on the request itself'
  if (HOST_ONLY.has(key) || key.startsWith('proxy-')) return 'is set by the host alone'
  if (OVERRIDES.has(key)) return 'would turn the request into another method'
  if (REWRITES.has(key)) return 'would lead the request to another path'
  if (typeof value !== 'string') return 'has a value that is not a string'
  return isHeaderValue(value) ? undefined : 'has a value with line breaks, control characters or characters beyond Latin-1'
}

/** Why a credential cannot go into the header `name` behind `scheme`, or undefined if it can. */
export function credentialHeaderProblem(name: string, scheme: string | undefined): string | undefined {
  if (!isHeaderName(name)) return 'is not a header name'
  const key = name.toLowerCase()
  const isOfRequest = HOST_ONLY.has(key) || OVERRIDES.has(key) || REWRITES.has(key) || key.startsWith('proxy-')
  if (key !== 'authorization' && key !== 'cookie' && isOfRequest) return 'is no place for a credential'
  return scheme === undefined || isHeaderValue(scheme) ? undefined : 'has a scheme with line breaks or control characters'
}

/** A token of RFC 9110. */
function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)
}

/** Nothing that could end the header or begin another one. */
export function isHeaderValue(value: string): boolean {
  return /^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)
}

/** Merges sets of headers. Names are in lower case, so that the later one wins whatever its case. */
export function mergeHeaders(...sets: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  return Object.fromEntries(sets.flatMap((set) => Object.entries(set).map(([name, value]) => [name.toLowerCase(), value])))
}

/** They decide where a request goes, how long it is, or which connection it shares. The host also decodes: it says which encodings. */
const HOST_ONLY = new Set([
  ':authority',
  'accept-encoding',
  'authorization',
  'connection',
  'content-length',
  'cookie',
  'cookie2',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Many frameworks take them for the real method: a read tool could delete with them. */
const OVERRIDES = new Set(['x-http-method', 'x-http-method-override', 'x-method-override'])

/** IIS and some frameworks route by them: a request could leave its base URL, and the paths that its tool may send to. */
const REWRITES = new Set(['x-original-url', 'x-rewrite-url'])
