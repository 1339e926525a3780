import { NOTIFICATION_BYTES_PER_SECOND, NOTIFICATIONS_PER_SECOND, type PluginNotifications } from '../channel/messages.ts'
import type { Peer } from '../channel/peer.ts'

/** Sends notifications to the host, up to the limit per second; of the rest only their number. */
export interface Notifications {
  notify<What extends keyof PluginNotifications>(what: What, data: PluginNotifications[What]): void
}

/** What the host would drop does not leave the process: a plugin that logs in a loop is not to keep the host busy, nor to be ended for it. */
export function createNotifications(peer: Pick<Peer, 'notify'>): Notifications {
  let left = NOTIFICATIONS_PER_SECOND
  let leftBytes = NOTIFICATION_BYTES_PER_SECOND
  let dropped = 0
  let timer: NodeJS.Timeout | undefined

  function nextSecond(): void {
    timer = undefined
    left = NOTIFICATIONS_PER_SECOND
    leftBytes = NOTIFICATION_BYTES_PER_SECOND
    if (dropped > 0) peer.notify('dropped', { times: dropped } satisfies PluginNotifications['dropped'])
    dropped = 0
  }

  return {
    notify(what, data) {
      timer ??= setTimeout(nextSecond, 1_000).unref()
      const bytes = left > 0 && leftBytes > 0 ? peer.notify(what, data) : 0
      if (bytes === 0) return void dropped++
      left--
      leftBytes -= bytes
    },
  }
}
