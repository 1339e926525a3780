import { createRequestStateCodec, ProtocolError, ProtocolErrorCode, type ServerContext } from '@modelcontextprotocol/server'
import { callerOf } from './auth-info.ts'

/**
 * State that a call leaves with the client between two rounds of questions. It comes back signed by this host, for ten minutes, to the
 * principal, the method and the tool or prompt it was made for; anything else is refused before a plugin sees it. Not encrypted.
 */
export interface RequestStates {
  /** Verifies what came in; the SDK calls it before any handler. */
  readonly verify: (state: string, ctx: ServerContext) => Promise<SealedState>
  /** Signs `state` of the tool or prompt `name`. */
  readonly seal: (name: string, state: unknown, ctx: ServerContext) => Promise<string>
  /** The verified state of this request; undefined when it brought none. Throws for that of another tool or prompt. */
  readonly open: (name: string, ctx: ServerContext) => unknown
}

/** `key` has at least 32 bytes, and every replica that may get the next round has the same. */
export function createRequestStates(key: Uint8Array | string): RequestStates {
  const codec = createRequestStateCodec<SealedState>({ key, ttlSeconds: 600, bind })
  return {
    verify: (state, ctx) => codec.verify(state, ctx),
    seal: (name, state, ctx) => codec.mint({ name, state }, ctx),
    open(name, ctx) {
      const sealed = ctx.mcpReq.requestState<SealedState>()
      if (sealed === undefined) return undefined
      // The same words as the SDK's for a state that is forged, late or another principal's.
      if (sealed.name !== name)
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
  readonly state: unknown
}
