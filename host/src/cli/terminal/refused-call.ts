import { suggest } from '../../config/schema/suggest.ts'
import { hostError, type HostError } from '../../errors.ts'
import type { Caller } from '../../server/catalog/caller.ts'
import type { Host } from '../../types.ts'
import type { PluginReason } from '../../plugin/run/plugin-record.ts'

/** Why the operator's own call of `tool`, or that of `caller`, goes nowhere: the rule, what is behind it, and the tool that was probably meant. */
export function whyRefused(tool: string, host: Host, caller?: Caller): HostError | undefined {
  const { visible, decidedBy: rule, chain } = host.explain(tool, caller)
  if (visible || rule === null) return undefined
  const { plugins, tools } = host.snapshot
  if (rule === 'unknown')
    return hostError('TOOL_NOT_CALLABLE', { name: tool, rule, because: '', meant: similar(tool, [...tools.keys()]), fix: [] })
  const plugin = tools.get(tool)?.plugin ?? plugins.find(({ instance }) => tool.startsWith(`${instance}_`))
  // These rules are about the plugin, which has its own reason with its own steps; others about the tool or the caller.
  const reason = rule === 'plugin_failed' || rule === 'not_configured' ? plugin?.reason : undefined
  const because = reason ? reasonText(reason) : (chain.find(({ verdict }) => verdict === 'refuse')?.source ?? '')
  return hostError('TOOL_NOT_CALLABLE', { name: tool, rule, because, fix: reason?.fix ?? [] })
}

function reasonText({ message, at, frame }: PluginReason): string {
  return [message, ...(at ? [`at ${at}`] : []), ...(frame ? ['', frame, ''] : [])].join('\n')
}

/** One that differs by a few letters, or by the name of its plugin, which clients see before each. */
function similar(tool: string, names: readonly string[]): string | undefined {
  return names.find((name) => name.endsWith(`_${tool}`)) ?? suggest(tool, names)
}
