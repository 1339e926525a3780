import { pathToFileURL } from 'node:url'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { describeError } from '../../errors.ts'
import { endProcess } from '../../observability/log/stderr.ts'
import { isError, textOf } from '../../observability/thrown.ts'
import { EXIT } from './exit.ts'

/** Why and how a host that serves is told to stop. */
export interface Ending extends Disposable {
  /** Resolves when the process is to stop. */
  readonly told: Promise<void>
  /** Aborts then. */
  readonly signal: AbortSignal
  /** The exit code for then. */
  readonly code: number
  /** From now on there is a host: what happens goes to its log, `SIGHUP` has it read its config again. */
  serving(host: ServingHost): void
}

export interface ServingHost {
  readonly log: Logger
  readonly reread: () => Promise<void>
  /** The folder of each plugin in this process, with its name. */
  readonly owners: () => ReadonlyMap<string, string>
  /** Resolves when there is no one to serve any more. */
  readonly over: Promise<unknown>
}

/**
 * Listens for what ends a host: `SIGTERM`, `SIGINT`, where it was started from a terminal also the end of that (`SIGHUP`), and an error
 * that nothing handles, most likely thrown by a plugin after its call. Each of them lets calls finish first; a second signal ends the
 * process at once. To be called before the first plugin runs.
 */
export function watchEnding(hasTerminal = onTerminal()): Ending {
  const { promise, resolve } = Promise.withResolvers<void>()
  let host: ServingHost | undefined
  let isStopping = false
  const ended = new AbortController()
  let code: number = EXIT.done

  const stop = (reason: string) => {
    isStopping = true
    host?.log.info('stopping', { reason })
    ended.abort()
    resolve()
  }
  const onSignal = (signal: NodeJS.Signals) => {
    if (isStopping || !host) endProcess(SIGNAL_CODES[signal] ?? EXIT.failed)
    stop(signal)
  }
  const onHangUp = () => {
    if (hasTerminal) onSignal('SIGHUP')
    else if (!isStopping) void host?.reread()
  }
  const onUncaught = (error: unknown, kind: string) => {
    code = EXIT.failed
    if (!host) {
      process.stderr.write(`${describeUncaught(error)}\n`)
      return endProcess(code)
    }
    const plugin = ownerOf(error, host.owners())
    host.log.error('uncaught_error', { kind, error, ...(plugin === undefined ? {} : { plugin }) })
    if (!isStopping) stop('an error that nothing handled')
  }
  const onRejection = (error: unknown) => onUncaught(error, 'unhandledRejection')
  // Node would open its inspector: a plugin in its own process may signal its host, and would read everything of it then.
  const onInspect = () => host?.log.warn('signal_ignored', { signal: 'SIGUSR1' })

  process.on('SIGTERM', onSignal).on('SIGINT', onSignal).on('SIGHUP', onHangUp).on('SIGUSR1', onInspect)
  process.on('uncaughtException', onUncaught).on('unhandledRejection', onRejection)
  return {
    told: promise,
    signal: ended.signal,
    get code() {
      return code
    },
    serving(next) {
      host = next
      // Whoever awaits it hears of what it rejects with.
      next.over.then(
        () => {
          if (!isStopping) stop('end of input')
        },
        () => {},
      )
    },
    [Symbol.dispose]() {
      process.off('SIGTERM', onSignal).off('SIGINT', onSignal).off('SIGHUP', onHangUp).off('SIGUSR1', onInspect)
      process.off('uncaughtException', onUncaught).off('unhandledRejection', onRejection)
    },
  }
}

const SIGNAL_CODES: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

/** A service manager starts a host without one, and tells it by SIGHUP to read its config again. */
function onTerminal(): boolean {
  return process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
}

/** The plugin whose file is the first in the stack that is in the folder of one. */
function ownerOf(error: unknown, owners: ReadonlyMap<string, string>): string | undefined {
  const stack = isError(error) ? (textOf(error, 'stack') ?? '') : ''
  for (const line of stack.split('\n', MAX_LINES)) {
    const found = [...owners].filter(([root]) => isIn(line, root) || isIn(line, pathToFileURL(root).href))
    // A plugin may be in the folder of another one.
    const [, plugin] = found.toSorted(([one], [other]) => other.length - one.length)[0] ?? []
    if (plugin !== undefined) return plugin
  }
  return undefined
}

/** Whether a line of a stack names a file of the folder `root`, or that very file. */
function isIn(line: string, root: string): boolean {
  return line.includes(`${root}/`) || line.includes(`${root}\\`) || line.includes(`${root}:`)
}

/** A stack of many frames says nothing more. */
const MAX_LINES = 100

function describeUncaught(error: unknown): string {
  return (isError(error) && textOf(error, 'stack')) || describeError(error)
}
