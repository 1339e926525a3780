import { compileToolGlobs, TAG } from '../../config/schema/glob.ts'
import type { ResolvedConfig } from '../../config/schema/schema.ts'
import { didYouMean } from '../../config/schema/suggest.ts'
import type { PluginRecord } from '../../plugin/run/plugin-record.ts'
import type { Snapshot, SnapshotItem } from './snapshot.ts'

/**
 * Settings that select nothing there is, one line each: a glob that matches no tool, a scope that grants nothing, an instance that no
 * plugin has. Most are slips, and a `deny` with a slip lets through what it was written against. What a plugin might have that could not
 * be loaded is not known, so nothing is said of what might be meant for it.
 */
export function unusedRules(config: ResolvedConfig, snapshot: Snapshot): readonly string[] {
  const known = knownIn(snapshot)
  return [
    ...globLines('tools', config.tools, known),
    ...Object.entries(config.tools.toolsets).flatMap(([name, globs]) => deadGlobs(`tools.toolsets.${name}`, globs, known)),
    ...deadToolsets(config, known),
    // Two words that are no globs: everything that writes, or destroys.
    ...deadGlobs(
      'tools.approval',
      config.tools.approval.filter((glob) => glob !== 'write' && glob !== 'destructive'),
      known,
    ),
    ...(typeof config.tools.search === 'object' ? deadGlobs('tools.search.always', config.tools.search.always, known) : []),
    ...snapshot.plugins.flatMap((plugin) => entryLines(plugin, known)),
    ...Object.entries(config.tenants).flatMap(([name, tenant]) => [
      ...globLines(`tenants.${name}.tools`, tenant.tools ?? {}, known),
      ...unknownInstances(`tenants.${name}.plugins`, Object.keys(tenant.plugins ?? {}), known),
    ]),
    ...permissionLines(config, known),
  ]
}

interface Known {
  readonly items: readonly SnapshotItem[]
  readonly instances: readonly string[]
  /** Plugins whose tools could not be read. */
  readonly unread: readonly PluginRecord[]
}

function knownIn({ plugins, tools, prompts, resources, templates }: Snapshot): Known {
  return {
    items: [...tools.values(), ...prompts.values(), ...resources.values(), ...templates],
    instances: plugins.map(({ instance }) => instance),
    unread: plugins.filter(({ surface, state }) => surface === undefined || state === 'failed'),
  }
}

interface Globs {
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}

function globLines(where: string, { allow = [], deny = [] }: Globs, known: Known): readonly string[] {
  return [...deadGlobs(`${where}.allow`, allow, known), ...deadGlobs(`${where}.deny`, deny, known)]
}

/** Globs over full names. One of stars alone means everything, also where there is nothing. */
function deadGlobs(where: string, globs: readonly string[], { items, unread }: Known): readonly string[] {
  return globs
    .filter((glob) => !/^\*+$/.test(glob) && !unread.some((plugin) => mayMean(glob, plugin)))
    .filter((glob) => {
      const matches = compileToolGlobs([glob])
      return !items.some(({ name, tags }) => matches(name, tags))
    })
    .map((glob) => line(where, glob, 'matches no tool', wordsFor(glob, items)))
}

function wordsFor(glob: string, items: readonly SnapshotItem[]): readonly string[] {
  return glob.startsWith(TAG) ? items.flatMap(({ tags }) => tags.map((tag) => TAG + tag)) : items.map(({ name }) => name)
}

/** Whether a glob over full names could be for the tools of this plugin: up to its first star, the one begins with the other. */
function mayMean(glob: string, { instance }: PluginRecord): boolean {
  if (glob.startsWith(TAG)) return true
  const [literal = ''] = glob.split(/[*?]/, 1)
  const prefix = `${instance}_`
  return literal.length < glob.length ? literal.startsWith(prefix) || prefix.startsWith(literal) : glob.startsWith(prefix)
}

/** What is enabled is a toolset of the config, or a tag. */
function deadToolsets({ tools: { enable = [], toolsets } }: ResolvedConfig, { items, unread }: Known): readonly string[] {
  if (unread.length > 0) return []
  const tags = new Set(items.flatMap((item) => item.tags))
  return enable
    .filter((name) => !Object.hasOwn(toolsets, name) && !tags.has(name.startsWith(TAG) ? name.slice(TAG.length) : name))
    .map((name) => line('tools.enable', name, 'is neither a toolset nor a tag', [...Object.keys(toolsets), ...tags]))
}

/** What an entry says of its own plugin, by the plugin's own names. */
function entryLines({ instance, entry, surface, state }: PluginRecord, { items }: Known): readonly string[] {
  if (!surface || state === 'failed') return []
  const own = items
    .filter(({ plugin }) => plugin.instance === instance)
    .map((item): SnapshotItem => ({ ...item, name: item.localName }))
  const names = own.filter(({ kind }) => kind === 'tool').map(({ name }) => name)
  return [
    ...globLines(`tools of the entry "${instance}": tools`, entry.tools, { items: own, instances: [], unread: [] }),
    ...Object.keys(entry.overrides)
      .filter((name) => !names.includes(name))
      .map((name) => line(`overrides of the entry "${instance}"`, name, 'is the name of no tool', names)),
  ]
}

function unknownInstances(where: string, names: readonly string[], { instances }: Known): readonly string[] {
  return names.filter((name) => !instances.includes(name)).map((name) => line(where, name, 'is the name of no plugin', instances))
}

/** Scopes, and what they grant and imply. */
function permissionLines({ auth, tools: { toolsets } }: ResolvedConfig, known: Known): readonly string[] {
  const { permissions, implies, inbound } = auth
  const granted = Object.entries(permissions).flatMap(([scope, globs]) =>
    deadGlobs(
      `auth.permissions.${scope}`,
      globs.filter((glob) => !Object.hasOwn(toolsets, glob)),
      known,
    ),
  )
  if (known.unread.length > 0) return granted
  const scopes = new Set([
    '*',
    ...Object.keys(permissions),
    ...Object.keys(implies),
    ...known.items.flatMap(({ permissions: needed }) => needed),
  ])
  const dead = (where: string, names: readonly string[] = []) =>
    names.filter((name) => !scopes.has(name)).map((name) => line(where, name, 'grants nothing', [...scopes]))
  return [
    ...granted,
    ...Object.entries(implies).flatMap(([scope, names]) => dead(`auth.implies.${scope}`, names)),
    ...inbound.keys.flatMap(({ id, scopes: names }) => dead(`the scopes of the key "${id}" in auth.inbound.keys`, names)),
    ...dead('auth.inbound.oauth.scopes', inbound.oauth?.scopes),
  ]
}

function line(where: string, value: string, problem: string, words: Iterable<string>): string {
  return `${where}: ${JSON.stringify(value)} ${problem}${didYouMean(value, new Set(words))}`
}
