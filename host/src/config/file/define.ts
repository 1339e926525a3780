import type { HostConfig } from '../schema/schema.ts'

/**
 * Returns its argument: it exists so that an editor knows every key of `mcp.config.ts`. This module imports nothing when it runs,
 * because it is all of the host that the evaluation of a config loads.
 */
export function defineConfig(config: HostConfig): HostConfig {
  return config
}
