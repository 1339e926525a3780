import { viewChanges } from '../../server/catalog/operator/view-changes.ts'
import type { LiveFeed } from './live-feed.ts'
import type { AdminHost } from './types.ts'

/** Tells `feed` what the host does: reloads, calls, and what is listed otherwise. Until disposed. */
export function followHost({ events, operator }: Pick<AdminHost, 'events' | 'operator'>, feed: LiveFeed): Disposable {
  const stop = new DisposableStack()
  const on: typeof events.on = (event, listener) => {
    stop.defer(() => events.off(event, listener))
    return events.on(event, listener)
  }
  on('generation', ({ generation, previous, current }) => {
    const changes = viewChanges(previous, current, operator)
    feed.push('generation', {
      generation,
      changes: changes.slice(0, MOST_CHANGES),
      more: Math.max(0, changes.length - MOST_CHANGES),
    })
  })
  on('reload', ({ instance, generation, previous, outcome, ms, changes, before, after }) =>
    feed.push('reload', {
      plugin: instance,
      generation,
      previous,
      outcome,
      ms: Math.round(ms * 10) / 10,
      state: after?.state ?? null,
      reason: after?.reason ?? null,
      recovered: before?.reloadError !== undefined && outcome !== 'kept',
      changes,
      callsFinishing: outcome === 'kept' ? 0 : (before?.live?.inFlight ?? 0),
    }),
  )
  on('drained', ({ instance, generation, finished, cancelled }) =>
    feed.push('drained', { plugin: instance, generation, finished, cancelled }),
  )
  on('call', ({ ms, ...call }) => feed.push('call', { ...call, ms: Math.round(ms * 10) / 10 }))
  return stop
}

/** Of one generation: a config that hides everything is one change to a reader. */
const MOST_CHANGES = 100
