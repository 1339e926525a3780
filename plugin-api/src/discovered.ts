import type { AnyPrompt } from './prompt.ts'
import type { CredentialPlacement } from './plugin.ts'
import type { Resource } from './resource.ts'
import type { AnyTool } from './tool.ts'

/** What `discover` found. It is served in addition to what the plugin itself lists. */
export interface Discovered<Client> {
  readonly tools: readonly AnyTool<Client>[]
  readonly resources?: readonly Resource<Client>[]
  readonly prompts?: readonly AnyPrompt<Client>[]
  /** Where credentials go, over what the plugin itself says. Pinned with every tool: another place is another tool. */
  readonly credentials?: CredentialPlacement
}

/**
 * The plugin with what it discovered behind what it lists. Whatever was found is put there as it is: the contract is checked of the whole.
 */
export function withDiscovered<Of extends object>(plugin: Of, found: unknown): Of {
  const lists = typeof found === 'object' && found !== null ? found : { tools: found }
  const joined = (name: 'tools' | 'resources' | 'prompts'): PropertyDescriptor => {
    const own: unknown = Reflect.get(plugin, name)
    const more: unknown = Reflect.get(lists, name)
    const both: unknown = more === undefined ? own : Array.isArray(more) ? [...(Array.isArray(own) ? own : []), ...more] : more
    return { value: both, enumerable: true }
  }
  // Not a copy: a plugin may be an object of a class.
  return Object.create(plugin, {
    tools: joined('tools'),
    resources: joined('resources'),
    prompts: joined('prompts'),
    ...placedBy(Reflect.get(plugin, 'credentials'), Reflect.get(lists, 'credentials')),
  }) as Of
}

/** `discoveredCredentials` has what was discovered alone: it is part of what is pinned, as nothing else tells of it. */
function placedBy(own: unknown, found: unknown): PropertyDescriptorMap {
  if (found === undefined) return {}
  const isMerged = typeof own === 'object' && own !== null && typeof found === 'object' && found !== null
  return {
    credentials: { value: isMerged ? { ...own, ...found } : found, enumerable: true },
    discoveredCredentials: { value: found, enumerable: true },
  }
}
