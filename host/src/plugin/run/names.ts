import { configVariables } from '../../config/plugin/variables.ts'
import { hostError, type HostError } from '../../errors.ts'
import type { PluginRecord } from './plugin-record.ts'

/**
 * Which candidates claim a name that is taken: an instance, tool, prompt or resource URI. Whoever serves has its names; among the
 * candidates the earlier one in the config has them. There is no last one that wins.
 */
export function findCollisions(
  serving: readonly PluginRecord[],
  candidates: readonly PluginRecord[],
): ReadonlyMap<PluginRecord, HostError> {
  const owners = new Map<string, string>()
  const take = (record: PluginRecord) => claims(record).forEach(({ key }) => owners.set(key, record.instance))
  serving.forEach(take)
  const refused = new Map<PluginRecord, HostError>()
  for (const candidate of candidates) {
    const taken = claims(candidate).find(({ key }) => owners.has(key))
    if (!taken) take(candidate)
    else {
      const { kind, name, key } = taken
      refused.set(
        candidate,
        hostError('PLUGIN_COLLISION', { plugin: candidate.instance, kind, name, other: owners.get(key) ?? '' }),
      )
    }
  }
  return refused
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
    ...(surface?.resources ?? []).map(({ uri }) => claim('resource', uri)),
    // `euApiUrl` of github and `apiUrl` of github_eu would both read GITHUB_EU_API_URL.
    ...(surface ? configVariables(instance, surface.config) : []).flatMap(({ variable }) => [
      claim('environment variable', variable),
      claim('environment variable', `${variable}_FILE`),
    ]),
  ]
}
