import { spawn, type ChildProcess } from 'node:child_process'
import { statSync } from 'node:fs'
import { Socket } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { conditionFlags } from '../../config/file/condition-flags.ts'
import { isObject } from '../../data/json.ts'
import { isCheckout, ownModule } from '../../modules/own-modules.ts'
import { createDenials } from './denials.ts'
import { createChannelBudget } from './channel/budget.ts'
import type { Grants } from './grants.ts'
import { afterLastWords, captureOutput } from './output.ts'
import { openPeer, type PendingRequest, type ReceivedMessage, type SentMessage, type Peer } from './channel/peer.ts'
import { onlyThese } from './inherited.ts'
import type { Reaper } from './reaper.ts'

/** How a plugin's process is started. Equal specs make processes that can stand for each other. */
export interface ProcessSpec {
  /** Its own folder, or its only file. */
  readonly root: string
  readonly grants: Grants
  readonly heapMb: number
  readonly memoryMb: number
}

/** A process with the code of the host in it, and as yet without a plugin. */
export interface PluginProcess {
  readonly pid: number
  readonly peer: Peer
  /** Resolves when it can be asked to load a plugin. */
  readonly ready: Promise<void>
  /** Resolves once it is gone, with why, for a person. */
  readonly exited: Promise<string>
  /** Why it never began; known when `exited` resolves. */
  readonly startError: Error | undefined
  /** The last it printed. */
  readonly tail: () => string
  /** The plugin in it; undefined as long as it is not attached. */
  readonly instance: string | undefined
  /** Whom its messages go to. */
  attach(owner: ProcessOwner): void
  /** Ends it at once; `why` is what `exited` says. */
  kill(why: string): void
}

export interface ProcessOwner {
  /** The plugin that is in it. */
  readonly instance: string
  readonly onRequest: (what: string, message: ReceivedMessage) => Promise<SentMessage>
  readonly onNotification: (what: string, data: unknown) => void
}

export interface SpawnDeps {
  readonly log: Logger
  readonly now: () => number
  readonly reaper: Reaper
}

const LAST_WORDS_MS = 500

/** The process is not there any more: whatever it was asked, it may have done or not. */
export class ProcessGone extends Error {}

/**
 * Starts a process under Node's permission model: it reads the plugin's own folder and what is granted, writes nothing else, and has no
 * network, child processes, threads, inspector, SQLite or environment. Not taken up: `--disallow-code-generation-from-strings` and
 * `--disable-proto`, which would keep libraries out that work in the host's process, and contain nothing that the rest does not.
 */
export function spawnPlugin(spec: ProcessSpec, { log, now, reaper }: SpawnDeps): PluginProcess {
  const child = spawn(process.execPath, [...flagsOf(spec), fileURLToPath(ownModule('plugin/isolate/child/child'))], {
    cwd: statSync(spec.root).isDirectory() ? spec.root : dirname(spec.root),
    env: { ...spec.grants.env },
    stdio: onlyThese(['ignore', 'pipe', 'pipe', 'pipe']),
    windowsHide: true,
  })
  const { pid, stdout, stderr } = child
  // Without a free descriptor it has no streams either.
  if (pid === undefined || !stdout || !stderr) return notStarted(child)
  const forget = reaper.watch(pid)
  const exited = Promise.withResolvers<string>()
  const ready = Promise.withResolvers<void>()
  let killed: string | undefined
  let lastWords: NodeJS.Timeout | undefined
  let owner: ProcessOwner | undefined
  const denials = createDenials(log, now)
  const kill = (why: string) => {
    killed ??= why
    child.kill('SIGKILL')
  }
  const output = captureOutput({ stdout, stderr }, { log, now, onFlood: kill })
  const over = (why: string) => {
    clearTimeout(lastWords)
    forget()
    peer.close(new ProcessGone(why))
    exited.resolve(why)
    ready.reject(new Error(why))
  }
  afterLastWords(child, (code, signal) => over(killed ?? wordsFor(code, signal)))
  child.on('error', (error) => log.debug('plugin_process_error', { error })) // a signal that could not be sent, say
  ready.promise.catch(() => {}) // each caller that awaits it gets the rejection

  const peer: Peer = openPeer({
    socket: channelOf(child),
    from: 'plugin',
    budget: createChannelBudget(now),
    onRequest: async (what, message) => {
      if (!owner) throw new Error(`Nobody is there to answer ${what}`)
      return owner.onRequest(what, message)
    },
    onNotification(what, data) {
      if (what === 'ready') ready.resolve()
      else if (owner) owner.onNotification(what, data)
      else if (what === 'denied' && isObject(data)) denials.note(data)
    },
    onFault(problem, error) {
      if (error !== undefined) log.error('plugin_channel_failed', { error })
      kill(`it ${problem}`)
    },
    // It closes with the process, whose own words about its end are better; or the plugin closed it, and no message reaches it.
    onClose: () => (lastWords = setTimeout(() => kill('it closed its channel to the host'), LAST_WORDS_MS)),
  })

  return {
    pid,
    peer,
    get instance() {
      return owner?.instance
    },
    ready: ready.promise,
    exited: exited.promise,
    startError: undefined,
    tail: () => output.tail(),
    attach: (next) => void (owner = next),
    kill,
  }
}

function flagsOf({ grants, heapMb }: ProcessSpec): readonly string[] {
  return [
    '--permission',
    ...grants.reads.map((path) => `--allow-fs-read=${path}`),
    ...grants.writes.map((path) => `--allow-fs-write=${path}`),
    grants.native ? '--allow-addons' : '--no-addons',
    // Opens any file, permission or not.
    '--no-experimental-sqlite',
    '--disable-sigusr1',
    '--disable-warning=SecurityWarning',
    `--max-old-space-size=${heapMb}`,
    ...conditionFlags(),
    ...(isCheckout() ? ['--conditions=@mcp-patchbay/source'] : []),
  ]
}

/** In the place of a process that does not exist, for want of a descriptor, of memory or of a process. Why is known in a moment. */
function notStarted(child: ChildProcess): PluginProcess {
  let startError: Error | undefined
  const exited = Promise.withResolvers<string>()
  child.on('error', (error) => {
    startError = error
    exited.resolve(`it could not be started: ${error.message}`)
  })
  const ready = exited.promise.then((why) => Promise.reject(new ProcessGone(why)))
  ready.catch(() => {}) // each caller that awaits it gets the rejection
  const refuse = (pending: PendingRequest) => {
    void exited.promise.then((why) => pending.reject(new ProcessGone(why)))
    return 0
  }
  return {
    pid: 0,
    peer: {
      request: () => ({ id: 0, answer: ready }),
      sendRequest: refuse,
      call: (...[, , , pending]) => refuse(pending),
      giveUp() {},
      notify: () => 0,
      close() {},
    },
    instance: undefined,
    ready,
    exited: exited.promise,
    get startError() {
      return startError
    },
    tail: () => '',
    attach() {},
    kill() {},
  }
}

/** Whether a process could not be started for want of what may be free again soon. */
export function isLack(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && LACKS.has(error.code)
}

const LACKS: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'])

function channelOf(child: ChildProcess): Socket {
  const [, , , channel] = child.stdio
  if (channel instanceof Socket) return channel
  throw new Error('A plugin process has no channel')
}

/** How a process ended, for a person: `it exited with code 1`. */
export function wordsFor(code: number | null, signal: NodeJS.Signals | null): string {
  // How V8 ends a process that is out of memory.
  if (signal === 'SIGABRT' || code === 134) return 'it aborted, most likely out of memory'
  return signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`
}
