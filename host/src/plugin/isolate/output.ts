import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { createWindowLimit } from '../../data/window-limit.ts'

export interface OutputOptions {
  readonly log: Logger
  readonly now: () => number
  /** Called once, with the reason, when the process writes more than a reader could want. */
  readonly onFlood: (why: string) => void
}

/** What a plugin's process printed last. */
export interface Output {
  tail(): string
}

const KEPT_BYTES = 65_536
const LINES_PER_SECOND = 50
const LONGEST_LINE = 2_000
const MB_PER_TEN_SECONDS = 16

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
  let isFlooded = false
  const bytes = createWindowLimit({ limit: MB_PER_TEN_SECONDS * 1_048_576, windowMs: 10_000, now })
  const lines = createWindowLimit({
    limit: LINES_PER_SECOND,
    now,
    onNext: (dropped) => {
      if (dropped > 0) log.debug('plugin_output_dropped', { lines: dropped })
    },
  })

  function keep(chunk: Buffer): void {
    // A copy: a slice would hold on to the memory of the stream.
    kept.push(Buffer.from(chunk.subarray(-KEPT_BYTES)))
    keptBytes += Math.min(chunk.length, KEPT_BYTES)
    while (keptBytes - (kept[0]?.length ?? 0) >= KEPT_BYTES) keptBytes -= kept.shift()?.length ?? 0
  }

  function flood(): void {
    if (!isFlooded) onFlood(`it printed more than ${MB_PER_TEN_SECONDS} MB within ten seconds`)
    isFlooded = true
  }

  function show(stream: string, line: string): void {
    if (lines.take()) log.debug('plugin_output', { stream, line: line.slice(0, LONGEST_LINE) })
  }

  for (const [name, stream] of Object.entries(streams)) {
    let rest = ''
    stream.on('data', (chunk: Buffer) => {
      keep(chunk)
      if (!bytes.take(chunk.length)) return flood()
      const complete = (rest + chunk.toString()).split('\n')
      rest = (complete.pop() ?? '').slice(-LONGEST_LINE)
      for (const line of complete) if (line !== '') show(name, line)
    })
    stream.on('error', () => {}) // the process is gone: its exit says so
  }
  return { tail: () => Buffer.concat(kept).subarray(-KEPT_BYTES).toString() }
}
