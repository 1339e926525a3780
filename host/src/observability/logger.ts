import { pino, type Logger as PinoLogger } from 'pino'
import type { LogFields, Logger } from '@mcp-patchbay/plugin-api'
import { AUDIT_EVENT } from './audit.ts'
import { prettyLines } from './pretty.ts'
import type { LogLines } from './log/log-lines.ts'
import { LINE_LIMITS, shortenFields, shortenText } from './log/shorten.ts'
import { stderrOutput } from './log/stderr.ts'
import { serializeError } from './log/serialize-error.ts'
import { visible } from './visible.ts'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface LoggerOptions {
  readonly level: LogLevel
  readonly format: 'json' | 'pretty'
  /** Default: stderr, which never waits for its reader. */
  readonly destination?: LogLines
  /** Takes every known secret out of a line; see redact.ts. */
  readonly redact?: (line: string) => string
}

/**
 * The host's log: one JSON object a line on stderr, `event` first, then fields. Everything that could end a line or move a terminal's
 * cursor is escaped, so no value can forge a line or hide one. stdout is never touched: on stdio it is the protocol.
 */
export function createLogger({ level, format, destination, redact }: LoggerOptions): Logger {
  /** The event of the line that is being made: a line is made and written in one go. */
  const current = { event: '' }
  const sink = destination ?? stderrLines(current)
  const formatted = format === 'pretty' ? prettyLines(sink) : visibleLines(sink)
  // A secret is gone before anything is cut: half of one is no longer recognised.
  const stream = { write: (line: string) => formatted.write(shortLine(redact ? redact(line) : line)) }
  const log = wrap(
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
    current,
  )
  if (!destination) stderrOutput().onDropped((lines) => log.warn('log_lines_dropped', { lines }))
  return log
}

/** A log whose reader is stuck or gone, or whose disk is full, neither stops nor ends the host: see log-output.ts. */
function stderrLines(current: { readonly event: string }): LogLines {
  const output = stderrOutput()
  return { write: (text) => output.write(text, current.event === AUDIT_EVENT) }
}

/** A line as it is, or, where it is too long for programs that read lines, with its long fields cut and marked. */
function shortLine(line: string): string {
  if (line.length <= LINE_LIMITS.line) return line
  const { level, time, event, ...fields } = JSON.parse(line) as Readonly<Record<string, unknown>>
  const short = shortenFields(fields, LINE_LIMITS.line)
  return JSON.stringify({ level, time, ...short, shortened: line.length, event: shortenText(String(event), MAX_EVENT) })
}

const MAX_EVENT = 200

/** pino leaves the control characters beyond ASCII as they are, and a terminal takes them for commands. */
function visibleLines(sink: LogLines): LogLines {
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

function wrap(logger: PinoLogger, current: { event: string }): Logger {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (event: string, fields?: LogFields) => {
    current.event = event
    if (fields) logger[level](fields, event)
    else logger[level](event)
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(logger.child(fields), current),
  }
}
