import { createRequestStateCodec, ProtocolError, ProtocolErrorCode, type ServerContext } from '@modelcontextprotocol/server'
import { argumentsDigest } from '../call/approval/arguments-digest.ts'
import { callerOf } from './auth-info.ts'

/**
 * State that a call leaves with the client between two rounds of questions. It comes back signed by this host, for ten minutes, to the
 * principal, the method, the tool or prompt and the arguments it was made for; anything else is refused before a plugin sees it. Not encrypted.
 */
export interface RequestStates {
  /** Verifies what came in; the SDK calls it before any handler. */
  readonly verify: (state: string, ctx: ServerContext) => Promise<SealedState>
  /** Signs `state` of this call of a tool or prompt. */
  readonly seal: (call: Called, state: unknown, ctx: ServerContext) => Promise<string>
  /** The verified state of this request; undefined when it brought none. Throws for that of another tool, prompt or arguments. */
  readonly open: (call: Called, ctx: ServerContext) => unknown
}

/** What a state belongs to. The order of keys in the arguments does not matter. */
export interface Called {
  readonly name: string
  readonly args?: unknown
}

/** `key` has at least 32 bytes, and every replica that may get the next round has the same. */
export function createRequestStates(key: Uint8Array | string): RequestStates {
  const codec = createRequestStateCodec<SealedState>({ key, ttlSeconds: 600, bind })
  return {
    verify: (state, ctx) => codec.verify(state, ctx),
    seal: ({ name, args }, state, ctx) => codec.mint({ name, args: argumentsDigest(args), state }, ctx),
    open({ name, args }, ctx) {
      const sealed = ctx.mcpReq.requestState<SealedState>()
      if (sealed === undefined) return undefined
      // The same words as the SDK's for a state that is forged, late or another principal's.
      if (sealed.name !== name || sealed.args !== argumentsDigest(args))
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid or expired requestState', {
          reason: 'invalid_request_state',
        })
      return sealed.state
    },
  }
}

/** On stdio, where requests carry no identity, there is only one client. */
function bind({ mcpReq, http }: ServerContext): string {
  const principal = http?.authInfo && callerOf(http.authInfo).principal
  return JSON.stringify([mcpReq.method, principal?.tenant ?? null, principal?.id ?? null])
}

interface SealedState {
  readonly name: string
  readonly args: string
  readonly state: unknown
}
