import { hostError } from '../../../errors.ts'
import type { CallScope } from '../../../network/http-call-scope.ts'
import { InlineScope } from '../../run/inline-call.ts'
import type { CallRequest } from '../../run/running.ts'
import type { IdleWatch } from './idle-watch.ts'
import type { BrokeredCall } from '../broker.ts'
import { writeThrown } from '../channel/error-codec.ts'
import type { Rights } from '../channel/orders.ts'
import type { PacedProgress } from '../channel/paced-progress.ts'
import type { PendingRequest, ReceivedMessage } from '../channel/peer.ts'
import { readReturned } from '../channel/returned-codec.ts'
import { doubt, type Serving } from '../serving.ts'
import { ProcessGone } from '../spawn.ts'

/** What the calls of one plugin share. */
export interface CallTerms {
  readonly instance: string
  /** The most of an answer that is read. */
  readonly answerBytes: number
  readonly idle: Pick<IdleWatch, 'entered' | 'left'>
}

/** One call while it is in the process: what its process asks for in its name, its answer, and what ends it early. */
export class IsolatedCall implements PendingRequest, BrokeredCall {
  readonly request: CallRequest
  progress: PacedProgress | undefined
  readonly #at: Serving
  readonly #rights: Rights
  readonly #terms: CallTerms
  readonly #settle: Settle
  #id = 0
  #isOver = false
  #isInside = false
  #scope: CallScope | undefined
  #onAbort: (() => void) | undefined

  constructor(
    parts: { readonly at: Serving; readonly request: CallRequest; readonly rights: Rights; readonly terms: CallTerms },
    settle: Settle,
  ) {
    this.request = parts.request
    this.#at = parts.at
    this.#rights = parts.rights
    this.#terms = parts.terms
    this.#settle = settle
  }

  /** Sends it by `ask`, which gives its number. */
  begin(send: (pending: PendingRequest) => number): void {
    this.#id = send(this)
    // Its process has just gone.
    if (this.#isOver) return
    this.#isInside = true
    this.#terms.idle.entered()
    this.#at.broker.begin(this.#id, this)
    this.#follow()
  }

  /** Made for one that asks for something: most do not. */
  get scope(): CallScope {
    return (this.#scope ??= new InlineScope(this.request, this.#rights.access, this.#rights.safePaths))
  }

  resolve(answer: ReceivedMessage): void {
    this.#end()
    try {
      this.#settle.resolve(readReturned(answer, this.#terms.answerBytes))
    } catch (error) {
      this.#settle.reject(error)
    }
  }

  reject(reason: unknown): void {
    this.#end()
    if (!(reason instanceof ProcessGone)) return this.#settle.reject(reason)
    const { instance: plugin } = this.#terms
    const mayHaveRun = this.#rights.access === 'write'
    this.#settle.reject(hostError('PLUGIN_RESTARTED', { plugin, why: reason.message, mayHaveRun }))
  }

  #follow(): void {
    const { request } = this
    if (request.onCancel) return request.onCancel((reason) => this.#cancel(reason))
    this.#onAbort = () => this.#cancel(request.signal.reason)
    if (request.signal.aborted) this.#onAbort()
    else request.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  #cancel(reason: unknown): void {
    const { peer } = this.#at.process
    peer.notify('cancel', { call: this.#id, reason: writeThrown(reason) })
    void doubt(this.#at)
    peer.giveUp(this.#id, reason)
  }

  #end(): void {
    this.#isOver = true
    if (this.request.onCancel) this.request.onCancel(undefined)
    else if (this.#onAbort) this.request.signal.removeEventListener('abort', this.#onAbort)
    if (!this.#isInside) return
    this.#isInside = false
    this.#terms.idle.left()
    this.#at.broker.end(this.#id)
  }
}

interface Settle {
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}
