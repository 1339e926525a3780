import { randomUUID } from 'node:crypto'
import type { AuthInfo } from '@modelcontextprotocol/server'
import type { ClientLogLevel } from '../../plugin/run/running.ts'
import { callerOf, identify } from './auth-info.ts'
import type { CallIO, ToolAnswer } from '../call/types.ts'
import type { TraceContext } from '../../observability/tracing/trace-context.ts'
import { Cancellation } from '../call/cancellation.ts'

/**
 * A tool call that began on the fast path and may be handed over to the SDK while it runs: when it has something to say before its
 * answer, or takes long, it needs the stream that is the SDK's to keep. What it says until the SDK has it is kept in order.
 */
export class BegunCall implements CallIO {
  readonly cancellation = new Cancellation()
  readonly clientCapabilities: Readonly<Record<string, unknown>>
  trace: TraceContext | undefined
  readonly #onNeeded: ((call: BegunCall) => void) | undefined
  #said: ((io: CallIO) => void)[] = []
  #io: CallIO | undefined
  #requestId: string | undefined
  #answer: Promise<ToolAnswer> | undefined

  /** `onNeeded` is called when it needs a stream. Without, it has nothing to say: 2026-07-28 clients ask for log lines, and it did not. */
  constructor(
    {
      capabilities = {},
      trace,
    }: { readonly capabilities?: Readonly<Record<string, unknown>> | undefined; readonly trace?: TraceContext | undefined },
    onNeeded?: (call: BegunCall) => void,
  ) {
    this.clientCapabilities = capabilities
    this.trace = trace
    this.#onNeeded = onNeeded
  }

  get requestId(): string {
    return (this.#requestId ??= randomUUID())
  }

  log(level: ClientLogLevel, data: unknown, logger: string): void {
    this.#say((io) => io.log?.(level, data, logger))
  }

  closeStream(): void {
    this.#say((io) => io.closeStream?.())
  }

  /** Sets what it runs, once. */
  set answer(answer: Promise<ToolAnswer>) {
    this.#answer = answer
  }

  /** Goes on with what the SDK gives the call. */
  async continueIn(io: CallIO): Promise<ToolAnswer> {
    if (!this.#answer) throw new Error('A call was handed over that had not begun')
    this.#io = io
    io.cancellation.onCancel((reason) => this.cancellation.cancel(reason))
    for (const say of this.#said.splice(0)) say(io)
    return this.#answer
  }

  #say(say: (io: CallIO) => void): void {
    if (this.#io) return say(this.#io)
    if (!this.#onNeeded) return
    this.#said.push(say)
    this.#onNeeded(this)
  }
}

/** The same identity, with the call that the SDK's handler is to go on with instead of beginning one. */
export function handOver(info: AuthInfo, call: BegunCall): AuthInfo {
  const copy = { ...info }
  identify(copy, callerOf(info))
  begun.set(copy, call)
  return copy
}

/** The call that was handed over with this identity; the next one to ask gets none. */
export function takeOver(info: AuthInfo | undefined): BegunCall | undefined {
  const call = info && begun.get(info)
  if (call) begun.delete(info)
  return call
}

const begun = new WeakMap<AuthInfo, BegunCall>()
