import type { InputResponses, Principal } from '@mcp-patchbay/plugin-api'
import { progressStep } from '../../run/progress-step.ts'
import type { CallRequest } from '../../run/running.ts'
import { plain } from './child-services.ts'
import type { Notifications } from './child-notifications.ts'
import type { CallerFacts, PluginNotifications, WireRequest } from '../channel/messages.ts'
import { pacedProgress, type PacedProgress } from '../channel/paced-progress.ts'
import type { Peer } from '../channel/peer.ts'

/** How a call tells the host things. */
export interface CallChannel {
  readonly peer: Pick<Peer, 'notify'>
  readonly notifications: Notifications
}

/** The host passes on four steps of progress a second; more than it can choose the last one of need not be sent to it. */
const PACE_MS = 50
/** Of a step of progress; the host passes on no more of it. */
const LONGEST_MESSAGE = 1_000

/** What the host tells of one call, as the plugin's context has it. */
export class RemoteRequest implements CallRequest {
  readonly id: number
  readonly #channel: CallChannel
  readonly #facts: CallerFacts
  readonly #more: Pick<WireRequest, 'inputResponses' | 'requestState'>
  #controller: AbortController | undefined
  #cancelled: { readonly reason: Error } | undefined
  #progress: PacedProgress | undefined

  constructor(
    channel: CallChannel,
    id: number,
    facts: CallerFacts,
    more: Pick<WireRequest, 'inputResponses' | 'requestState'> = NOTHING,
  ) {
    this.#channel = channel
    this.id = id
    this.#facts = facts
    this.#more = more
  }

  cancel(reason: Error): void {
    this.#cancelled ??= { reason }
    this.#controller?.abort(reason)
  }

  /** What was not told of its progress by then never is. */
  end(): void {
    this.#progress?.end()
  }

  /** What the host takes it for: the number of the call. */
  get requestId(): string {
    return String(this.id)
  }
  get principal(): Principal {
    return this.#facts.principal
  }
  /** They stay with the host. */
  get credentials(): undefined {
    return undefined
  }
  get credentialKey(): string {
    return this.#facts.credentialKey
  }
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#cancelled) this.#controller.abort(this.#cancelled.reason)
    }
    return this.#controller.signal
  }
  get inputResponses(): InputResponses | undefined {
    return this.#more.inputResponses
  }
  get clientCapabilities(): Readonly<Record<string, unknown>> {
    return this.#facts.clientCapabilities
  }
  get requestState(): unknown {
    return this.#more.requestState
  }
  get progress(): CallRequest['progress'] {
    return (progress, options) => {
      const step = progressStep(progress, options)
      if (!step) return
      this.#progress ??= pacedProgress((...told) => this.#step(...told), performance.now.bind(performance), PACE_MS)
      this.#progress.tell(step.progress, step)
    }
  }
  get log(): CallRequest['log'] {
    return (level, data) => this.#channel.notifications.notify('clientLog', { call: this.id, level, data: plain(data) })
  }
  get closeStream(): () => void {
    return () => this.#channel.peer.notify('closeStream', { call: this.id } satisfies PluginNotifications['closeStream'])
  }

  #step(progress: number, { total, message }: { total?: number; message?: string } = {}): void {
    this.#channel.peer.notify('progress', {
      call: this.id,
      progress,
      ...(total === undefined ? {} : { total }),
      ...(message === undefined ? {} : { message: message.slice(0, LONGEST_MESSAGE) }),
    } satisfies PluginNotifications['progress'])
  }
}

const NOTHING = Object.freeze({})
