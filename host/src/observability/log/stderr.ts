import { createLogOutput, stderrSink, type LogOutput } from './log-output.ts'

let output: LogOutput | undefined

/** What this process writes to stderr, all of it in order: the log, what a command tells people, and what plugins print. */
export function stderrOutput(): LogOutput {
  if (output) return output
  const { stderr } = process
  // oxlint-disable-next-line typescript/unbound-method -- called on its stream
  const made = createLogOutput({ sink: stderrSink(stderr, stderr.write) })
  process.on('exit', () => made.flushNow())
  return (output = made)
}

/** From now on no write to `process.stderr` waits for its reader, whatever code it comes from. */
export function guardStderr(): void {
  const to = stderrOutput()
  process.stderr.write = (text: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
    to.write(typeof text === 'string' ? text : Buffer.from(text).toString())
    const callback = typeof encoding === 'function' ? encoding : done
    if (typeof callback === 'function') process.nextTick(callback)
    return true
  }
}

/** Ends this process. Where a reader that is stuck would keep it from ending, by a signal. */
export function endProcess(code: number): never {
  output?.flushNow()
  if (output?.isStuck(STUCK_MS)) process.kill(process.pid, 'SIGKILL')
  process.exit(code)
}

const STUCK_MS = 500
