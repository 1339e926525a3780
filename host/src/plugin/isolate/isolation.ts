import { availableParallelism } from 'node:os'
import type { Launch, IsolateOptions } from './types.ts'
import type { Logger } from '@mcp-patchbay/plugin-api'
import type { HostMetrics } from '../../observability/metrics.ts'
import type { LoadedPlugin } from '../run/load-plugin.ts'
import type { ResolvedPlugin } from '../source/resolve-entry.ts'
import { grantsOf } from './grants.ts'
import { loadIsolated } from './isolated-plugin.ts'
import { createMemoryWatch, memoryOf } from './memory-watch.ts'
import { createReaper, type Reaper } from './reaper.ts'
import { createSpare } from './spare.ts'
import { createStartGate } from './start-gate.ts'
import { spawnPlugin, type PluginProcess, type ProcessSpec } from './spawn.ts'

/** Runs plugins in processes of their own. One for a host; disposing it ends what is left of them. */
export interface Isolation extends Disposable {
  /** Loads a plugin into a new process. Throws `PLUGIN_IMPORT`, `PIN_FILE`, `PLUGIN_TIMEOUT` and `PLUGIN_PROCESS`. */
  load(resolved: ResolvedPlugin, options: IsolateOptions): Promise<LoadedPlugin>
}

export interface IsolationOptions {
  readonly log: Logger
  readonly now: () => number
  readonly random: () => number
  readonly metrics?: Pick<HostMetrics, 'processRestarted' | 'processes' | 'pluginState'>
  /** Keep a process ready for the plugin that was started last, some 45 MB of memory. Default: false. */
  readonly keepSpare?: boolean
  /** Whether this Node can keep the network from a process. Default: asks Node, which can from 25 on. */
  readonly limitsNetwork?: boolean
}

/** Far longer than a core takes to start a plugin; what takes longer keeps no other from starting. */
const LONGEST_PLACE_MS = 1_000

export function createIsolation(options: IsolationOptions): Isolation {
  const { log, now, random, metrics, keepSpare = false } = options
  const { limitsNetwork = process.allowedNodeEnvironmentFlags.has('--allow-net') } = options
  let warned = limitsNetwork
  const resources = new DisposableStack()
  const memory = resources.use(createMemoryWatch())
  const running = new Set<PluginProcess>()
  let reaper: Reaper | undefined

  const start: Launch = (spec, own) => {
    reaper ??= resources.use(createReaper(log))
    const process = spawnPlugin(spec, { log: own, now, reaper })
    running.add(process)
    void process.exited.then(() => running.delete(process))
    memory.watch(process, spec.memoryMb)
    return process
  }
  const { launch } = keepSpare ? resources.use(createSpare(start)) : { launch: start }

  const gate = createStartGate({ atOnce: Math.max(2, availableParallelism()), heldMs: LONGEST_PLACE_MS })

  metrics?.processes(() => [...running].map(({ pid, instance = '' }) => ({ plugin: instance, memoryMb: memoryOf(pid) })))
  const onIdle = (plugin: string, isIdle: boolean) => metrics?.pluginState(plugin, isIdle ? 'idle' : 'active')
  const onRestarted = (plugin: string) => metrics?.processRestarted(plugin)

  return {
    async load(resolved, options) {
      const { limits } = options
      if (!warned) {
        warned = true
        log.warn('isolation_without_network_limit', {
          reason: `Node ${process.versions.node} cannot keep a plugin in a process of its own from the network`,
          fix: 'Run the host on Node 26',
        })
      }
      const spec: ProcessSpec = {
        root: resolved.root,
        grants: await grantsOf(resolved, options),
        heapMb: limits.heapMb,
        memoryMb: limits.memoryMb,
      }
      return loadIsolated(resolved, {
        ...options,
        spec,
        launch,
        gate,
        now,
        random,
        onRestarted,
        onIdle,
        log: log.child({ plugin: options.label }),
      })
    },
    [Symbol.dispose]() {
      for (const process of running) process.kill('the host is closed')
      resources.dispose()
    },
  }
}
