import { realpath } from 'node:fs/promises'

/** Where a path led when something was built through it. */
export interface Link {
  /** Empty: nowhere. */
  readonly led: string
  /** What was built: the next build looks again. */
  readonly of: object
}

/** With many links it takes a part of the time, and is rested so many times as long, to a second at most. */
const REST = 20
const MAX_MS = 1_000

/**
 * Tells of paths that lead elsewhere than they did, some `intervalMs` later. By looking, since no watcher of what a link leads to hears
 * that the link was switched. Each difference is told once, until something was built again.
 */
export function followLinks(
  links: () => ReadonlyMap<string, Link>,
  onSwitched: (path: string) => void,
  intervalMs = 250,
): Disposable {
  const told = new Map<string, { readonly real: string; readonly of: object }>()
  let timer: NodeJS.Timeout | undefined
  let closed = false

  async function look(): Promise<void> {
    const began = performance.now()
    for (const [path, { led, of }] of links()) {
      const real = await realpath(path).catch(() => '')
      const before = told.get(path)
      if (real === led || (before?.real === real && before.of === of)) continue
      told.set(path, { real, of })
      onSwitched(path)
    }
    if (!closed) next(Math.min(Math.max(intervalMs, (performance.now() - began) * REST), MAX_MS))
  }

  function next(ms: number): void {
    timer = setTimeout(() => void look(), ms).unref()
  }

  next(intervalMs)
  return {
    [Symbol.dispose]() {
      closed = true
      clearTimeout(timer)
    },
  }
}
