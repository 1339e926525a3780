import type { EventEmitter } from 'eventemitter3'
import type { CurrentConfig } from './current-config.ts'
import type { Validators } from './data/schema/validate.ts'
import type { HostMetrics } from './observability/metrics.ts'
import type { FoundEntries } from './plugin/found-entries.ts'
import { stateOf, type PluginRecord } from './plugin/run/plugin-record.ts'
import type { Registry } from './server/catalog/registry.ts'
import { buildSnapshot, type SearchCatalog } from './server/catalog/snapshot.ts'
import type { HostEvents } from './server/host-events.ts'

export interface PublishDeps {
  readonly registry: Registry
  readonly current: CurrentConfig
  readonly found: FoundEntries
  readonly validators: Validators
  readonly search: SearchCatalog
  readonly metrics: HostMetrics
  readonly emit: EventEmitter<HostEvents>['emit']
}

/** Makes what turns the records of plugins into the next generation, in one step, and gives its number. */
export function createPublish({ registry, current, found, validators, search, metrics, emit }: PublishDeps) {
  return (plugins: readonly PluginRecord[]): number => {
    const previous = registry.current
    const generation = previous.generation + 1
    const { policy } = current
    const snapshot = buildSnapshot({ generation, plugins, ignored: found.ignored, policy, validators, search })
    registry.publish(snapshot)
    metrics.generation(generation, snapshot.tools.size)
    for (const plugin of plugins) metrics.pluginState(plugin.instance, stateOf(plugin).state)
    emit('generation', { generation, tools: snapshot.tools.size, plugins, previous, current: snapshot })
    return generation
  }
}
