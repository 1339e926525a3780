import { isAbsolute, resolve as resolvePath, sep } from 'node:path'
import type { LoadedProcess, IsolatedOptions } from './types.ts'
import { hostError } from '../../errors.ts'
import { isError, messageOf } from '../../observability/thrown.ts'
import { withLocation } from '../../modules/location.ts'
import { createBroker } from './broker.ts'
import type { DiscoverOptions, InlineOptions } from '../run/inline.ts'
import type { LoadedPlugin } from '../run/load-plugin.ts'
import type { ResolvedPlugin } from '../source/resolve-entry.ts'
import { namesIn } from '../source/surroundings.ts'
import type { RunningPlugin } from '../run/running.ts'
import { DISCOVERED_BOUNDS, readDescription } from './channel/description.ts'
import { PLUGIN_BOUNDS } from './channel/frame.ts'
import { readLoaded } from './channel/loaded-codec.ts'
import type { LoadOrder } from './channel/messages.ts'
import type { ReceivedMessage } from './channel/peer.ts'
import { superviseIsolated, type SuperviseOptions } from './supervise.ts'
import type { PluginProcess } from './spawn.ts'
import { writeConfig } from './channel/config-codec.ts'
import { readThrown } from './channel/error-codec.ts'

/** Starts a process and has it load the plugin: all checks of what it says are the host's. */
export async function loadIsolated(resolved: ResolvedPlugin, options: IsolatedOptions): Promise<LoadedPlugin> {
  const load = (isCalled: boolean) => options.gate.pass(() => loadProcess(resolved, options), isCalled)
  const first = await load(false)
  let stop = () => first.process.kill('it was released')
  /** The description of what it discovered, once it did. */
  let discovered: string | undefined
  const { root } = resolved
  const { writes } = options.spec.grants
  /** It says what it reads: whatever it says, the host reads again no more than the folder of the plugin, and what was granted. */
  const readable = [root, ...options.capabilities.fs.read.map((path) => resolvePath(options.configDir, path))]
  const digests = new Map(first.digests)
  const listed = new Map<string, ReadonlySet<string>>()
  const isWatchable = (path: string) =>
    isAbsolute(path) && isBelowAny(path, readable) && !isBelowAny(path, writes) && digests.size + listed.size < MAX_READS

  const reads: Pick<SuperviseOptions, 'onRead' | 'onListed'> = {
    onRead(file, digest) {
      if (!digests.has(file) && isWatchable(file)) digests.set(file, digest)
    },
    onListed(folder) {
      const names = isWatchable(folder) ? namesIn(folder) : undefined
      if (names && !listed.has(folder)) listed.set(folder, names)
    },
  }

  return {
    exported: describedBy(first, options.label),
    digests,
    listed,
    links: first.links,
    async isAuthConfigured(_, config) {
      const { data } = await first.process.peer.request('configure', { data: { config: writeConfig(config) } }).answer
      return Boolean(data)
    },
    async discover(services) {
      discovered = await discoverIn(first, services, { ...options, ...reads })
      return orTooCostly(() => readDescription(discovered, DISCOVERED_BOUNDS), options.label)
    },
    async start(services: InlineOptions): Promise<RunningPlugin> {
      const supervised = await superviseIsolated(first, services, {
        ...options,
        ...reads,
        /** The same plugin once more, in a new process. */
        async restart() {
          const next = await load(true)
          if (next.description !== first.description || !isSame(next.digests, first.digests)) {
            next.process.kill('it is another version')
            throw hostError('PLUGIN_PROCESS', {
              plugin: services.instance,
              problem: 'its files are not those it was loaded from',
              output: '',
            })
          }
          if (discovered === undefined) return next
          const again = await discoverIn(next, services, { ...options, ...reads }).catch((error: unknown) => {
            next.process.kill('it did not discover what it serves')
            throw error
          })
          if (again === discovered) return next
          next.process.kill('it is another version')
          throw hostError('PLUGIN_PROCESS', {
            plugin: services.instance,
            problem: 'what it discovers is not what it discovered when it was loaded',
            output: '',
          })
        },
      })
      stop = supervised.stop
      return supervised.running
    },
    retire: () => stop(),
    release: () => stop(),
  }
}

