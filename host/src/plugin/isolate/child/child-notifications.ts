import { TELL_BYTES_PER_SECOND, TELLS_PER_SECOND, type PluginNotifications } from '../channel/messages.ts'
import type { Peer } from '../channel/peer.ts'

/** Tells the host things, as many a second as it listens to; of the rest, how many there were. */
export interface Notifications {
  tell<What extends keyof PluginNotifications>(what: What, data: PluginNotifications[What]): void
}

/** What the host would drop does not leave the process: a plugin that logs in a loop is not to keep the host busy, nor to be ended for it. */
export function createNotifications(peer: Pick<Peer, 'tell'>): Notifications {
  let left = TELLS_PER_SECOND
  let leftBytes = TELL_BYTES_PER_SECOND
  let dropped = 0
  let timer: NodeJS.Timeout | undefined

  function nextSecond(): void {
    timer = undefined
    left = TELLS_PER_SECOND
    leftBytes = TELL_BYTES_PER_SECOND
    if (dropped > 0) peer.tell('dropped', { times: dropped } satisfies PluginNotifications['dropped'])
    dropped = 0
  }

  return {
    tell(what, data) {
      timer ??= setTimeout(nextSecond, 1_000).unref()
      const bytes = left > 0 && leftBytes > 0 ? peer.tell(what, data) : 0
      if (bytes === 0) return void dropped++
      left--
      leftBytes -= bytes
    },
  }
}
