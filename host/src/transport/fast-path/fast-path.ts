import { MODERN } from '../../server/mcp/revisions.ts'
import { envelope, sendResult } from '../http/send-result.ts'
import { beginCall, cancelWhenGone, hasNotRun } from './begin-call.ts'
import { callLegacy, revisionIn, sessionHeader } from './legacy-call.ts'
import { isLegacyPost, isModernPost, legacyRequest, modernRequest } from './recognise.ts'
import type { FastPath, FastPathDeps } from './types.ts'
import { createViewAnswers } from './view-answers.ts'

export function createFastPath(deps: FastPathDeps): FastPath {
  const { isKnownClient, prepare, learn } = createViewAnswers(deps.registry)

  return {
    modern(exchange, message) {
      const request = modernRequest(message)
      if (!request || !isModernPost(exchange.req, request)) return exchange
      const { res, caller } = exchange
      const { id, method, params } = request
      if (method === 'tools/call') {
        const started = isKnownClient(request, MODERN)
          ? beginCall(deps, params, caller, { revision: MODERN, capabilities: undefined, headers: exchange.req.headers })
          : undefined
        if (!started) return exchange
        cancelWhenGone(exchange, started.call)
        return started.result.then(
          (result) => {
            if (result !== undefined) sendResult(res, id, result)
            return undefined
          },
          (error: unknown) => {
            if (hasNotRun(error)) return exchange
            throw error
          },
        )
      }
      const result = prepare(request, caller, MODERN)
      if (!result) return exchange
      sendResult(res, id, result)
      return undefined
    },

    legacy(exchange, message, session) {
      const request = legacyRequest(message)
      if (!request || !isLegacyPost(exchange.req)) return exchange
      const { res, caller } = exchange
      if (request.method === 'tools/call') return callLegacy(deps, exchange, request, session)
      const result = prepare(request, caller, revisionIn(exchange, session))
      if (!result) return exchange
      sendResult(res, request.id, result, sessionHeader(session))
      return undefined
    },

    line({ caller, message, revision, capabilities, begun, handOff }) {
      const request = revision === MODERN ? modernRequest(message) : legacyRequest(message)
      if (!request) return undefined
      const { id, method, params } = request
      if (method !== 'tools/call') {
        const result = prepare(request, caller, revision)
        return result && envelope(id, result.text)
      }
      if (begun.has(id) || !isKnownClient(request, revision)) return undefined
      let isHandedOff = false
      const started = beginCall(deps, params, caller, { revision, capabilities }, (call) => {
        if (isHandedOff) return
        isHandedOff = true
        begun.delete(id)
        handOff(call)
      })
      if (!started) return undefined
      if (!isHandedOff) begun.add(id, started.call)
      return started.result.then(
        (result) => {
          if (isHandedOff) return undefined
          begun.delete(id)
          return result === undefined ? undefined : envelope(id, result)
        },
        (error: unknown) => {
          begun.delete(id)
          if (!hasNotRun(error)) throw error
          if (!isHandedOff) handOff(undefined)
          isHandedOff = true
          return undefined
        },
      )
    },

    learn,
  }
}
