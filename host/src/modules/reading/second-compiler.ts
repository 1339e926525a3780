import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads'

/**
 * Strips types in a thread of its own, for when the compiler of this thread broke: a file that nests too deeply for it leaves its memory
 * damaged, and it would fail for every file after it. One that breaks here too is given up with its thread.
 */
export function createSecondCompiler(): { readonly strip: (code: string) => string } {
  let thread: Thread | undefined
  return {
    strip(code) {
      thread ??= startThread()
      const { signal, port, worker } = thread
      Atomics.store(signal, 0, 0)
      port.postMessage(code)
      Atomics.wait(signal, 0, 0, PATIENCE_MS)
      const answer = receiveMessageOnPort(port)?.message as Answer | undefined
      if (answer?.code !== undefined) return answer.code
      const error = Object.assign(
        new Error(answer?.failed?.message ?? 'The compiler did not answer'),
        answer?.failed ?? { code: BROKEN },
      )
      if (isBroken(error)) {
        thread = undefined
        void worker.terminate()
      }
      throw error
    },
  }
}

/** Whether this is no fault of the code but the end of the compiler that said it. */
export function isBroken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === BROKEN
}

interface Thread {
  readonly worker: Worker
  readonly port: MessagePort
  /** Becomes 1 when there is an answer. */
  readonly signal: Int32Array<SharedArrayBuffer>
}

interface Answer {
  readonly code?: string
  readonly failed?: { readonly message: string; readonly stack: string; readonly code: string }
}

function startThread(): Thread {
  const { port1: port, port2 } = new MessageChannel()
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(PROGRAM, {
    eval: true,
    env: {},
    execArgv: ['--no-warnings'],
    workerData: { port: port2, signal },
    transferList: [port2],
  })
  worker.on('error', () => {})
  worker.unref()
  port.unref()
  return { worker, port, signal }
}

const PROGRAM = `
const { workerData: { port, signal } } = require('node:worker_threads')
const { stripTypeScriptTypes } = require('node:module')
port.on('message', (text) => {
  try {
    port.postMessage({ code: stripTypeScriptTypes(text) })
  } catch ({ message, stack, code }) {
    port.postMessage({ failed: { message, stack, code } })
  }
  Atomics.store(signal, 0, 1)
  Atomics.notify(signal, 0)
})
`
/** What Node says of its own failures. */
const BROKEN = 'ERR_INTERNAL_ASSERTION'
const PATIENCE_MS = 10_000
