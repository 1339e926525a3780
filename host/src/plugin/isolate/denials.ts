import type { Logger } from '@mcp-patchbay/plugin-api'

/** Writes down what the permission model refused to the process of one plugin. */
export interface Denials {
  /** `call` is the id of the call in which it happened, where it was in one. Nothing of `refused` is trusted to have its form. */
  note(refused: Readonly<Record<string, unknown>>, call?: string): void
}

const WINDOW_MS = 60_000
/** A plugin that tries every file of the machine has not more to say than that. */
const LINES_PER_WINDOW = 20
const LONGEST_RESOURCE = 500

/** One line `plugin_access_denied` for each permission and resource a minute, a few of them; of the rest, how many there were. */
export function createDenials(log: Logger, now: () => number): Denials {
  let startedAt = -Infinity
  let untold = 0
  const told = new Set<string>()

  function begin(at: number): void {
    if (untold > 0) log.warn('plugin_denials_dropped', { times: untold })
    startedAt = at
    untold = 0
    told.clear()
  }

  return {
    note({ permission, resource }, call) {
      if (typeof permission !== 'string' || !/^[A-Za-z]{1,40}$/.test(permission)) return
      const what = typeof resource === 'string' ? resource.slice(0, LONGEST_RESOURCE) : ''
      const at = now()
      if (at - startedAt >= WINDOW_MS) begin(at)
      const key = `${permission} ${what}`
      if (told.has(key) || told.size >= LINES_PER_WINDOW) return void untold++
      told.add(key)
      log.warn('plugin_access_denied', { permission, resource: what, ...(call === undefined ? {} : { call }) })
    },
  }
}
