import { withDiscovered } from '../discovered.ts'
import type { AnyPlugin } from '../plugin.ts'
import { fakeConfig } from './fake-config.ts'
import { fakeCache, fakeLog, fakeMetrics, type Fakes } from './fake-context.ts'
import { fakeHttp } from './fake-http.ts'

/**
 * Runs `discover` the way the host does and gives the plugin with what was found, for `checkPlugin`, `callTool` and the others. A plugin
 * without `discover` is given back as it is.
 */
export async function discover<Plugin extends AnyPlugin>(plugin: Plugin, fakes: Fakes = {}): Promise<Plugin> {
  if (!plugin.discover) return plugin
  const { log = fakeLog(), cache = fakeCache(), http = fakeHttp(), signal = new AbortController().signal } = fakes
  const config = fakeConfig(plugin.config, fakes.config, plugin.capabilities)
  return withDiscovered(plugin, await plugin.discover({ config, http, log, metrics: fakeMetrics, cache, signal } as never))
}
