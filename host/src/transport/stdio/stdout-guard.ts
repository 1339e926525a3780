/** The part of a stream that the protocol needs of stdout. */
export interface ProtocolStdout {
  write(text: string): boolean
  on(event: 'drain' | 'error', listener: (error: Error) => void): unknown
  off(event: 'drain' | 'error', listener: (error: Error) => void): unknown
}

/** Resolves when what was written to the real stdout has left this process, or cannot. */
export function flushStdout(): Promise<void> {
  return new Promise((resolve) => realWrite('', () => resolve()))
}

/** The real stdout, also while it is guarded: for the protocol on stdio, and for a command's own output. */
export function protocolStdout(): ProtocolStdout {
  return {
    write: (text) => realWrite(text),
    on: (event, listener) => process.stdout.on(event, listener),
    off: (event, listener) => process.stdout.off(event, listener),
  }
}

/**
 * Keeps everything else off stdout until disposed: on stdio one line that is no message breaks the client. What plugins, their
 * packages or `console` write goes to `stray`, by default stderr. Writes to descriptor 1 itself are beyond its reach.
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

/** Bound before anything can replace it. */
const realWrite = process.stdout.write.bind(process.stdout)
