import { spawn } from 'node:child_process'
import { PassThrough, type Readable, type Writable } from 'node:stream'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { onlyThese } from '../../isolate/inherited.ts'
import { afterLastWords, captureOutput } from '../../isolate/output.ts'
import type { Reaper } from '../../isolate/reaper.ts'
import { wordsFor } from '../../isolate/spawn.ts'

/** How a server is started. Nothing of it goes through a shell. */
export interface ServerCommand {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>
}

/** A server that runs here, with pipes to its standard input and output. */
export interface ServerProcess {
  readonly pid: number
  readonly stdin: Writable
  readonly stdout: Readable
  /** Resolves once it is gone, with why, for a person. */
  readonly exited: Promise<string>
  /** Why it never began; known when `exited` resolves. */
  readonly startError: Error | undefined
  /** The last it printed beside its messages. */
  tail(): string
  /** Takes what it wrote to stdout and is not a message. */
  printed(line: string): void
  /** Ends it, and everything it started, at once; `why` is what `exited` says. */
  kill(why: string): void
  /** Closes its input, asks it to end, and ends it: each a second after the step before. */
  end(why: string): Promise<void>
}

export interface ServerProcessDeps {
  readonly log: Logger
  readonly now: () => number
  readonly reaper: Reaper
}

/** How long a server may take to end by itself, in milliseconds, at each step. */
const GRACE_MS = 1_000
const LAST_WORDS_MS = 500

/** Starts a server in a process group of its own, which ends as a whole: also what it started itself. */
export function startServer(command: ServerCommand, { log, now, reaper }: ServerProcessDeps): ServerProcess {
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: { ...command.env },
    stdio: onlyThese(['pipe', 'pipe', 'pipe']),
    detached: true,
    windowsHide: true,
  })
  const { pid = 0, stdin, stdout, stderr } = child
  const { promise: exited, resolve } = Promise.withResolvers<string>()
  let startError: Error | undefined
  let killed: string | undefined
  let hasEnded = false
  let isOver = false
  const forget = pid === 0 ? () => {} : reaper.watch(-pid)

  function signal(name: NodeJS.Signals): void {
    // Its number may be another process's by now.
    if (pid === 0 || hasEnded) return
    try {
      process.kill(-pid, name)
    } catch {
      // its group is empty: it is gone
    }
  }

  function kill(why: string): void {
    killed ??= why
    signal('SIGKILL')
  }

  function over(why: string): void {
    if (isOver) return
    isOver = true
    forget()
    resolve(why)
  }

  // What it started may live on without it.
  child.once('exit', () => {
    signal('SIGKILL')
    hasEnded = true
  })
  afterLastWords(child, (code, name) => over(killed ?? wordsFor(code, name)))
  child.on('error', (error) => {
    if (pid !== 0) return log.debug('server_process_error', { error })
    startError = error
    over(`it could not be started: ${startProblem(error, command)}`)
  })
  const printed = new PassThrough()
  if (!stdin || !stdout || !stderr) {
    // Without a free descriptor there are no pipes, and no process either.
    return {
      ...NO_PIPES,
      exited,
      tail: () => '',
      printed() {},
      kill,
      end: async () => kill('it has no pipes'),
      get startError() {
        return startError
      },
    }
  }
  // It closed its input, so it can be told nothing: or it is about to end, and says itself how.
  stdin.on('error', () => {
    const deaf = setTimeout(() => kill('it closed its input'), LAST_WORDS_MS)
    void exited.then(() => clearTimeout(deaf))
  })
  stdout.on('error', () => {})
  const output = captureOutput({ stdout: printed, stderr }, { log, now, onFlood: kill })

  return {
    pid,
    stdin,
    stdout,
    exited,
    get startError() {
      return startError
    },
    tail: () => output.tail(),
    printed: (line) => void printed.write(`${line}\n`),
    kill,
    async end(why) {
      killed ??= why
      stdin.end()
      const steps = [setTimeout(() => signal('SIGTERM'), GRACE_MS), setTimeout(() => signal('SIGKILL'), 2 * GRACE_MS)]
      await exited
      steps.forEach(clearTimeout)
    },
  }
}

const NO_PIPES = { pid: 0, stdin: new PassThrough(), stdout: new PassThrough() }

function startProblem(error: Error, { file, cwd }: ServerCommand): string {
  const code = 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return `${JSON.stringify(file)}, or the folder ${cwd}, does not exist`
  if (code === 'EACCES') return `${JSON.stringify(file)} may not be executed`
  return error.message
}
