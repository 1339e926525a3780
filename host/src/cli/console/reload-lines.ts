import type { DrainedVersion } from '../../plugin/reload/drain.ts'
import type { ReloadReport } from '../../plugin/reload/reload-report.ts'
import { surfaceWarnings, type SurfaceWarning } from '../../plugin/run/surface-warnings.ts'
import { count, plain, type Paint } from './paint.ts'
import { reasonLines, warningLines } from './plugin-lines.ts'

/** What became of one plugin, as it is known when it is published. */
export function reloadLines(report: ReloadReport, paint: Paint): readonly string[] {
  return [...outcomeLines(report, paint), ...warningLines(newWarnings(report), paint)]
}

/** Those that were told before are not told with every save. */
function newWarnings({ instance, before, after, outcome }: ReloadReport): readonly SurfaceWarning[] {
  if (outcome === 'kept' || !after?.surface) return []
  const known = new Set((before?.surface ? surfaceWarnings(before.surface, instance) : []).map((one) => JSON.stringify(one)))
  return surfaceWarnings(after.surface, instance).filter((one) => !known.has(JSON.stringify(one)))
}

function outcomeLines(report: ReloadReport, paint: Paint): readonly string[] {
  const { instance, outcome, generation, previous, before, after } = report
  if (outcome === 'kept') {
    const goesOn = `${plain(instance)} was not reloaded, the version of generation ${previous} goes on`
    return [paint('red', `✖ ${goesOn}`), ...reasonLines(after?.reason, paint)]
  }
  if (after && !after.live)
    return [
      paint('yellow', `generation ${generation} · ${plain(instance)} · ${after.state}`),
      ...reasonLines(after.reason, paint),
    ]
  const inFlight = before?.live?.inFlight ?? 0
  if (inFlight > 0) return [`${headOf(report, paint)} · ${count(inFlight, 'call')} finishing on ${previous}`]
  if (outcome === 'replaced') return [`${headOf(report, paint)} · ${callsOf({ finished: 0, cancelled: 0 }, previous, paint)}`]
  return [`${headOf(report, paint)} · ${outcome}`]
}

/** The same once the last call of the old version has ended. */
export function drainedLine(report: ReloadReport, drained: DrainedVersion, paint: Paint): string {
  return `${headOf(report, paint)} · ${callsOf(drained, report.previous, paint)}`
}

function headOf({ generation, instance, outcome, ms, changes, before }: ReloadReport, paint: Paint): string {
  const { added, changed, removed } = changes
  return [
    `${paint('bold', `generation ${generation}`)} · ${paint('cyan', plain(instance))}`,
    ...(outcome === 'removed' ? [] : [`${Math.round(ms)} ms`]),
    `+${added} ~${changed} -${removed}`,
    ...(before?.reloadError ? [paint('green', 'recovered')] : []),
  ].join(' · ')
}

function callsOf(
  { finished, cancelled }: Pick<DrainedVersion, 'finished' | 'cancelled'>,
  previous: number,
  paint: Paint,
): string {
  const lost = `${cancelled} lost`
  return `${count(finished, 'call')} finished on ${previous} · ${cancelled > 0 ? paint('red', lost) : lost}`
}
