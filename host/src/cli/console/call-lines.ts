import type { EndedCall } from '../../server/call/types.ts'
import { count, plain, type Paint } from './paint.ts'

/** Prints calls as they end, and of a flood how many there were. */
export interface CallLines {
  add(call: EndedCall): void
  /** Tells what a flood has held back until now. To be called once a second. */
  tick(): void
}

/** Of one second. */
const MOST = 20

export function createCallLines(print: (line: string) => void, paint: Paint): CallLines {
  let printed = 0
  let held = 0
  return {
    add(call) {
      if (printed >= MOST) {
        held++
        return
      }
      printed++
      print(callLine(call, paint))
    },
    tick() {
      if (held > 0) print(paint('gray', `call · … and ${count(held, 'more call')} in this second`))
      printed = 0
      held = 0
    },
  }
}

/** `call · github_issues_get · ci of acme · ok · 38 ms` */
export function callLine({ kind, name, caller, outcome, reason, ms }: EndedCall, paint: Paint): string {
  const who = caller.kind === 'local' ? 'operator' : `${caller.id}${caller.tenant === undefined ? '' : ` of ${caller.tenant}`}`
  const colour = outcome === 'ok' ? 'green' : outcome === 'error' || outcome === 'timeout' ? 'red' : 'yellow'
  const parts = [
    paint('gray', kind === 'tool' ? 'call' : kind),
    paint('cyan', plain(name)),
    plain(who),
    paint(colour, reason === undefined ? outcome : `${outcome}: ${reason}`),
    ...(outcome === 'denied' ? [] : [`${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`]),
  ]
  return parts.join(' · ')
}
