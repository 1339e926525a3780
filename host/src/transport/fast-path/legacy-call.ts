import { handOver, type BegunCall } from '../../server/mcp/deferred-call.ts'
import { revisionOf, type Revision } from '../../server/mcp/revisions.ts'
import type { Exchange } from '../http/http-exchange.ts'
import { endWithNothing, sendResult } from '../http/send-result.ts'
import { beginCall, cancelWhenGone, hasNotRun } from './begin-call.ts'
import type { HotRequest } from './recognise.ts'
import type { FastPathDeps, FastPathSession, HandedOff } from './types.ts'

/** Answers with JSON when a call ends soon and sends no notification before; any other call continues in a stream of the SDK. */
export function callLegacy(
  deps: FastPathDeps,
  exchange: Exchange,
  { id, params }: HotRequest,
  session: FastPathSession | undefined,
): HandedOff {
  const { res, caller, authInfo } = exchange
  const { promise, resolve, reject } = Promise.withResolvers<Exchange | undefined>()
  let isHandedOff = false
  const handOff = (call: BegunCall) => {
    if (isHandedOff || res.destroyed) return
    isHandedOff = true
    session?.begun.delete(id)
    resolve({ ...exchange, authInfo: handOver(authInfo, call) })
  }
  const started = beginCall(
    deps,
    params,
    caller,
    { revision: revisionIn(exchange, session), capabilities: session?.capabilities, headers: exchange.req.headers },
    handOff,
  )
  if (!started) return exchange
  const { call, result } = started
  // With a session a client that lost its connection may come back for the answer, once the SDK has the call.
  const timer = session ? setTimeout(handOff, SOON_MS, call) : undefined
  if (session) session.begun.add(id, call)
  else cancelWhenGone(exchange, call)
  const over = () => {
    clearTimeout(timer)
    session?.begun.delete(id)
  }
  result.then(
    (json) => {
      over()
      if (isHandedOff) return
      isHandedOff = true
      if (json === undefined) endWithNothing(res, sessionHeader(session))
      else sendResult(res, id, json, sessionHeader(session))
      resolve(undefined)
    },
    (error: unknown) => {
      over()
      if (hasNotRun(error)) resolve(res.destroyed ? undefined : exchange)
      else reject(error)
    },
  )
  return promise
}

/** A call that takes longer has better a stream that its client can come back to. */
const SOON_MS = 50

/** Without a session every request says its own. */
export function revisionIn({ req }: Exchange, session: FastPathSession | undefined): Revision {
  return session?.revision ?? revisionOf(req.headers['mcp-protocol-version'])
}

export function sessionHeader(session: FastPathSession | undefined): Readonly<Record<string, string>> | undefined {
  return session && { 'mcp-session-id': session.id }
}
