import type { ResultCache, ToolAnswer, PendingCall } from '../types.ts'
import type { HostCache } from '../../../cache/cache.ts'
import { hashParts } from '../../../cache/stored-value.ts'
import { HostError, hostError } from '../../../errors.ts'
import { canonicalJson } from '../../../data/canonical-json.ts'
import type { PluginRecord } from '../../../plugin/run/plugin-record.ts'
import type { Caller } from '../../catalog/caller.ts'
import { liveOf, type SnapshotTool } from '../../catalog/snapshot.ts'

/** Where a result says that it came from the cache. */
const META_KEY = 'mcp-patchbay/cache'

export function createResultCache({ cache }: { readonly cache: HostCache }): ResultCache {
  /** Tags are a tenant's: plugins that work on the same data may name the same one. */
  function tagsOf(plugin: PluginRecord, { principal }: Caller, names: readonly string[]): readonly string[] {
    const tenant = principal.tenant ?? ''
    return [cache.tag('plugin', tenant, plugin.instance), ...names.map((name) => cache.tag('named', tenant, name))]
  }

  async function cached(call: PendingCall<SnapshotTool>, run: () => Promise<ToolAnswer>): Promise<ToolAnswer> {
    const { item: tool, caller, args, io } = call
    const { name, plugin, surface } = tool
    const { running } = liveOf(tool)
    // Asleep it does not know whose credential the call goes with: looked up without, the cache has nothing, and something older later.
    if (running.activate) return activated(call, run)
    const identity = resultIdentity(tool, caller)
    const key = keyOf(args)
    if (!surface.cache || !identity || key === undefined) return run()

    // Entered before the first wait: the version must not be drained while the cache is asked, since the call may still run in it.
    const waiting = new AbortController()
    const place = liveOf(tool).enter({ cancel: (reason) => waiting.abort(reason) })
    io.cancellation.onCancel(() => waiting.abort(hostError('CALL_CANCELLED', { tool: name })))
    try {
      const { value, outcome } = await cache.namespace('results', ...identity).remember(
        key,
        {
          ttlMs: surface.cache.ttlMs,
          tags: tagsOf(plugin, caller, surface.cache.tags ?? []),
          // A module that was imported during the call is part of what answered, and of no version that was asked for.
          keep: (answer) => answer.kind === 'result' && !answer.result.isError && isSame(identity, resultIdentity(tool, caller)),
          isOwnFailure,
          signal: waiting.signal,
        },
        run,
      )
      if (outcome !== 'hit' || value.kind !== 'result') return value
      return { kind: 'result', result: { ...value.result, _meta: { ...value.result['_meta'], [META_KEY]: 'hit' } } }
    } finally {
      io.cancellation.onCancel(undefined)
      place.release()
    }
  }

  /** The call stays in the version meanwhile, which must not be drained. */
  async function activated(call: PendingCall<SnapshotTool>, run: () => Promise<ToolAnswer>): Promise<ToolAnswer> {
    const live = liveOf(call.item)
    const place = live.enter({ cancel() {} })
    try {
      await live.running.activate?.()
      return await (live.running.activate ? run() : cached(call, run))
    } finally {
      place.release()
    }
  }

  async function written({ item: tool, caller }: PendingCall<SnapshotTool>, run: () => Promise<ToolAnswer>): Promise<ToolAnswer> {
    try {
      return await run()
    } finally {
      await cache.drop(tagsOf(tool.plugin, caller, namedTags(tool.plugin)))
    }
  }

  return (call, next) => {
    const { item } = call
    if (isCacheable(item)) return cached(call, next)
    return item.access === 'write' && hasCached(item.plugin) ? written(call, next) : next()
  }
}

/**
 * Everything that an answer of a tool depends on, but for the arguments; undefined for a version whose code is not known for sure, and
 * for a caller whose requests would be refused for want of a credential: what others may see is no answer to it. A shared answer is the
 * tenant's, but what a caller's own credential brought is that caller's alone.
 */
export function resultIdentity(
  { plugin, surface, access }: Pick<SnapshotTool, 'plugin' | 'surface' | 'access'>,
  { principal, credentials, account }: Pick<Caller, 'principal' | 'credentials' | 'account'>,
): readonly string[] | undefined {
  const version = plugin.identity?.()
  if (version === undefined) return undefined
  const { id, kind, tenant, permissions } = principal
  const use = plugin.credentialUse?.({ access, principal, credentials, account })
  if (!use || use.by === 'refused') return undefined
  const isShared = surface.cache?.scope === 'shared' && use.by !== 'caller'
  return [
    tenant ?? '',
    isShared ? '' : JSON.stringify([kind, id, permissions.toSorted()]),
    use.by === 'caller' ? use.fingerprint : '',
    plugin.instance,
    version,
    JSON.stringify(surface),
  ]
}

/** A tool that asks a person answers differently each time. */
export function isCacheable({
  access,
  surface,
  needsApproval,
}: Pick<SnapshotTool, 'access' | 'surface' | 'needsApproval'>): boolean {
  return surface.cache !== undefined && access === 'read' && !surface.interactive && !needsApproval
}

/** Who left, or whose version is drained, fails alone. */
function isOwnFailure(error: unknown): boolean {
  return error instanceof HostError && (error.code === 'CALL_CANCELLED' || error.code === 'PLUGIN_RELOADED')
}

/** The order of keys does not matter to a plugin, as a rule. Undefined for what JSON cannot hold. */
function keyOf(args: unknown): string | undefined {
  try {
    return hashParts([canonicalJson(args)])
  } catch {
    return undefined
  }
}

/** Whether one of the plugin's tools opted in. */
function hasCached({ surface }: PluginRecord): boolean {
  return surface?.tools.some(({ cache }) => cache !== undefined) ?? false
}

/** Every tag that a tool of the plugin names. */
function namedTags({ surface }: PluginRecord): readonly string[] {
  return [...new Set(surface?.tools.flatMap(({ cache }) => cache?.tags ?? []))]
}

function isSame(a: readonly string[], b: readonly string[] | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((part, index) => part === b[index])
}
