import type { LoadedProcess, IsolatedOptions } from './types.ts'
import { hostError } from '../../errors.ts'
import { isError } from '../../observability/thrown.ts'
import { withLocation, type SourceLocation } from '../../modules/location.ts'
import { isObject } from '../../data/json.ts'
import type { InlineOptions } from '../run/inline.ts'
import type { LoadedPlugin } from '../run/load-plugin.ts'
import type { ResolvedPlugin } from '../source/resolve-entry.ts'
import type { RunningPlugin } from '../run/running.ts'
import { readDescription } from './channel/description.ts'
import type { LoadOrder } from './channel/messages.ts'
import type { Packet } from './channel/peer.ts'
import { superviseIsolated } from './supervise.ts'
import type { PluginProcess } from './spawn.ts'
import { writeConfig } from './channel/config-codec.ts'
import { readThrown } from './channel/error-codec.ts'

/** Starts a process and has it load the plugin: all checks of what it says are the host's. */
export async function loadIsolated(resolved: ResolvedPlugin, options: IsolatedOptions): Promise<LoadedPlugin> {
  const first = await loadProcess(resolved, options)
  let stop = () => first.process.kill('it was released')

  return {
    exported: readDescription(first.description),
    digests: first.digests,
    async isAuthConfigured(_, config) {
      const { data } = await first.process.peer.ask('configure', { data: { config: writeConfig(config) } }).answer
      return Boolean(data)
    },
    async start(services: InlineOptions): Promise<RunningPlugin> {
      const supervised = await superviseIsolated(first, services, {
        ...options,
        /** The same plugin once more, in a new process. */
        async restart() {
          const next = await loadProcess(resolved, options)
          if (next.description !== first.description || !isSame(next.digests, first.digests)) {
            next.process.kill('it is another version')
            throw hostError('PLUGIN_PROCESS', {
              plugin: services.instance,
              problem: 'its files are not those it was loaded from',
              output: '',
            })
          }
          return next
        },
      })
      stop = supervised.stop
      return supervised.running
    },
    retire: () => stop(),
    release: () => stop(),
  }
}

/** Rejects, with nothing left behind, when the plugin cannot be loaded within its time. */
async function loadProcess(
  { file, root }: ResolvedPlugin,
  { spec, launch, label, timeoutMs, digests: met, signal, approved, log }: IsolatedOptions,
): Promise<LoadedProcess> {
  const process = launch(spec, log)
  const { promise: late, reject: giveUp } = Promise.withResolvers<never>()
  const timer = setTimeout(() => giveUp(hostError('PLUGIN_TIMEOUT', { plugin: label, step: 'import', ms: timeoutMs })), timeoutMs)
  const abort = () => giveUp(signal?.reason)
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  const died = process.exited.then((problem) => {
    throw hostError('PLUGIN_PROCESS', { plugin: label, problem, output: process.tail() })
  })
  died.catch(() => {}) // it dies in the end; only now it matters
  try {
    await Promise.race([process.ready, died, late])
    const order: LoadOrder = {
      file,
      root,
      label,
      timeoutMs,
      maxFrameBytes: spec.maxFrameBytes - FRAME_MARGIN,
      ...(approved ? { approved: [...approved] } : {}),
    }
    // A process that dies rejects the question too, with less to say.
    const packet = await Promise.race([process.peer.ask('load', { data: order }).answer.catch(() => died), died, late])
    return readLoaded(packet, { process, root, met })
  } catch (error) {
    process.kill('it could not be loaded')
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

/** For what is around an answer in its frame. */
const FRAME_MARGIN = 4_096

interface Reading {
  readonly process: PluginProcess
  readonly root: string
  readonly met: Map<string, string>
}

function readLoaded({ data, body }: Packet, { process, met }: Reading): LoadedProcess {
  const loaded = isObject(data) ? data : {}
  const digests = readDigests(loaded['digests'])
  if (loaded['error'] !== undefined) {
    for (const [file, digest] of digests) met.set(file, digest)
    const error = readThrown(loaded['error'], false)
    if (isLocation(loaded['location'])) withLocation(innermost(error), loaded['location'])
    throw error
  }
  return { process, digests, description: loaded['isDescribed'] === true ? body.toString() : undefined }
}

/** What the process says it read: a list of whatever length would be the host's to watch. */
const MAX_FILES = 20_000

function readDigests(list: unknown): ReadonlyMap<string, string> {
  const pairs = Array.isArray(list) ? list.slice(0, MAX_FILES) : []
  return new Map(
    pairs.filter(
      (pair): pair is [string, string] =>
        Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string'),
    ),
  )
}

function innermost(error: Error): Error {
  return isError(error.cause) ? innermost(error.cause) : error
}

function isLocation(value: unknown): value is SourceLocation {
  return (
    isObject(value) &&
    typeof value['file'] === 'string' &&
    typeof value['line'] === 'number' &&
    typeof value['column'] === 'number' &&
    typeof value['frame'] === 'string'
  )
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([file, digest]) => other.get(file) === digest)
}
