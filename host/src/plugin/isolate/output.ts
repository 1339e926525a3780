import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Logger } from '@mcp-patchbay/plugin-api'

export interface OutputOptions {
  readonly log: Logger
  readonly now: () => number
  /** Called once, when more was written than anybody could want to read. */
  readonly onFlood: (bytes: number) => void
}

/** What a plugin's process printed last. */
export interface Output {
  tail(): string
}

const KEPT_BYTES = 65_536
const LINES_PER_SECOND = 50
const LONGEST_LINE = 2_000
/** In any ten seconds. */
const MAX_BYTES = 16 * 1_048_576
const WINDOW_MS = 10_000

/** How long pipes of a process that has ended may stay open, in milliseconds: what it started may hold them for as long as it likes. */
const LEFT_OPEN_MS = 250

/** Calls `tell` once after the process has ended, when all that it wrote has been read: its last words say why it ended. */
export function afterLastWords(child: ChildProcess, tell: (code: number | null, signal: NodeJS.Signals | null) => void): void {
  child.once('exit', (code, signal) => {
    const done = () => {
      clearTimeout(timer)
      child.off('close', done)
      tell(code, signal)
    }
    const timer = setTimeout(done, LEFT_OPEN_MS)
    child.once('close', done)
  })
}

/**
 * Reads what a plugin prints: the last of it is kept for when the process dies, lines go to the log at `debug` as long as there are not
 * too many of them.
 */
export function captureOutput(streams: Readonly<Record<string, Readable>>, options: OutputOptions): Output {
  const { log, now, onFlood } = options
  let kept: Buffer[] = []
  let keptBytes = 0
  let window = { startedAt: now(), bytes: 0, lines: 0, dropped: 0, second: 0 }

  function keep(chunk: Buffer): void {
    // A copy: a slice would hold on to the memory of the stream.
    kept.push(Buffer.from(chunk.subarray(-KEPT_BYTES)))
    keptBytes += Math.min(chunk.length, KEPT_BYTES)
    while (keptBytes - (kept[0]?.length ?? 0) >= KEPT_BYTES) keptBytes -= kept.shift()?.length ?? 0
  }

  function count(bytes: number): boolean {
    const at = now()
    if (at - window.startedAt > WINDOW_MS) window = { startedAt: at, bytes: 0, lines: 0, dropped: window.dropped, second: 0 }
    const before = window.bytes
    window.bytes += bytes
    if (before <= MAX_BYTES && window.bytes > MAX_BYTES) onFlood(window.bytes)
    return window.bytes <= MAX_BYTES
  }

  function show(stream: string, line: string): void {
    const second = Math.floor(now() / 1_000)
    if (second !== window.second) {
      if (window.dropped > 0) log.debug('plugin_output_dropped', { lines: window.dropped })
      window.second = second
      window.lines = 0
      window.dropped = 0
    }
    if (++window.lines > LINES_PER_SECOND) window.dropped++
    else log.debug('plugin_output', { stream, line: line.slice(0, LONGEST_LINE) })
  }

  for (const [name, stream] of Object.entries(streams)) {
    let rest = ''
    stream.on('data', (chunk: Buffer) => {
      keep(chunk)
      if (!count(chunk.length)) return
      const lines = (rest + chunk.toString()).split('\n')
      rest = (lines.pop() ?? '').slice(-LONGEST_LINE)
      for (const line of lines) if (line !== '') show(name, line)
    })
    stream.on('error', () => {}) // the process is gone: its exit says so
  }
  return { tail: () => Buffer.concat(kept).subarray(-KEPT_BYTES).toString() }
}
