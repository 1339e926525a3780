import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal, ResourceContents } from '@mcp-patchbay/plugin-api'
import { hostError } from '../../errors.ts'
import type { PromptAnswer, ToolAnswer } from './call.ts'
import { inVersion, type PendingCall } from './call-layers.ts'

/** One layer of an onion: does something before and after `next`, or something else instead. */
export type Layer<Context, Answer> = (context: Context, next: () => Promise<Answer>) => Promise<Answer>

/**
 * Puts layers around `core`, the first outermost. Without layers it is `core` itself. A layer may call `next` once for each context: the
 * second call rejects with `MIDDLEWARE_NEXT` and reaches nothing, since a tool that writes would run twice for one request.
 */
export function compose<Context, Answer>(
  layers: readonly Layer<Context, Answer>[],
  core: (context: Context) => Promise<Answer>,
): (context: Context) => Promise<Answer> {
  return layers.reduceRight<typeof core>(
    (inner, layer) => (context) => {
      let passed = false
      return layer(context, () => {
        if (passed) return refuseSecondPass(layer.name)
        passed = true
        return inner(context)
      })
    },
    core,
  )
}

/** A layer that does not wait for this one must not leave an unhandled rejection, which would end the process. */
function refuseSecondPass(name: string): Promise<never> {
  const refused = Promise.reject(hostError('MIDDLEWARE_NEXT', { name }))
  refused.catch(() => {})
  return refused
}

/** The layer under the name of its middleware, which errors say. */
export function named<Context, Answer>(name: string, layer: Layer<Context, Answer>): Layer<Context, Answer> {
  return Object.defineProperty(layer, 'name', { value: name })
}

/**
 * What a config adds to the way of requests and calls. A call comes to it when the caller may make it, its rate allows it and its
 * arguments are valid, and before the cache is asked: what a layer lets through may be answered from there. An error that a layer throws
 * is answered as one of the plugin would be.
 */
export interface Middleware {
  /** For messages. */
  readonly name: string
  /** Around every request of an MCP client over HTTP, once it is known who asks. Without `next` it answers itself, on `res`. */
  readonly http?: Layer<PassingRequest, void>
  readonly tool?: Layer<PassingCall, ToolAnswer>
  readonly resource?: Layer<PassingCall, { readonly contents: readonly ResourceContents[] }>
  readonly prompt?: Layer<PassingCall, PromptAnswer>
}

/** A request as middleware sees it. Its body is not read yet, and not for middleware to read. */
export interface PassingRequest {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly principal: Principal
}

/** A call as middleware sees it. */
export interface PassingCall {
  readonly kind: 'tool' | 'resource' | 'prompt'
  /** As clients see it: the name of a tool or prompt, the URI of a resource. */
  readonly name: string
  /** The instance it is of. */
  readonly plugin: string
  readonly access: 'read' | 'write'
  /** Not to be changed: the plugin gets the same object. */
  readonly args: unknown
  readonly principal: Principal
  /** Names the call in the log. */
  readonly requestId: string
}

/** The layers of a config around one kind of call; none cost nothing. */
export function layersOf<Answer>(
  middleware: readonly Middleware[],
  layerOf: (one: Middleware) => Layer<PassingCall, Answer> | undefined,
): readonly Layer<PendingCall, Answer>[] {
  const layers = middleware.flatMap((one): Layer<PendingCall, Answer>[] => {
    const layer = layerOf(one)
    return layer ? [named(one.name, (call, next) => layer(passing(call), next))] : []
  })
  return layers.length === 0 ? [] : [inVersion, ...layers]
}

/** Layers of one call see one object, on which they may mark it. */
function passing(call: PendingCall): PassingCall {
  return (call.passing ??= {
    kind: call.kind,
    name: call.name,
    plugin: call.item.plugin.instance,
    access: call.item.access,
    args: call.args,
    principal: call.caller.principal,
    requestId: call.io.requestId,
  })
}
