import type { ConfigSource } from './types.ts'
import { isObject } from '../../data/json.ts'
import { hostError, type HostError } from '../../errors.ts'
import { check } from '../schema/check-value.ts'
import { formatPath, type Fault } from '../schema/fault.ts'
import { keyLines } from '../source/key-lines.ts'
import { configSchema, type EmbeddedConfig, type HostConfig } from '../schema/schema.ts'

/**
 * Returns `value` when it has the shape of a config, otherwise throws `CONFIG_INVALID` with every fault at once: unknown keys with
 * the key that was probably meant, values with what was expected and what was given, each with its line where that is certain.
 */
export function validateConfig(value: unknown, source?: ConfigSource): HostConfig {
  const faults = check(configSchema, value)
  if (faults.length > 0 || !isConfig(value)) throw invalid(faults, source)
  return value
}

/** The same for a config whose plugins may be objects: what those are worth is checked when they are activated. */
export function validateEmbedded(config: EmbeddedConfig): void {
  const plugins: unknown = config.plugins
  validateConfig(Array.isArray(plugins) ? { ...config, plugins: plugins.map(withoutObject) } : config)
}

function withoutObject(entry: unknown): unknown {
  return isObject(entry) && isObject(entry['use']) ? { ...entry, use: EMBEDDED } : entry
}

/** Stands for an object in `use`. */
const EMBEDDED = './embedded'

/** The error for `faults`, in the order of the file. */
export function invalid(faults: readonly Fault[], source?: ConfigSource): HostError {
  const locate = source && faults.length > 0 ? keyLines(source.file, source.text) : undefined
  const lines = faults.slice(0, MOST_FAULTS).map(({ path, problem }) => {
    const line = locate?.(path)
    return { line, text: `${line === undefined ? '' : `line ${line}: `}${formatPath(path) || 'the config'}: ${problem}` }
  })
  const ordered = lines.toSorted((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity))
  const more = faults.length > MOST_FAULTS ? [`and ${faults.length - MOST_FAULTS} more`] : []
  return hostError('CONFIG_INVALID', {
    file: source?.file ?? 'The config',
    faults: [...ordered.map(({ text }) => text), ...more],
  })
}

/** So many are looked for in the file and told: each is one look at all of it. */
const MOST_FAULTS = 50

function isConfig(value: unknown): value is HostConfig {
  return isObject(value)
}
