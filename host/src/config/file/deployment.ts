import { isObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'
import { didYouMean } from '../schema/suggest.ts'
import type { DeploymentConfig, EmbeddedConfig, EmbeddedEntry } from '../schema/schema.ts'

/** The deployment that is meant when none is named; a config may also define one of this name. */
export const DEFAULT_DEPLOYMENT = 'default'

/**
 * `config` with one of its `deployments` merged over it: objects key by key to any depth, everything else, arrays included, replaced
 * whole. Only `plugins` is merged by name: an entry changes the entry of the same `as`, or without `as` the only one of the same
 * `use`; any other is added at the end. Nothing can be taken away: deny its tools instead. Throws `CONFIG_DEPLOYMENT` for a name
 * that is not there, and for an entry that could mean several; `file` is where the config was read, for its steps.
 */
export function mergeDeployment(
  config: EmbeddedConfig,
  name: string | undefined,
  file?: string,
): Omit<EmbeddedConfig, 'deployments'> {
  const { deployments = {}, ...base } = config
  if (name === undefined || (name === DEFAULT_DEPLOYMENT && !Object.hasOwn(deployments, name))) return base
  const deployment = Object.hasOwn(deployments, name) ? deployments[name] : undefined
  if (!deployment) throw unknownDeployment(name, Object.keys(deployments), file)
  const { plugins, ...rest } = deployment
  const merged = merge(base, rest)
  return plugins ? { ...merged, plugins: mergePlugins(base.plugins ?? [], plugins, { deployment: name, file }) } : merged
}

function unknownDeployment(name: string, known: readonly string[], file: string | undefined): Error {
  const which = known.length ? `known are ${known.join(', ')}` : 'it has no deployments'
  const problem = `is not in the config: ${which}${didYouMean(name, known)}`
  return hostError('CONFIG_DEPLOYMENT', { deployment: name, problem, file })
}

type Change = NonNullable<DeploymentConfig['plugins']>[number]

function mergePlugins(
  base: readonly (string | EmbeddedEntry)[],
  changes: readonly Change[],
  { deployment, file }: { readonly deployment: string; readonly file: string | undefined },
): readonly (string | EmbeddedEntry)[] {
  const entries = base.map((entry) => (typeof entry === 'string' ? { use: entry } : entry))
  const named = entries.length
  for (const given of changes) {
    const change = typeof given === 'string' ? { use: given } : given
    const matches = entries.slice(0, named).flatMap((entry, index) => (isSame(entry, change) ? [index] : []))
    const [index, another] = matches
    const refuse = (problem: string) =>
      hostError('CONFIG_DEPLOYMENT', {
        deployment,
        file,
        problem: `has an entry ${JSON.stringify(change.as ?? change.use ?? '')} ${problem}`,
      })
    if (another !== undefined) throw refuse('that could change several entries of plugins: say which one with as')
    const entry = index === undefined ? undefined : entries[index]
    if (index !== undefined && entry) entries[index] = merge(entry, change)
    else if (change.use !== undefined) entries.push({ ...change, use: change.use })
    else throw refuse('that no entry of plugins has: give its use')
  }
  return entries
}

function isSame(entry: EmbeddedEntry, change: Exclude<Change, string>): boolean {
  return change.as === undefined ? entry.use === change.use : entry.as === change.as
}

/** Keeps both arguments as they are. */
function merge<Base extends object>(base: Base, over: object): Base {
  const merged = new Map<string, unknown>(Object.entries(base))
  for (const [key, value] of Object.entries<unknown>({ ...over })) {
    const before = merged.get(key)
    if (value !== undefined) merged.set(key, isObject(before) && isObject(value) ? merge(before, value) : value)
  }
  return Object.fromEntries(merged) as Base
}
