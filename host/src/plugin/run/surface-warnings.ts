import { clientLimits } from '@mcp-patchbay/plugin-api/host'
import { fullName } from './names.ts'
import { problemOf } from '../source/left-out.ts'
import type { PluginSurface } from '../source/describe-surface.ts'

/** Something about a tool or prompt that its author or the operator should know. */
export interface SurfaceWarning {
  /** As clients see its name. */
  readonly name: string
  readonly problem: string
  readonly fix: string
  /** It is not served. */
  readonly leftOut: boolean
}

/** What is left out of a plugin, and what some clients will drop of the rest. */
export function surfaceWarnings({ tools, leftOut }: PluginSurface, instance: string): readonly SurfaceWarning[] {
  return [
    ...leftOut.map((one) => ({
      name: fullName(instance, one.name),
      problem: `this ${one.kind} is left out: ${problemOf(one)}`,
      fix: one.faults[0]?.fix ?? 'Correct its schema',
      leftOut: true,
    })),
    ...tools.flatMap(({ name, wire }) => {
      const full = fullName(instance, name)
      return clientLimits(full, wire.inputSchema).map(({ path, problem, fix }) => ({
        name: full,
        problem: `${path} ${problem}`,
        fix,
        leftOut: false,
      }))
    }),
  ]
}
