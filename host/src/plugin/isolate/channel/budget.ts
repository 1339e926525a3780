import { FrameError } from './frame.ts'

/** What one plugin's process may cost the host in a second. Each method throws a {@link FrameError} for one too many. */
export interface ChannelBudget {
  /** A frame came; its header is not parsed yet. */
  frame(headerBytes: number): void
  /** It sent a notification. */
  notified(): void
  /** It sent a body that no request of the host asked for. */
  unrequested(bodyBytes: number): void
  /** The host spent this time on what it sent. */
  spent(ms: number): void
}

/**
 * Ten times the notifications that the child's own end of the channel sends, and far more than a plugin needs. Answers to requests of the
 * host are limited by the callers who wait for them, so their bodies do not count.
 */
const PER_SECOND = {
  frames: 100_000,
  notifications: 20_000,
  headerBytes: 16 * 1_048_576,
  unaskedBytes: 256 * 1_048_576,
  /** Of the host's thread, which all callers share. The other bounds are reached first on a machine that is not slow. */
  spentMs: 500,
}

export function createChannelBudget(now: () => number): ChannelBudget {
  let second = 0
  let used = { frames: 0, notifications: 0, headerBytes: 0, unaskedBytes: 0, spentMs: 0 }

  function spend(what: keyof typeof PER_SECOND, amount: number, words: string): void {
    const current = Math.floor(now() / 1_000)
    if (current !== second) used = { frames: 0, notifications: 0, headerBytes: 0, unaskedBytes: 0, spentMs: 0 }
    second = current
    used[what] += amount
    if (used[what] > PER_SECOND[what]) throw new FrameError(words)
  }

  return {
    frame(headerBytes) {
      spend('frames', 1, `sent more than ${PER_SECOND.frames} messages in a second`)
      spend('headerBytes', headerBytes, `sent more than ${PER_SECOND.headerBytes} bytes of headers in a second`)
    },
    notified: () => spend('notifications', 1, `told more than ${PER_SECOND.notifications} things in a second`),
    unrequested: (bytes) => spend('unaskedBytes', bytes, `sent more than ${PER_SECOND.unaskedBytes} bytes in a second unasked`),
    spent: (ms) => spend('spentMs', ms, `took more than ${PER_SECOND.spentMs} ms of the host in a second`),
  }
}
