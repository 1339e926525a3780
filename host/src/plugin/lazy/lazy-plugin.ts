import { isDeepStrictEqual } from 'node:util'
import type { PluginEntry } from '../../config/schema/schema.ts'
import { hostError } from '../../errors.ts'
import type { Activation } from '../activation.ts'
import type { KeptVersion } from './kept-surface.ts'
import { LivePlugin } from '../run/live-plugin.ts'
import { fullName } from '../run/names.ts'
import { NO_SURROUNDINGS } from '../source/surroundings.ts'
import type { RunningPlugin } from '../run/running.ts'

/** A version that is listed and whose code is not imported yet. The first call, or anybody, wakes it. */
export interface Sleeper {
  /** To be published like any other. */
  readonly activation: Activation
  /** It may stay asleep until it is called. */
  readonly mayIdle: boolean
  /** Imports and starts it, once. Never rejects. */
  wake(): Promise<void>
  /** The version that woke up in its place, for who takes it over: given once, and only if it is not what was listed. */
  takeOther(): Activation | undefined
}

export interface SleeperOptions {
  readonly entry: PluginEntry
  readonly version: KeptVersion
  /** Nothing but a call wakes it. */
  readonly mayIdle: boolean
  readonly activate: (lifetime: AbortSignal) => Promise<Activation>
  /** Awake, and what was listed; or not, for that reason: then it answers no call, as if it had never been listed. */
  readonly onAwake: (problem: string | undefined) => void
}

export function createSleeper({ entry, version, mayIdle, activate, onAwake }: SleeperOptions): Sleeper {
  const { instance, surface, identity, pinned, tree, root } = version
  const life = new AbortController()
  const traces: object[] = []
  let waking: Promise<void> | undefined
  let awake: Activation | undefined
  let running: RunningPlugin | undefined
  let isTaken = false

  async function wakeUp(): Promise<void> {
    if (life.signal.aborted) return
    awake = await activate(life.signal)
    traces.push(...awake.traces)
    if (life.signal.aborted) return
    const problem = differenceFrom(surface, awake)
    if (problem === undefined) running = awake.record.live?.running
    onAwake(problem)
  }
  const wake = () => (waking ??= wakeUp())

  /** Once awake it is the plugin itself that is asked, without a detour. */
  function ask<Answer>(work: (plugin: RunningPlugin) => Promise<Answer>, unknown: () => Error): Promise<Answer> {
    if (running) return work(running)
    return wake().then(() => {
      if (!running) throw unknown()
      return work(running)
    })
  }

  const asleep: RunningPlugin = {
    surface,
    get wake() {
      return awake ? undefined : wake
    },
    get isBroken() {
      return awake !== undefined && running === undefined
    },
    get failure() {
      return running?.failure
    },
    get isIdle() {
      return awake ? running?.isIdle : mayIdle
    },
    get mayIdle() {
      return awake ? running?.mayIdle : mayIdle
    },
    callTool: (name, input, request) =>
      ask(
        (plugin) => plugin.callTool(name, input, request),
        () => hostError('TOOL_UNKNOWN', { name: fullName(instance, name) }),
      ),
    readResource: (name, uri, params, request) =>
      ask(
        (plugin) => plugin.readResource(name, uri, params, request),
        () => hostError('RESOURCE_UNKNOWN', { uri }),
      ),
    listResources: (name, cursor, request) =>
      ask(
        (plugin) => plugin.listResources?.(name, cursor, request) ?? Promise.resolve(undefined),
        () => hostError('RESOURCE_UNKNOWN', { uri: fullName(instance, name) }),
      ),
    complete: (of, name, input, request) =>
      ask(
        (plugin) => plugin.complete?.(of, name, input, request) ?? Promise.resolve([]),
        () => hostError('PROMPT_UNKNOWN', { name: fullName(instance, name) }),
      ),
    getPrompt: (name, args, request) =>
      ask(
        (plugin) => plugin.getPrompt(name, args, request),
        () => hostError('PROMPT_UNKNOWN', { name: fullName(instance, name) }),
      ),
    async [Symbol.asyncDispose]() {
      life.abort(new Error(`Plugin "${instance}" was disposed`))
      await waking
      if (!isTaken) await awake?.record.live?.running[Symbol.asyncDispose]()
    },
  }

  return {
    mayIdle,
    wake,
    takeOther() {
      if (isTaken || !asleep.isBroken || life.signal.aborted) return undefined
      isTaken = true
      return awake
    },
    activation: {
      record: {
        instance,
        entry,
        state: 'active',
        ...(version.version === undefined ? {} : { version: version.version }),
        ...(pinned === undefined ? {} : { pinned }),
        ...(tree === undefined ? {} : { tree }),
        surface,
        live: new LivePlugin(instance, asleep),
        identity: () => awake?.record.identity?.() ?? identity,
        credentialUse: (call) => awake?.record.credentialUse?.(call),
        wake,
      },
      root,
      get digests() {
        return awake?.digests ?? version.digests
      },
      get surroundings() {
        return awake?.surroundings ?? NO_SURROUNDINGS
      },
      // Asleep it has taken nothing from them: it reads what they hold when it wakes.
      get configFiles() {
        return awake?.configFiles ?? new Map<string, string>()
      },
      traces,
      release() {
        if (!isTaken) awake?.release()
      },
    },
  }
}

/** Why what woke up is not what was listed; undefined when it is. */
function differenceFrom(listed: KeptVersion['surface'], { record }: Activation): string | undefined {
  if (!record.live) return record.reason?.message ?? `it is ${record.state}`
  return isDeepStrictEqual(record.live.surface, listed) ? undefined : 'with the same files and config it offers something else'
}
