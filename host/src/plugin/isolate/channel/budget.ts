import { createWindowLimit } from '../../../data/window-limit.ts'
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
 * Notifications: ten times what the child's own end of the channel sends, and far more than a plugin needs. Answers to requests of the
 * host are limited by the callers who wait for them, so their bodies do not count. `spentMs` is time of the host's thread, which all
 * callers share; a machine that is not slow reaches the other limits first.
 */
const PER_SECOND = {
  frames: [100_000, 'sent more than 100000 messages in a second'],
  headerBytes: [16 * 1_048_576, 'sent more than 16 MB of headers in a second'],
  notifications: [20_000, 'sent more than 20000 notifications in a second'],
  unrequestedBytes: [256 * 1_048_576, 'sent more than 256 MB in a second that the host did not request'],
  spentMs: [500, 'took more than 500 ms of the host in a second'],
} as const

export function createChannelBudget(now: () => number): ChannelBudget {
  const spender = (what: keyof typeof PER_SECOND) => {
    const [limit, problem] = PER_SECOND[what]
    const window = createWindowLimit({ limit, now })
    return (amount: number) => {
      if (!window.take(amount)) throw new FrameError(problem)
    }
  }
  const frames = spender('frames')
  const headerBytes = spender('headerBytes')
  const notifications = spender('notifications')
  return {
    frame(bytes) {
      frames(1)
      headerBytes(bytes)
    },
    notified: () => notifications(1),
    unrequested: spender('unrequestedBytes'),
    spent: spender('spentMs'),
  }
}
