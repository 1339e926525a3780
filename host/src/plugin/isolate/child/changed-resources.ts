import type { Notifications } from './child-notifications.ts'

/** How long what is said many times is collected. */
const PACE_MS = 50
const MAX_CHANGED = 1_000
/** No client follows a longer one. */
const LONGEST_URI = 4_096

/** What is said many times at once is told once: the host takes only so many words a second, and none of these may be lost. */
export function createChangedResources(notifications: Notifications): (uri: string) => void {
  const changed = new Set<string>()
  let telling: NodeJS.Timeout | undefined

  return (uri) => {
    if (changed.size >= MAX_CHANGED) return
    changed.add(uri.slice(0, LONGEST_URI))
    telling ??= setTimeout(() => {
      telling = undefined
      for (const one of changed) notifications.notify('resourceChanged', { uri: one })
      changed.clear()
    }, PACE_MS)
  }
}
