import type { Logger } from '@mcp-patchbay/plugin-api'
import { configWarnings } from './config/schema/rules.ts'
import type { CurrentConfig } from './current-config.ts'
import {
  hostReaders,
  pluginReaders,
  unreadVariables,
  unusedSecretLines,
  type EnvironmentReader,
} from './plugin/settings/environment-readers.ts'
import type { PluginRecord } from './plugin/run/plugin-record.ts'
import type { Registry } from './server/catalog/registry.ts'
import { unusedRules } from './server/catalog/unused-rules.ts'

/** What the config and the environment say and probably do not mean. */
export interface Warnings {
  /** All of them now, one line each. */
  lines(): readonly string[]
  /** Settings that select nothing there is; see `unusedRules`. */
  unusedRules(): readonly string[]
  /** Logs those that were not logged before, once the turn is over. */
  readonly log: () => void
}

export interface WarningsDeps {
  readonly current: CurrentConfig
  readonly registry: Registry
  readonly log: Logger
}

export function createWarnings({ current, registry, log }: WarningsDeps): Warnings {
  const rules = () => unusedRules(current.config, registry.current)
  const unread = () => {
    const { plugins } = registry.current
    const readers = [undefined, ...plugins].flatMap((record) => readersOf(record, current))
    return unreadVariables(current.env, plugins, { tenants: current.config.tenants, readers })
  }
  const secrets = () => unusedSecretLines(registry.current.plugins)
  /** Logged once for each, when a start, a reload or another config causes it. */
  let logged: readonly string[] = []
  return {
    lines: () => [...configWarnings(current.config), ...rules(), ...unread(), ...secrets()],
    unusedRules: rules,
    log: debounced(() => {
      const found = { rules: rules(), unread: unread(), secrets: secrets() }
      const isNew = (line: string) => !logged.includes(line)
      const level = current.config.frozen ? 'error' : 'warn'
      for (const rule of found.rules.filter(isNew)) log[level]('rule_without_effect', { rule })
      for (const reason of found.unread.filter(isNew)) log.warn('variable_unused', { reason })
      for (const reason of found.secrets.filter(isNew)) log.warn('secret_unused', { reason })
      logged = [...found.rules, ...found.unread, ...found.secrets]
    }),
  }
}

/** What reads environment variables for this plugin, or for the host itself. */
export function readersOf(
  record: PluginRecord | undefined,
  { config }: Pick<CurrentConfig, 'config'>,
): readonly EnvironmentReader[] {
  return record ? pluginReaders(record, config.tenants) : hostReaders(config)
}

/** Runs `work` once the turn is over, however often it is asked for: what was asked for meanwhile need not wait for it. */
function debounced(work: () => void): () => void {
  let pending: NodeJS.Immediate | undefined
  return () => {
    pending ??= setImmediate(() => {
      pending = undefined
      work()
    })
  }
}
