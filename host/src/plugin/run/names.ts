import { serverOf } from '../../config/schema/server/server-specifier.ts'
import { hostError, type HostError } from '../../errors.ts'
import type { PluginRecord } from './plugin-record.ts'

/**
 * Which candidates claim a name that is taken: an instance, tool, prompt or resource URI. Whoever serves has its names; among the
 * candidates the earlier one in the config has them. There is no last one that wins. A resource URI is taken only for other plugins: the
 * URIs of another mount of the same one carry its instance.
 */
export function findCollisions(
  serving: readonly PluginRecord[],
  candidates: readonly PluginRecord[],
): ReadonlyMap<PluginRecord, HostError> {
  const owners = new Map<string, PluginRecord>()
  const take = (record: PluginRecord) => claims(record).forEach(({ key }) => owners.set(key, record))
  serving.forEach(take)
  const refused = new Map<PluginRecord, HostError>()
  for (const candidate of candidates) {
    const taken = claims(candidate).find(({ kind, key }) => {
      const owner = owners.get(key)
      return owner && !(kind === RESOURCE && isSamePlugin(owner, candidate))
    })
    if (!taken) take(candidate)
    else {
      const { kind, name, key } = taken
      refused.set(
        candidate,
        hostError('PLUGIN_COLLISION', { plugin: candidate.instance, kind, name, other: owners.get(key)?.instance ?? '' }),
      )
    }
  }
  return refused
}

const RESOURCE = 'resource'

/**
 * What two mounts of one plugin have in common: where it comes from, or the name it gives itself. All MCP servers count as mounts of one:
 * their authors know nothing of each other, and many call a resource of theirs alike.
 */
export function pluginKeys({ entry, surface }: PluginRecord): readonly unknown[] {
  if (serverOf(entry.use)) return ['an MCP server']
  return [entry.use, ...(surface ? [`name ${surface.name}`] : [])]
}

function isSamePlugin(one: PluginRecord, other: PluginRecord): boolean {
  const keys = pluginKeys(other)
  return pluginKeys(one).some((key) => keys.includes(key))
}

/** The full, client-visible name of a plugin's tool, prompt or resource. */
export function fullName(instance: string, name: string): string {
  return `${instance}_${name}`
}

interface Claim {
  readonly kind: string
  readonly name: string
  readonly key: string
}

function claims({ instance, surface }: PluginRecord): readonly Claim[] {
  const claim = (kind: string, name: string): Claim => ({ kind, name, key: `${kind}\0${name}` })
  return [
    claim('instance name', instance),
    ...(surface?.tools ?? []).map(({ name }) => claim('tool', fullName(instance, name))),
    ...(surface?.prompts ?? []).map(({ name }) => claim('prompt', fullName(instance, name))),
    ...(surface?.resources ?? []).map(({ uri }) => claim(RESOURCE, uri)),
  ]
}
