import type { ContractFault } from '@mcp-patchbay/plugin-api'

/** Something that is not served: its schema cannot be used, or of an MCP server, it is not what a host can pass on. */
export interface LeftOut {
  readonly kind: 'tool' | 'prompt' | 'resource'
  /** By its own name, without the instance. */
  readonly name: string
  /** All that is wrong with it, with the places. */
  readonly faults: readonly ContractFault[]
}

/** All that is wrong with what is left out, in a text of bounded length. */
export function problemOf({ faults }: LeftOut): string {
  const shown = faults.slice(0, 5).map(({ path, problem }) => `${path} ${problem}`.slice(0, 500))
  return `${shown.join('; ')}${faults.length > 5 ? `; and ${faults.length - 5} more` : ''}`
}
