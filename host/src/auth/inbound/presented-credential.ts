import type { IncomingMessage } from 'node:http'

/** What a request proves itself with. `several` may contradict each other; `unusable` is there, but is nothing that this host takes. */
export type Presented =
  | { readonly kind: 'none' | 'several' | 'unusable' }
  | { readonly kind: 'token'; readonly token: string; readonly isApiKeyHeader: boolean }

/**
 * Takes the credential out of a request: RFC 6750's `Authorization: Bearer`, or `X-API-Key`. Nothing behind this point can read it. A
 * token in the query is never taken, because addresses are logged and kept; it counts as one that is unusable.
 */
export function takeCredential(req: IncomingMessage): Presented {
  const { headers, url = '' } = req
  const authorization = headers.authorization
  const apiKey = headers['x-api-key']
  const inQuery = url.includes('?') && new URLSearchParams(url.slice(url.indexOf('?'))).has('access_token')
  if (authorization === undefined && apiKey === undefined) return inQuery ? UNUSABLE : NONE
  forget(req)
  if ((authorization !== undefined && apiKey !== undefined) || inQuery) return SEVERAL
  const isApiKeyHeader = authorization === undefined
  const token = isApiKeyHeader ? TOKEN.exec(String(apiKey))?.[0] : BEARER.exec(authorization)?.[1]
  return token === undefined ? UNUSABLE : { kind: 'token', token, isApiKeyHeader }
}

const NONE: Presented = Object.freeze({ kind: 'none' })
const SEVERAL: Presented = Object.freeze({ kind: 'several' })
const UNUSABLE: Presented = Object.freeze({ kind: 'unusable' })

const BEARER = /^bearer ([A-Za-z0-9\-._~+/]+=*)$/i
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/

function forget({ headers, rawHeaders }: IncomingMessage): void {
  // Not deleted: that would make the object slow for all who read it.
  if (headers.authorization !== undefined) headers.authorization = ''
  if (headers['x-api-key'] !== undefined) headers['x-api-key'] = ''
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if ((name.length === 13 || name.length === 9) && TAKEN.has(name.toLowerCase())) rawHeaders[index + 1] = ''
  }
}

const TAKEN: ReadonlySet<string> = new Set(['authorization', 'x-api-key'])
