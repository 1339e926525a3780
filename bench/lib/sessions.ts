import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { LOAD_CORE, pinned } from './server.ts'

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

/** Has that many clients call once a second, from a process on another core. */
export async function measureSessions(load: SessionLoad): Promise<SessionsMeasured> {
  const [command, ...args] = [...pinned(LOAD_CORE), process.execPath, join(import.meta.dirname, 'session-load.ts')]
  const child = spawn(command, [...args, JSON.stringify(load)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number]>])
  if (code !== 0) throw new Error(`The load ended with ${code}`)
  return JSON.parse(output) as SessionsMeasured
}
