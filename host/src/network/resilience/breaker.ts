import type { Clock } from './clock.ts'

/** Leaves a service alone that failed several times in a row, then lets one request try. */
export interface Breaker {
  /** A permit for one attempt, to be settled; or how long the service is left alone still. */
  admit(): Permit | { readonly closedForMs: number }
}

export interface Permit {
  /** `neither`: the attempt says nothing about the service, because the caller gave up. */
  readonly settle: (result: 'success' | 'failure' | 'neither') => void
}

export interface BreakerOptions {
  readonly clock: Clock
  /** In a row. */
  readonly failures: number
  readonly openMs: number
  /** Tells of a change after it happened. */
  readonly onChange: (state: 'open' | 'closed') => void
}

export function createBreaker({ clock, failures, openMs, onChange }: BreakerOptions): Breaker {
  let failed = 0
  let openUntil: number | undefined
  let probing = false

  const open = () => {
    const first = openUntil === undefined
    openUntil = clock.now() + openMs
    if (first) onChange('open')
  }
  const ordinary: Permit['settle'] = (result) => {
    if (openUntil !== undefined || result === 'neither') return // began before the breaker opened: too old to tell
    failed = result === 'success' ? 0 : failed + 1
    if (failed >= failures) open()
  }
  const probe: Permit['settle'] = (result) => {
    probing = false
    if (result === 'failure') open()
    if (result !== 'success') return
    openUntil = undefined
    failed = 0
    onChange('closed')
  }

  return {
    admit() {
      if (openUntil === undefined) return { settle: ordinary }
      // The clock of the machine may be set back meanwhile.
      openUntil = Math.min(openUntil, clock.now() + openMs)
      const closedForMs = openUntil - clock.now()
      if (closedForMs > 0) return { closedForMs }
      if (probing) return { closedForMs: 0 }
      probing = true
      return { settle: probe }
    },
  }
}
