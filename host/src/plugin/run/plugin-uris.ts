import { isObject } from '../../data/json.ts'
import { parseTemplate } from '../../data/uri/uri-template.ts'
import { pluginKeys } from './names.ts'
import type { PluginRecord } from './plugin-record.ts'

/** How the resources of one mount are addressed. Authors write fixed URIs, so those of every mount but the first carry its instance. */
export interface PluginUris {
  /** As clients see a URI of the plugin; one that is of none of its resources stays as it is. */
  readonly toClient: (uri: string) => string
  /** As the plugin knows a URI that clients see. */
  readonly toPlugin: (uri: string) => string
  /** A declared URI or template as clients see it. */
  readonly mounted: (uri: string) => string
}

/**
 * Those of the mounts that need it. Which is the first is decided by the order of the config alone, also when that one failed: the URIs of
 * the others must not change because of it.
 */
export function urisOf(plugins: readonly PluginRecord[]): ReadonlyMap<PluginRecord, PluginUris> {
  const seen = new Set<unknown>()
  const found = new Map<PluginRecord, PluginUris>()
  for (const plugin of plugins) {
    const keys = pluginKeys(plugin)
    if (plugin.surface?.resources.length && keys.some((key) => seen.has(key))) found.set(plugin, createUris(plugin))
    for (const key of keys) seen.add(key)
  }
  return found
}

function createUris({ instance, surface }: PluginRecord): PluginUris {
  const uris = (surface?.resources ?? []).map(({ uri }) => uri)
  const own = new Set(uris)
  const templates = uris.map(parseTemplate).filter((match) => match !== undefined)
  const mounted = (uri: string) => mountUri(uri, instance)
  return Object.freeze({
    mounted,
    toClient: (uri: string) => (own.has(uri) || templates.some((match) => match(uri)) ? mounted(uri) : uri),
    toPlugin: (uri: string) => unmountUri(uri, instance),
  })
}

/** `ui://chart/view.html` of `ui_two` is `ui://ui_two/chart/view.html`: the scheme, which says what it is, stays. */
export function mountUri(uri: string, instance: string): string {
  const [scheme, rest] = split(uri)
  return `${scheme}${instance}/${rest}`
}

function unmountUri(uri: string, instance: string): string {
  const [scheme, rest] = split(uri)
  return rest.startsWith(`${instance}/`) ? `${scheme}${rest.slice(instance.length + 1)}` : uri
}

function split(uri: string): readonly [scheme: string, rest: string] {
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/)?/.exec(uri)?.[0] ?? ''
  return [scheme, uri.slice(scheme.length)]
}

/** A tool's or a result's `_meta` with the plugin's own URIs as clients see them, wherever they are in it: `ui.resourceUri`, say. */
export function mountedMeta(meta: unknown, uris: PluginUris, depth = 0): unknown {
  if (typeof meta === 'string') return uris.toClient(meta)
  if (depth > MAX_DEPTH) return meta
  if (Array.isArray(meta)) return meta.map((item) => mountedMeta(item, uris, depth + 1))
  if (!isObject(meta)) return meta
  return Object.fromEntries(Object.entries(meta).map(([key, value]) => [key, mountedMeta(value, uris, depth + 1)]))
}

const MAX_DEPTH = 8
