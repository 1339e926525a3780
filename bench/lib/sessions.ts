import { runLoad } from './load.ts'

export interface SessionLoad {
  readonly port: number
  readonly pid: number
  readonly tool: string
  readonly sessions: number
  readonly seconds: number
}

export interface SessionsMeasured {
  readonly calls: number
  /** Answers that were not the right one. */
  readonly errors: number
  /** From when a call was due. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Memory of the server for each session: when all are open, and after their calls. */
  readonly openMb: number
  readonly afterMb: number
}

/** Has that many clients call once a second. */
export async function measureSessions(load: SessionLoad): Promise<SessionsMeasured> {
  return (await runLoad('session-load.ts', load)) as SessionsMeasured
}
