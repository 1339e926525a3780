import { isDeepStrictEqual } from 'node:util'
import type { PluginEntry } from '../../config/schema/schema.ts'
import { hostError } from '../../errors.ts'
import type { Activation } from '../activation.ts'
import type { CachedVersion } from './cached-version.ts'
import { LivePlugin } from '../run/live-plugin.ts'
import { fullName } from '../run/names.ts'
import { NO_SURROUNDINGS } from '../source/surroundings.ts'
import type { RunningPlugin } from '../run/running.ts'

/** A version that is listed before its code is imported. The first call, or `activate`, imports it. */
export interface LazyPlugin {
  /** To be published like any other. */
  readonly activation: Activation
  /** It may stay idle until a call. */
  readonly mayIdle: boolean
  /** Imports and starts it, once. Never rejects. */
  activate(): Promise<void>
  /** The version that was activated and differs from the listed one; the caller owns it from then on. Given once. */
  takeActivated(): Activation | undefined
}

export interface LazyPluginOptions {
  readonly entry: PluginEntry
  readonly version: CachedVersion
  /** Only a call activates it. */
  readonly mayIdle: boolean
  readonly activate: (lifetime: AbortSignal) => Promise<Activation>
  /** Called after activation. With a `problem` it differs from what was listed, and refuses every call as if it had never been listed. */
  readonly onActivated: (problem: string | undefined) => void
}

export function createLazyPlugin({ entry, version, mayIdle, activate, onActivated }: LazyPluginOptions): LazyPlugin {
  const { instance, surface, identity, pinned, tree, root } = version
  const life = new AbortController()
  const traces: object[] = []
  let activating: Promise<void> | undefined
  let activated: Activation | undefined
  let running: RunningPlugin | undefined
  let isTaken = false

  async function activateOnce(): Promise<void> {
    if (life.signal.aborted) return
    activated = await activate(life.signal)
    traces.push(...activated.traces)
    if (life.signal.aborted) return
    const problem = differenceFrom(surface, activated)
    if (problem === undefined) running = activated.record.live?.running
    onActivated(problem)
  }
  const ensureActivated = () => (activating ??= activateOnce())

  /** After activation this calls the plugin directly. */
  function ask<Answer>(work: (plugin: RunningPlugin) => Promise<Answer>, unknown: () => Error): Promise<Answer> {
    if (running) return work(running)
    return ensureActivated().then(() => {
      if (!running) throw unknown()
      return work(running)
    })
  }

  const listed: RunningPlugin = {
    surface,
    get activate() {
      return activated ? undefined : ensureActivated
    },
    get isBroken() {
      return activated !== undefined && running === undefined
    },
    get failure() {
      return running?.failure
    },
    get isIdle() {
      return activated ? running?.isIdle : mayIdle
    },
    get takesLongTexts() {
      return running?.takesLongTexts
    },
    get mayIdle() {
      return activated ? running?.mayIdle : mayIdle
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
      await activating
      if (!isTaken) await activated?.record.live?.running[Symbol.asyncDispose]()
    },
  }

  return {
    mayIdle,
    activate: ensureActivated,
    takeActivated() {
      if (isTaken || !listed.isBroken || life.signal.aborted) return undefined
      isTaken = true
      return activated
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
        live: new LivePlugin(instance, listed),
        identity: () => activated?.record.identity?.() ?? identity,
        credentialUse: (call) => activated?.record.credentialUse?.(call),
        activate: ensureActivated,
      },
      root,
      get digests() {
        return activated?.digests ?? version.digests
      },
      get surroundings() {
        return activated?.surroundings ?? NO_SURROUNDINGS
      },
      // Before activation it has read none of these files.
      get configFiles() {
        return activated?.configFiles ?? new Map<string, string>()
      },
      traces,
      release() {
        if (!isTaken) activated?.release()
      },
    },
  }
}

/** How the activated version differs from the listed one; undefined when it does not. */
function differenceFrom(listed: CachedVersion['surface'], { record }: Activation): string | undefined {
  if (!record.live) return record.reason?.message ?? `it is ${record.state}`
  return isDeepStrictEqual(record.live.surface, listed) ? undefined : 'with the same files and config it offers something else'
}
