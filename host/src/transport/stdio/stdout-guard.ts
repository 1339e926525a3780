import type { Writable } from 'node:stream'
import { takeOwnDescriptor } from '../../../bin/own-stdout.mjs'

/** The part of a stream that the protocol needs of stdout. */
export interface ProtocolStdout {
  write(text: string): boolean
  on(event: 'drain' | 'error', listener: (error: Error) => void): unknown
  off(event: 'drain' | 'error', listener: (error: Error) => void): unknown
}

/** Resolves when what was written to the real stdout has left this process, or cannot: its reader, or its terminal, is gone. */
export function flushStdout(): Promise<void> {
  return new Promise((resolve) => {
    real.on('error', () => resolve())
    write('', () => resolve())
  })
}

/** The real stdout, also while it is guarded: for the protocol on stdio, and for a command's own output. */
export function protocolStdout(): ProtocolStdout {
  return {
    write: (text) => write(text),
    on: (event, listener) => real.on(event, listener),
    off: (event, listener) => real.off(event, listener),
  }
}

/**
 * Keeps everything else off stdout until disposed: on stdio one line that is no message breaks the client. What plugins, their
 * packages or `console` write goes to `stray`, by default stderr. Writes to descriptor 1 itself are beyond its reach: the command moves
 * the protocol to a descriptor of its own for those.
 */
export function guardStdout(stray: (text: string | Uint8Array) => void = (text) => void process.stderr.write(text)): Disposable {
  // oxlint-disable-next-line typescript/unbound-method -- put back as it was
  const before = process.stdout.write
  process.stdout.write = (text: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
    stray(text)
    const callback = typeof encoding === 'function' ? encoding : done
    if (typeof callback === 'function') process.nextTick(callback)
    return true
  }
  return {
    [Symbol.dispose]() {
      process.stdout.write = before
    },
  }
}

/** Where the client reads: descriptor 1, or the one that was kept for it. */
const real: Writable = openOwn() ?? process.stdout
/** Bound before anything can replace it. */
const write = real.write.bind(real)

function openOwn(): Writable | undefined {
  const fd = takeOwnDescriptor()
  if (fd === undefined) return undefined
  const { isatty, WriteStream } = process.getBuiltinModule('node:tty')
  if (isatty(fd)) return new WriteStream(fd)
  const fs = process.getBuiltinModule('node:fs')
  const stats = fs.fstatSync(fd)
  // A file, or a device such as /dev/null.
  if (!stats.isFIFO() && !stats.isSocket()) return fs.createWriteStream('', { fd })
  const { Socket } = process.getBuiltinModule('node:net')
  return new Socket({ fd, readable: false, writable: true })
}
