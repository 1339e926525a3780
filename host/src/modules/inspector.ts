import type { Session } from 'node:inspector'

/** A session with the inspector of this thread. It is the public way to reach what V8 knows and JavaScript cannot see. */
export interface Inspector {
  /** Sends a command, whose answer comes before this returns. Throws what the inspector refuses. */
  readonly ask: <Method extends keyof Answers>(method: Method, parameters?: object) => Answers[Method]
  /** The inspector's handle of a value. */
  readonly idOf: (value: object) => string
  /** The value behind a handle. */
  readonly valueOf: (objectId: string) => unknown
}

/** The part of each answer that we read. */
interface Answers {
  readonly 'Debugger.enable': object
  readonly 'Debugger.disable': object
  readonly 'Runtime.evaluate': { readonly result: RemoteObject }
  readonly 'Runtime.callFunctionOn': { readonly result: RemoteObject }
  readonly 'Runtime.getExceptionDetails': {
    readonly exceptionDetails: { readonly lineNumber: number; readonly columnNumber: number }
  }
  readonly 'Runtime.getProperties': {
    readonly result: readonly RemoteProperty[]
    readonly internalProperties?: readonly RemoteProperty[]
    readonly privateProperties?: readonly RemoteProperty[]
  }
}

export interface RemoteProperty {
  readonly name: string
  readonly value?: RemoteObject
}

interface RemoteObject {
  readonly objectId?: string
  readonly className?: string
  readonly description?: string
}

/** What `use` returns; undefined where there is no inspector: Node built without it, or a permission model that denies it. */
export function withInspector<Result>(use: (inspector: Inspector) => Result): Result | undefined {
  let session: Session | undefined
  try {
    session = new (process.getBuiltinModule('node:inspector').Session)()
    session.connect()
    return use(converse(session))
  } catch {
    return undefined
  } finally {
    session?.disconnect()
  }
}

function converse(session: Session): Inspector {
  const ask = <Method extends keyof Answers>(method: Method, parameters: object = {}): Answers[Method] => {
    let outcome: { readonly error: Error | null; readonly answer?: object | undefined } | undefined
    session.post(method, parameters, (error: Error | null, answer?: object) => {
      outcome = { error, answer }
    })
    if (!outcome || outcome.error) throw outcome?.error ?? new Error(`${method} was not answered`)
    return outcome.answer as Answers[Method]
  }
  // A value can only pass between us and the inspector by way of a global; no code enumerates a symbol in the registry.
  const name = `mcp-patchbay.inspector.${process.hrtime.bigint()}`
  const key = Symbol.for(name)
  const global = `globalThis[Symbol.for(${JSON.stringify(name)})]`
  return {
    ask,
    idOf(value) {
      Reflect.set(globalThis, key, value)
      try {
        return ask('Runtime.evaluate', { expression: global }).result.objectId ?? ''
      } finally {
        Reflect.deleteProperty(globalThis, key)
      }
    },
    valueOf(objectId) {
      try {
        ask('Runtime.callFunctionOn', { objectId, functionDeclaration: `function () { ${global} = this }` })
        return Reflect.get(globalThis, key) as unknown
      } finally {
        Reflect.deleteProperty(globalThis, key)
      }
    },
  }
}
