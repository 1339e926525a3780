import type { EndedCall, Middleware } from '../../server/call/types.ts'
import { table } from './print.ts'

/** Where the time of a call goes, in milliseconds. */
export interface CallTrace {
  /** Innermost of the middleware: behind it are the cache and the plugin. */
  readonly layer: Middleware
  /** The config is read and every plugin is loaded. */
  opened(): void
  /** To be told before each round: a question that is answered begins the next one. */
  begin(): void
  ended(call: EndedCall): void
  /** How long a person took to answer. */
  answered(ms: number): void
  lines(): readonly string[]
}

/** Times the layers of one call, and of the rounds that answers to its questions begin. `now` is in milliseconds. */
export function traceCall(now: () => number): CallTrace {
  const startedAt = now()
  const rows: (readonly [string, number])[] = []
  let begunAt = startedAt
  let enteredAt: number | undefined
  let leftAt: number | undefined
  return {
    layer: {
      name: 'trace',
      async tool(_, next) {
        enteredAt = now()
        try {
          return await next()
        } finally {
          leftAt = now()
        }
      },
    },
    opened: () => void rows.push(['config and plugins', now() - startedAt]),
    begin() {
      begunAt = now()
      enteredAt = leftAt = undefined
    },
    ended({ outcome }) {
      const endedAt = now()
      rows.push(['rate, arguments, approval, middleware', (enteredAt ?? endedAt) - begunAt])
      if (enteredAt !== undefined && leftAt !== undefined)
        rows.push(['cache and plugin', leftAt - enteredAt], ['the way back', endedAt - leftAt])
      rows.push([outcome, endedAt - begunAt])
    },
    answered: (ms) => void rows.push(['your answers', ms]),
    lines: () =>
      table(
        ['LAYER', 'MS'],
        rows.map(([layer, ms]) => [layer, ms.toFixed(1)]),
      ),
  }
}
