import type { DrainedVersion } from '../plugin/reload/drain.ts'
import type { ReloadReport } from '../plugin/reload/reload-report.ts'
import type { PluginRecord } from '../plugin/run/plugin-record.ts'
import type { EndedCall } from './call/types.ts'
import type { Snapshot } from './catalog/snapshot.ts'

/** What a host tells of itself once it has happened. */
export interface HostEvents {
  generation: (event: GenerationEvent) => void
  reload: (report: ReloadReport) => void
  drained: (report: DrainedVersion) => void
  call: (call: EndedCall) => void
}

/** A new generation is served. */
export interface GenerationEvent {
  readonly generation: number
  readonly tools: number
  readonly plugins: readonly PluginRecord[]
  /** What was served until now, and what is served from now on. */
  readonly previous: Snapshot
  readonly current: Snapshot
}
