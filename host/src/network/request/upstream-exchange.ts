import type { Dispatcher } from 'undici'
import { linkAbort, orAborted, type LinkedAbort } from '../resilience/abort.ts'
import { maySend, type Method, type Rights } from './access.ts'
import type { Clock } from '../resilience/clock.ts'
import { bodyFailure, connectionFailure, redirectFailure, timeoutFailure } from '../failures.ts'
import type { NetworkLimits } from '../resilience/limits.ts'
import type { Failed, Outcome } from '../resilience/outcome.ts'
import type { Pools } from '../connect/pool.ts'
import { followRedirect, isRedirect, MAX_REDIRECTS, redirectMethod } from './redirects.ts'
import { collect, unpack, type BodyProblem } from '../response/response-body.ts'
import { withCredential, type QueryCredential } from './placed-credential.ts'
import type { Subject } from './subject.ts'
import { writtenInParts } from './written-in-parts.ts'
import type { Reach, Target } from '../connect/target.ts'

/** One attempt, from the first byte sent to the last one read, redirects included. */
export interface Exchange {
  readonly target: Target
  readonly method: Method
  /** Complete, with the credential where the target is the service; names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | null
  /** The credential, where it is in the query and the target is the service. */
  readonly query?: QueryCredential | undefined
  readonly rights: Rights
  readonly limits: Pick<NetworkLimits, 'headersMs' | 'bodyMs' | 'writeMs' | 'responseBytes'>
  readonly signal: AbortSignal
  readonly timeLeftMs: () => number
  readonly subject: Subject
}

export interface ExchangeDeps {
  readonly pools: Pools
  readonly reach: Reach
  readonly clock: Clock
}

/** Whatever happens at the other end is an outcome. Rejects only with the reason of `signal`. The connection is free, or closed, after it. */
export async function exchange(request: Exchange, deps: ExchangeDeps): Promise<Outcome> {
  const { subject, limits } = request
  let { target, method, body, headers } = request
  for (let hop = 0; ; hop++) {
    using stop = linkAbort(request.signal)
    const sent = await send({ target, method, headers, body, limits, stop, subject, query: request.query }, deps)
    if (sent.kind === 'failed') return sent
    const { status } = sent.answer
    const location = sent.answer.headers['location']
    if (!isRedirect(status, location)) return sent

    if (hop === MAX_REDIRECTS) return redirectFailure(`more than ${MAX_REDIRECTS} times`, subject)
    const next = followRedirect(target, location, deps.reach)
    if ('refused' in next) return redirectFailure(next.refused, subject)
    const nextMethod = redirectMethod(status, method)
    if (!maySend(nextMethod, next, request.rights))
      return redirectFailure('to a path that a tool with access: read may not send this to', subject)
    if (nextMethod !== method) {
      body = null
      headers = Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('content-')))
    }
    target = next
    method = nextMethod
  }
}

interface Hop extends Pick<Exchange, 'target' | 'method' | 'headers' | 'body' | 'query' | 'limits' | 'subject'> {
  readonly stop: LinkedAbort
}

async function send(hop: Hop, { pools, clock }: ExchangeDeps): Promise<Outcome> {
  const { target, method, limits, stop, subject } = hop
  let timedOut: Failed | undefined
  const limitTime = (ms: number, what: string) =>
    clock.schedule(ms, () => {
      timedOut = timeoutFailure(`${what} within ${ms / 1000} s`, subject)
      stop.abort(timedOut.error)
    })
  let cancelTimer = limitTime(limits.headersMs, 'no answer')
  const writing = writtenInParts(hop.body, {
    onPart() {
      cancelTimer()
      cancelTimer = limitTime(limits.writeMs, 'the service took no more of the request')
    },
    onWritten() {
      cancelTimer()
      cancelTimer = limitTime(limits.headersMs, 'no answer')
    },
  })
  try {
    const { origin, pathname, search, href } = target.url
    const request = {
      origin,
      path: pathname + (hop.query && target.zone === 'service' ? withCredential(search, hop.query) : search),
      method,
      headers: { ...hop.headers, ...writing.headers },
      body: writing.body,
      signal: stop.signal,
    }
    // A request that waits for a connection would hear of the signal only once it has one.
    const response = await orAborted(pools.agentFor(target).request(request), stop.signal, (late) => late.body.destroy())
    cancelTimer()
    cancelTimer = limitTime(limits.bodyMs, 'the answer was not complete')
    const body = await readBody(response, limits.responseBytes, stop.signal)
    if (!Buffer.isBuffer(body)) return bodyFailure(response.statusCode, body, subject)
    const answer = { status: response.statusCode, headers: visibleHeaders(response.headers), url: href, body }
    return { kind: 'answered', answer }
  } catch (error) {
    if (timedOut) return timedOut
    if (stop.signal.aborted) throw stop.signal.reason
    return connectionFailure(error, subject)
  } finally {
    cancelTimer()
  }
}

type Response = Dispatcher.ResponseData

async function readBody(
  { statusCode, headers, body }: Response,
  limit: number,
  signal: AbortSignal,
): Promise<Buffer | BodyProblem> {
  if (isRedirect(statusCode, single(headers['location']))) {
    await body.dump({ limit: 65_536, signal }) // lets the connection serve the next hop
    return Buffer.alloc(0)
  }
  const packed = await collect(body, limit)
  return Buffer.isBuffer(packed) ? unpack(packed, single(headers['content-encoding']), limit) : packed
}

/** Without cookies, which would be a credential in the plugin's hands, and without what described the packed body. */
function visibleHeaders(headers: Response['headers']): Record<string, string> {
  const hidden = headers['content-encoding'] === undefined ? COOKIES : PACKING
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const text = single(value)
      return text === undefined || hidden.has(name) ? [] : [[name, text]]
    }),
  )
}

const COOKIES: ReadonlySet<string> = new Set(['set-cookie'])
const PACKING: ReadonlySet<string> = new Set(['set-cookie', 'content-encoding', 'content-length'])

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
