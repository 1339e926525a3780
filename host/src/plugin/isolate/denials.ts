import type { Logger } from '@mcp-patchbay/plugin-api'
import { createWindowLimit } from '../../data/window-limit.ts'

/** Writes down what the permission model refused to the process of one plugin. */
export interface Denials {
  /** `call` is the id of the call in which it happened, where it was in one. Nothing of `refused` is trusted to have its form. */
  note(refused: Readonly<Record<string, unknown>>, call?: string): void
}

/** A plugin that tries every file of the machine must not fill the log. */
const LINES_PER_MINUTE = 20
const LONGEST_RESOURCE = 500

/** One line `plugin_access_denied` for each permission and resource a minute, a few of them; of the rest, how many there were. */
export function createDenials(log: Logger, now: () => number): Denials {
  const logged = new Set<string>()
  const lines = createWindowLimit({
    limit: LINES_PER_MINUTE,
    windowMs: 60_000,
    now,
    onNext: (dropped) => {
      if (dropped > 0) log.warn('plugin_denials_dropped', { times: dropped })
      logged.clear()
    },
  })

  return {
    note({ permission, resource }, call) {
      if (typeof permission !== 'string' || !/^[A-Za-z]{1,40}$/.test(permission)) return
      const what = typeof resource === 'string' ? resource.slice(0, LONGEST_RESOURCE) : ''
      const key = `${permission} ${what}`
      lines.roll()
      if (logged.has(key)) return lines.drop()
      if (!lines.take()) return
      logged.add(key)
      log.warn('plugin_access_denied', { permission, resource: what, ...(call === undefined ? {} : { call }) })
    },
  }
}
