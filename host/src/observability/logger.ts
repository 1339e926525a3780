import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino'
import type { LogFields, Logger } from '@mcp-patchbay/plugin-api'
import { prettyLines } from './pretty.ts'
import { isError, textOf, valueOf } from './thrown.ts'
import { visible } from './visible.ts'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Where lines go. */
export type LogLines = DestinationStream

export interface LoggerOptions {
  readonly level: LogLevel
  readonly format: 'json' | 'pretty'
  /** Default: file descriptor 2, written synchronously so that the last line before an exit is not lost. */
  readonly destination?: LogLines
  /** Takes every known secret out of a line; see redact.ts. */
  readonly redact?: (line: string) => string
}

/**
 * The host's log: one JSON object a line on stderr, `event` first, then fields. Everything that could end a line or move a terminal's
 * cursor is escaped, so no value can forge a line or hide one. stdout is never touched: on stdio it is the protocol.
 */
export function createLogger({ level, format, destination, redact }: LoggerOptions): Logger {
  const sink = destination ?? stderrLines()
  const formatted = format === 'pretty' ? prettyLines(sink) : visibleLines(sink)
  const stream = redact ? { write: (line: string) => formatted.write(redact(line)) } : formatted
  return wrap(
    pino(
      {
        level,
        base: null,
        messageKey: 'event',
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { error: serializeError },
      },
      stream,
    ),
  )
}

/** A log that cannot be written, be its disk full or its reader gone, ends no host. It keeps the last of it, to be written when it can. */
function stderrLines(): DestinationStream {
  const sink = pino.destination({ fd: 2, sync: true, maxLength: 1_048_576 })
  sink.on('error', () => {})
  return sink
}

/** pino leaves the control characters beyond ASCII as they are, and a terminal takes them for commands. */
function visibleLines(sink: DestinationStream): DestinationStream {
  return { write: (line) => sink.write(`${visible(line.trimEnd())}\n`) }
}

/** For an embedder that wants no log. */
export const silentLogger: Logger = Object.freeze({
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
})

function wrap(logger: PinoLogger): Logger {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (event: string, fields?: LogFields) => {
    if (fields) logger[level](fields, event)
    else logger[level](event)
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(logger.child(fields)),
  }
}

/** An error with its stack and causes, five deep at most: a cause may point back. */
function serializeError(error: unknown, depth = 0): unknown {
  if (!isError(error)) return error
  const code = valueOf(error, 'code')
  const cause = valueOf(error, 'cause')
  return {
    name: textOf(error, 'name'),
    message: textOf(error, 'message'),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    stack: textOf(error, 'stack'),
    ...(cause !== undefined && depth < 5 ? { cause: serializeError(cause, depth + 1) } : {}),
  }
}
