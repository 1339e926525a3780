import type { PassingCall, Middleware, Layer, PendingCall } from './types.ts'
import { hostError } from '../../errors.ts'
import { inVersion } from './call-layers.ts'

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
