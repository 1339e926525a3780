import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { ownModule } from '../../modules/own-modules.ts'
import { conditionFlags } from './condition-flags.ts'
import type { Environment } from './dotenv.ts'
import type { EvaluationReport } from './evaluation-child.ts'
import { evaluationError, type Failure } from './evaluation-error.ts'
import type { ConfigSource } from './types.ts'

export interface EvaluateOptions {
  /** What the config sees as `process.env`. */
  readonly env: Environment
  readonly timeoutMs: number
  /** Gets what the config prints, at `debug`. */
  readonly log: Logger
  /** Called with the real path of each file that is read, as soon as it is known: also when the config then fails. */
  readonly onFile: (file: string) => void
  /** Takes secrets out of what the config prints and throws. */
  readonly mask: (text: string) => string
}

/**
 * Runs a config that is code in a new process and returns its default export as plain data. The process ends with it: nothing of an
 * older version stays, and a config that loops, exits, waits for a command, writes to standard output or eats its memory does no harm.
 * A thread would start 15 ms sooner, but one that waits in `execSync`, or is out of memory, cannot be ended, and neither can the host
 * then. Throws `CONFIG_FAILED`.
 */
export async function evaluateConfig(source: ConfigSource, options: EvaluateOptions): Promise<unknown> {
  const { log, mask, timeoutMs, onFile } = options
  const files: string[] = []
  const child = startChild(source.file, options)
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => log.debug('config_output', { stream: name, text: mask(text) }))
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const fail = (failure: Failure) => reject(evaluationError(source, failure, { files, mask }))
  const timer = setTimeout(() => fail({ kind: 'timeout', ms: timeoutMs }), timeoutMs)
  child.on('error', (error) => fail({ kind: 'unstarted', problem: error.message }))
  void readReports(child, { files, onFile }).then((ending) => {
    if (ending.kind === 'value') resolve(ending.value)
    else fail(ending)
  }, reject)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    child.kill('SIGKILL')
  }
}

/** What the child says until it says how it ended, or ends without a word. */
async function readReports(
  child: ChildProcess,
  { files, onFile }: { files: string[]; onFile: (file: string) => void },
): Promise<Failure | Extract<EvaluationReport, { kind: 'value' }>> {
  // It could not be started, and its `error` says why.
  if (child.pid === undefined) return new Promise(() => {})
  const reports = child.stdio[3]
  if (!(reports instanceof Readable)) return { kind: 'silent', signal: null }
  const ended = Promise.withResolvers<NodeJS.Signals | null>()
  child.once('exit', (_code, signal) => ended.resolve(signal))
  let unresolved: Extract<EvaluationReport, { kind: 'unresolved' }> | undefined
  for await (const line of createInterface({ input: reports })) {
    const report: EvaluationReport = JSON.parse(line)
    if (report.kind === 'file') {
      files.push(report.file)
      onFile(report.file)
    } else if (report.kind === 'unresolved') unresolved = report
    else return report.kind === 'threw' ? { ...report, unresolved } : report
  }
  return { kind: 'silent', signal: await ended.promise }
}

/**
 * The command that runs `command` with a limit of processor time, so that a config that loops ends also when this process was killed and
 * cannot end it. Twice the time it may take and a little more: threads of Node count as well. Windows has no such limit.
 */
function limited(command: readonly string[], timeoutMs: number): readonly [string, ...string[]] {
  const [program = '', ...args] = command
  if (process.platform === 'win32' || !existsSync('/bin/sh')) return [program, ...args]
  return ['/bin/sh', '-c', `ulimit -t ${Math.ceil(timeoutMs / 500) + 2}; exec "$0" "$@"`, program, ...args]
}

/** With this process's conditions for what the config imports. */
function startChild(file: string, { env, timeoutMs }: EvaluateOptions): ChildProcess {
  const [program, ...args] = limited(
    [
      process.execPath,
      '--max-old-space-size=256',
      ...conditionFlags(),
      fileURLToPath(ownModule('config/file/evaluation-child')),
      pathToFileURL(file).href,
      ownModule('config/file/define'),
    ],
    timeoutMs,
  )
  const compiled = getCompileCacheDir()
  return spawn(program, args, {
    // Where this process keeps compiled code: two thirds of what a config costs is taking the types out of it.
    env: { ...env, ...(compiled !== undefined && { NODE_COMPILE_CACHE: dirname(compiled) }) },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    windowsHide: true,
  })
}
