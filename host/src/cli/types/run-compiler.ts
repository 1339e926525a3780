import { spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { readTypeFaults, type TypeFault } from './type-faults.ts'

interface CompilerRun {
  /** Of `tsc`. */
  readonly script: string
  /** The tsconfig.json. */
  readonly project: string
  /** Where it keeps what it knows, so that the next run reads only what changed. */
  readonly buildInfo: string
  readonly signal: AbortSignal
}

/** A project that is not checked by then is too large to be told of a save. */
const TIMEOUT_MS = 120_000
/** It needs none of the host's variables, and so gets no secret. */
const VARIABLES = ['PATH', 'HOME', 'SystemRoot', 'TEMP', 'TMPDIR']

/**
 * Checks a project with a compiler in a process of its own, below the priority of everything else. Gives every error, or undefined when it
 * was ended or could not be run.
 */
export async function runCompiler({
  script,
  project,
  buildInfo,
  signal,
}: CompilerRun): Promise<readonly TypeFault[] | undefined> {
  const folder = dirname(project)
  const flags = ['--noEmit', '--pretty', 'false', '--incremental', '--tsBuildInfoFile', buildInfo, '--project', project]
  const child = spawn(process.execPath, [script, ...flags], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: Object.fromEntries(VARIABLES.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    killSignal: 'SIGKILL',
  })
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null))
    child.once('close', resolve)
  })
  try {
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
  } catch {
    // It ended already, or nothing may be set here.
  }
  const [printed, code] = await Promise.all([child.stdout ? text(child.stdout).catch(() => '') : '', ended])
  return code === null ? undefined : readTypeFaults(printed, folder)
}
