import { Readable } from 'node:stream'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import type { Redactor } from '../observability/redact.ts'
import type { Pools } from './connect/pool.ts'
import { classify, type Reach } from './connect/target.ts'
import { connectionFailure } from './failures.ts'
import type { OnUpstream } from './delivery.ts'
import { traceFields } from '../observability/tracing/trace-context.ts'
import type { CallScope } from './http-call-scope.ts'
import { METHODS } from './request/access.ts'
import { withCredential, type ResolveCredential } from './request/placed-credential.ts'
import type { Hints, Subject } from './request/subject.ts'
import { linkAbort, orAborted } from './resilience/abort.ts'
import { lackingScopes } from './response/lacking-scopes.ts'

/**
 * One request to the service whose answer is read as it comes, in the form of `fetch`: for a protocol that the host itself speaks with the
 * service. It goes over the service's connections, guard and certificates, with the credential of the call it is sent in; whether that
 * call may write is not asked, since its request is one of the protocol. Nothing is sent twice, and no redirect is followed.
 */
export type HttpStream = (url: string | URL, init?: StreamRequest) => Promise<Response>

/** What of `fetch` a protocol needs. */
export interface StreamRequest {
  readonly method?: string
  readonly headers?: ConstructorParameters<typeof Headers>[0]
  readonly body?: unknown
  readonly signal?: AbortSignal | null
}

export interface StreamOptions {
  readonly instance: string
  readonly reach: Reach
  readonly pools: Pools
  readonly userAgent: string
  readonly credential: ResolveCredential | undefined
  readonly hints: Hints
  readonly redactor: Redactor
  readonly currentCall: () => CallScope | undefined
  readonly onUpstream?: OnUpstream | undefined
  readonly life: AbortSignal
}

/** The most of an answer that is no stream, and the most of one line of one that is. */
const MOST_BYTES = 32 * 1_048_576

export function createHttpStream(options: StreamOptions): HttpStream {
  const { instance, reach, pools, userAgent, credential, hints, redactor, currentCall, life, onUpstream = () => {} } = options
  return async (address, init = {}) => {
    const url = new URL(address)
    const target = classify(reach, url)
    if (target?.zone !== 'service') throw new ServiceError('PERMISSION_DENIED', `${instance}: ${url.origin} is not its address`)
    const method = METHODS.find((name) => name === init.method) ?? 'GET'
    const scope = currentCall()
    const stop = linkAbort(init.signal ?? undefined, life)
    const subject: Subject = {
      instance,
      method,
      path: target.path,
      hints,
      mayChange: scope?.access === 'write' && method === 'POST',
      redact: redactor,
    }
    const found = credential ? await orAborted(credential(scope), stop.signal) : undefined
    const headers: Record<string, string> = {
      ...traceFields(scope?.trace),
      ...Object.fromEntries(new Headers(init.headers)),
      'user-agent': userAgent,
    }
    // A credential of its own is the host's to put on.
    delete headers['authorization']
    found?.apply(headers)
    const forget = found?.secrets.map((secret) => redactor.add(secret)) ?? []
    const end = () => {
      stop[Symbol.dispose]()
      for (const one of forget) one()
    }
    const startedAt = performance.now()
    try {
      const body = typeof init.body === 'string' || init.body instanceof Uint8Array ? init.body : null
      const request = {
        origin: url.origin,
        path: url.pathname + (found?.query ? withCredential(url.search, found.query) : url.search),
        method,
        headers,
        body,
        signal: stop.signal,
      }
      const answer = await orAborted(pools.agentFor(target).request(request), stop.signal, (late) => late.body.destroy())
      onUpstream(answer.statusCode, performance.now() - startedAt)
      if (answer.statusCode === 401) found?.refused?.()
      const lacking = method === 'POST' ? lackingScopes(answer.statusCode, answer.headers['www-authenticate']) : undefined
      if (lacking) found?.lacks?.(lacking)
      const isStream = /^text\/event-stream\b/i.test(String(answer.headers['content-type'] ?? ''))
      const sent = Readable.from(bounded(answer.body, { isStream, end }), { objectMode: false })
      const hasBody = answer.statusCode !== 204 && answer.statusCode !== 304 && answer.statusCode >= 200
      if (!hasBody) answer.body.resume()
      return new Response(hasBody ? (Readable.toWeb(sent) as ReadableStream<Uint8Array>) : null, {
        status: answer.statusCode,
        headers: visibleHeaders(answer.headers),
      })
    } catch (error) {
      end()
      const failed = stop.signal.aborted ? undefined : connectionFailure(error, subject).error
      onUpstream(failed?.code ?? 'CANCELLED', performance.now() - startedAt)
      throw failed ?? stop.signal.reason
    }
  }
}

/** The bytes as they come, until there are more than the host may hold. */
async function* bounded(
  body: AsyncIterable<Buffer>,
  { isStream, end }: { readonly isStream: boolean; readonly end: () => void },
): AsyncGenerator<Buffer> {
  let held = 0
  try {
    for await (const chunk of body) {
      const line = isStream ? chunk.lastIndexOf(NEWLINE) : -1
      held = line === -1 ? held + chunk.length : chunk.length - line
      if (held > MOST_BYTES) throw new Error(`The answer is larger than ${MOST_BYTES / 1_048_576} MB`)
      yield chunk
    }
  } finally {
    end()
  }
}

const NEWLINE = 0x0a

function visibleHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const visible = new Headers()
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && name !== 'set-cookie') visible.set(name, [value].flat().join(', '))
  return visible
}
