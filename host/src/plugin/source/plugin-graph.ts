import type { Logger } from '@mcp-patchbay/plugin-api'
import { sharedModule } from '../../modules/own-modules.ts'
import { createModuleGraph, type ModuleGraph } from '../../modules/graph.ts'
import type { Admit } from '../../modules/types.ts'

/** What every plugin gets the host's own copy of, so that it can be one file with nothing installed beside it. */
const SHARED = ['@mcp-patchbay/plugin-api', '@mcp-patchbay/plugin-api/testing', 'typebox']

/**
 * The module graph that plugins are imported through; `admit` judges every file before it runs. `reclaim` is `off` in a process that
 * loads one version and ends with it.
 */
export function createPluginGraph(
  log: Pick<Logger, 'warn'>,
  admit?: Admit,
  { reclaim = 'auto', keepsSources = false }: { reclaim?: 'auto' | 'off'; keepsSources?: boolean } = {},
): ModuleGraph {
  const shared = Object.fromEntries(SHARED.map((name) => [name, sharedModule(name)]))
  return createModuleGraph({ shared, log, admit, reclaim, keepsSources })
}
