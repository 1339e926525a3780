import { fstatSync, write as writeFile, writeSync } from 'node:fs'

/** Where the text of the log leaves the process. */
export interface LogSink {
  /** Takes `text`. True when it is gone already; otherwise `done` is called once it is, or with why it cannot be. */
  write(text: string, done: (error?: NodeJS.ErrnoException) => void): boolean
  /** Takes as much of `text` as it can without waiting. */
  writeNow(text: string): void
  /** Another thread writes, and the process does not end before it is done. */
  readonly holdsExit: boolean
}

export interface LogOutputOptions {
  readonly sink: LogSink
  /** The most that waits for its reader, in characters; as much again for lines that matter. */
  readonly most?: number
  /** Waits this long when there is no space, milliseconds. */
  readonly retryMs?: number
}

/** Text that leaves in order, and never keeps the process waiting. */
export interface LogOutput {
  /** `matters` for lines that are dropped last, as those of the audit. */
  write(text: string, matters?: boolean): void
  /** How many lines were dropped so far. */
  readonly dropped: number
  /** Calls `tell` with the number of dropped lines, as soon as the output accepts lines again. */
  onDropped(tell: (lines: number) => void): void
  /** Resolves when everything was written, and at the latest after `patienceMs`: whether it was. */
  flush(patienceMs: number): Promise<boolean>
  /** What still waits leaves without waiting, as far as it can: for the end of the process. */
  flushNow(): void
  /** A write that keeps the process from ending has taken longer than `ms`. */
  isStuck(ms: number): boolean
}

const MOST = 4 * 1_048_576
const RETRY_MS = 1_000
/** Lines of one write. */
const CHUNK = 65_536

/**
 * Buffers text for a reader that is slow or stuck, or a disk that is full, up to a bound. What is more is dropped and counted: ordinary
 * lines first, those that matter last.
 */
export function createLogOutput({ sink, most = MOST, retryMs = RETRY_MS }: LogOutputOptions): LogOutput {
  let waiting: Line[] = []
  let waitingSize = 0
  let mattering = 0
  let writing: readonly Line[] | undefined
  let writingSince = 0
  let dropped = 0
  let untold = 0
  /** The last write failed: to say so would be one more that fails, and so on without end. */
  let isFailing = false
  let tell: ((lines: number) => void) | undefined
  const idle: (() => void)[] = []

  function drop(lines: number): void {
    dropped += lines
    untold += lines
  }

  function add(line: Line): void {
    const size = line.text.length
    if (line.matters && mattering + size > most) return drop(1)
    if (!line.matters && waitingSize + size > most) return drop(1)
    waiting.push(line)
    waitingSize += size
    if (line.matters) mattering += size
    if (waitingSize <= most) return
    // A line that matters takes the place of those that do not.
    const kept = waiting.filter(({ matters }) => matters)
    drop(waiting.length - kept.length)
    waiting = kept
    waitingSize = mattering
  }

  function next(): void {
    while (!writing && waiting.length > 0) {
      const lines = takeChunk()
      writing = lines
      writingSince = performance.now()
      if (!sink.write(lines.map(({ text }) => text).join(''), (error) => written(lines, error))) continue
      writing = undefined
      isFailing = false
    }
    if (writing) return
    if (untold > 0 && tell && !isFailing) {
      const lines = untold
      untold = 0
      tell(lines)
    }
    if (!writing && waiting.length === 0) for (const resolve of idle.splice(0)) resolve()
  }

  function takeChunk(): readonly Line[] {
    let size = 0
    let count = 0
    for (; count < waiting.length && size < CHUNK; count++) size += waiting[count]?.text.length ?? 0
    const lines = waiting.splice(0, count)
    waitingSize -= size
    for (const { text, matters } of lines) if (matters) mattering -= text.length
    return lines
  }

  function written(lines: readonly Line[], error?: NodeJS.ErrnoException): void {
    if (writing !== lines) return
    if (error && (error.code === 'EAGAIN' || error.code === 'ENOSPC')) {
      setTimeout(() => {
        writing = undefined
        waiting = [...lines, ...waiting]
        for (const { text, matters } of lines) {
          waitingSize += text.length
          if (matters) mattering += text.length
        }
        next()
      }, retryMs).unref()
      return
    }
    if (error) drop(lines.length)
    isFailing = error !== undefined
    writing = undefined
    next()
  }

  return {
    write(text, matters = false) {
      add({ text, matters })
      next()
    },
    get dropped() {
      return dropped
    },
    onDropped: (listener) => void (tell = listener),
    async flush(patienceMs) {
      if (!writing && waiting.length === 0) return true
      const { promise, resolve } = Promise.withResolvers<boolean>()
      idle.push(() => resolve(true))
      const timer = patienceMs === Infinity ? undefined : setTimeout(() => resolve(false), patienceMs)
      try {
        return await promise
      } finally {
        clearTimeout(timer)
      }
    },
    flushNow() {
      // What is being written would be torn by what comes after it.
      if (!writing) sink.writeNow(waiting.map(({ text }) => text).join(''))
      waiting = []
    },
    isStuck: (ms) => sink.holdsExit && writing !== undefined && performance.now() - writingSince >= ms,
  }
}

interface Line {
  readonly text: string
  readonly matters: boolean
}

/**
 * Descriptor 2, whatever it is. A pipe or a socket is written to as far as its reader lets us; a file or a terminal by another thread,
 * since a disk may be slow and a terminal may be stopped.
 */
export function stderrSink(stream: NodeJS.WriteStream, write: NodeJS.WriteStream['write']): LogSink {
  stream.on('error', () => {}) // told to `done` as well
  const writeNow = (text: string) => {
    try {
      for (let bytes = Buffer.from(text); bytes.length > 0;) bytes = bytes.subarray(writeSync(2, bytes))
    } catch {
      // full, or its reader is gone: this is the end of it
    }
  }
  if (isPipe(2))
    return {
      holdsExit: false,
      writeNow,
      write(text, done) {
        write.call(stream, text, 'utf8', (error) => done(error ?? undefined))
        // A reader that is gone is told to `done` later: until then nothing is known to have left.
        return !stream.destroyed && !stream.errored && stream.writableLength === 0
      },
    }
  return { holdsExit: true, writeNow, write: fileWriter((bytes, done) => writeFile(2, bytes, done)) }
}

/**
 * Writes to a file, whose disk may take a part of a text and be full then: the next write, which begins with the same text, goes on
 * where that ended, so that no line is there in halves or twice. Where the text was dropped meanwhile, its half line is ended.
 */
export function fileWriter(
  write: (bytes: Buffer, done: (error: NodeJS.ErrnoException | null, count: number) => void) => void,
): LogSink['write'] {
  let begun: { readonly text: string; readonly bytes: number } | undefined
  return (text, done) => {
    const isMore = begun !== undefined && text.startsWith(begun.text)
    const from = begun && isMore ? begun.bytes : 0
    const lead = begun && !isMore ? '\n' : ''
    const bytes = Buffer.from(lead + text)
    const writeOn = (at: number): void =>
      write(bytes.subarray(at), (error, count) => {
        const next = error ? at : at + count
        begun = error && next > lead.length ? { text, bytes: next - lead.length } : undefined
        if (error) done(error)
        else if (next < bytes.length) writeOn(next)
        else done()
      })
    writeOn(from)
    return false
  }
}

function isPipe(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor)
    return stats.isFIFO() || stats.isSocket()
  } catch {
    return false
  }
}