/** Has the plugin in a process discover what it serves, and gives the description of that. */
async function discoverIn(
  { process }: LoadedProcess,
  services: Omit<DiscoverOptions, 'plugin' | 'signal'>,
  { now, onRead, onListed }: Pick<SuperviseOptions, 'now' | 'onRead' | 'onListed'>,
): Promise<string> {
  const { instance, config } = services
  process.attach(createBroker({ ...services, now, onRead, onListed }))
  const died = process.exited.then((problem) => {
    throw hostError('PLUGIN_PROCESS', { plugin: instance, problem, output: process.tail() })
  })
  died.catch(() => {}) // it dies in the end; only now it matters
  const { answer } = process.peer.request('discover', { data: { instance, config: writeConfig(config) } })
  const { body } = await Promise.race([answer.catch((error: unknown) => Promise.race([died, Promise.reject(error)])), died])
  return body.toString()
}

/** Rejects, with nothing left behind, when the plugin cannot be loaded within its time. */
async function loadProcess(
  { file, root }: ResolvedPlugin,
  { spec, launch, label, timeoutMs, digests: met, signal, approved, isWatching = false, log }: IsolatedOptions,
): Promise<LoadedProcess> {
  signal?.throwIfAborted()
  const process = launch(spec, log)
  const { promise: late, reject: giveUp } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => giveUp(hostError('PLUGIN_TIMEOUT', { plugin: label, step: 'importing', ms: timeoutMs })),
    timeoutMs,
  )
  const abort = () => giveUp(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const died = process.exited.then((problem) => {
    throw hostError('PLUGIN_PROCESS', { plugin: label, problem, output: process.tail() }, process.startError)
  })
  died.catch(() => {}) // it dies in the end; only now it matters
  try {
    // A process that dies says why in better words than that it is not ready.
    await Promise.race([process.ready.catch(() => died), died, late])
    const order: LoadOrder = {
      file,
      root,
      label,
      timeoutMs,
      maxAnswerBytes: PLUGIN_BOUNDS.frameBytes - PLUGIN_BOUNDS.headerBytes,
      ...(approved ? { approved: [...approved] } : {}),
      isWatching,
    }
    // A process that dies rejects the request too, with a less exact reason.
    const message = await Promise.race([process.peer.request('load', { data: order }).answer.catch(() => died), died, late])
    return accept(message, { process, label, met })
  } catch (error) {
    process.kill('it could not be loaded')
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

/** Far more than a plugin is built from: each is watched. */
const MAX_READS = 20_000

function isBelowAny(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}${sep}`))
}

interface Reading {
  readonly process: PluginProcess
  readonly label: string
  readonly met: Map<string, string>
}

function accept(message: ReceivedMessage, { process, label, met }: Reading): LoadedProcess {
  const { error: thrown, location, description, digests, links } = orTooCostly(() => readLoaded(message), label)
  if (thrown === undefined) return { process, digests, links, description }
  for (const [file, digest] of digests) met.set(file, digest)
  const error = readThrown(thrown, false)
  if (location) withLocation(innermost(error), location)
  throw error
}

function describedBy({ process, description }: LoadedProcess, label: string): unknown {
  try {
    return orTooCostly(() => readDescription(description), label)
  } catch (error) {
    process.kill('it could not be loaded')
    throw error
  }
}

/** What cannot be read of a plugin that runs in a process is a failure of that process. */
function orTooCostly<Result>(read: () => Result, label: string): Result {
  try {
    return read()
  } catch (error) {
    throw hostError('PLUGIN_PROCESS', { plugin: label, problem: `it ${messageOf(error)}`, output: '' }, error)
  }
}

/** The codec bounds how many causes there are. */
function innermost(error: Error): Error {
  let last = error
  while (isError(last.cause)) last = last.cause
  return last
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([file, digest]) => other.get(file) === digest)
}
