import type { HostListing, PluginListing, ToolListing } from '../../server/catalog/operator/listing.ts'
import type { SurfaceWarning } from '../../plugin/run/surface-warnings.ts'
import type { PluginReason } from '../../plugin/run/plugin-record.ts'
import { count, plain, type Paint } from './paint.ts'

/** Above this many of one kind, a plugin's tools are counted and not named. */
const MOST = 12

/** Every plugin with its state, then its tools: those that are shown, and those that are not with the reason. */
export function pluginLines({ plugins, ignored, lockProblem }: HostListing, paint: Paint): readonly string[] {
  const others = [...(lockProblem ? [lockProblem] : []), ...ignored].flatMap((reason) => ignoredLines(reason, paint))
  if (plugins.length === 0) return ['No plugins yet. Put one into a folder of pluginDirs, or add an entry to plugins.', ...others]
  const width = Math.max(...plugins.map(({ name }) => name.length))
  return [
    ...plugins.flatMap((plugin) => [
      headOf(plugin, width, paint),
      ...toolLines(plugin, paint),
      ...reasonLines(plugin.reason, paint),
      ...warningLines(plugin.warnings, paint),
    ]),
    ...others,
  ]
}

/** A lock, or what is in a folder of `pluginDirs`, that is not used. */
export function ignoredLines({ message, fix }: Pick<PluginReason, 'message' | 'fix'>, paint: Paint): readonly string[] {
  return [`  ${paint('yellow', plain(message))}`, ...fix.map((step) => `      - ${plain(step)}`)]
}

/** What is left out, and what some clients will drop. */
export function warningLines(warnings: readonly SurfaceWarning[], paint: Paint): readonly string[] {
  return warnings.map(({ name, problem, fix }) => paint('yellow', `      ${plain(name)}: ${plain(problem)}. ${plain(fix)}`))
}

/** What is wrong, the place with the lines around it, and what to do. */
export function reasonLines(reason: PluginReason | null | undefined, paint: Paint): readonly string[] {
  if (!reason) return []
  return [
    ...plain(reason.message).split('\n'),
    ...(reason.frame ? ['', ...plain(reason.frame).split('\n'), ''] : []),
    ...(reason.at && !reason.message.includes(reason.at) ? [`at ${plain(reason.at)}`] : []),
    ...reason.fix.map((step) => `- ${plain(step)}`),
  ].map((line) => (line === '' ? '' : `      ${line.startsWith('>') ? paint('red', line) : line}`))
}

function headOf({ name, state, version, isolation, tools }: PluginListing, width: number, paint: Paint): string {
  const colour = state === 'active' ? 'green' : state === 'failed' ? 'red' : 'yellow'
  const visible = tools.filter((tool) => tool.visible).length
  const shown = visible === tools.length ? count(visible, 'tool') : `${visible} of ${count(tools.length, 'tool')}`
  const more = [version, isolation === 'inline' ? 'in the host' : 'own process', shown].filter((part) => part !== null)
  return `  ${paint('bold', plain(name).padEnd(width))}  ${paint(colour, state)}  ${paint('gray', more.map(plain).join(' · '))}`
}

function toolLines({ tools, reason }: PluginListing, paint: Paint): readonly string[] {
  const shown = tools.filter(({ visible }) => visible)
  // A plugin that does not serve has one reason for all its tools, which is printed below.
  const hidden = reason
    ? []
    : Map.groupBy(
        tools.filter(({ visible }) => !visible),
        ({ hiddenBy }) => hiddenBy,
      )
  return [
    ...named(shown, (tool) => `      ${plain(tool.name)}${tool.access === 'write' ? paint('yellow', ' (write)') : ''}`),
    ...[...hidden].flatMap(([rule, those]) => named(those, (tool) => paint('gray', `      ${plain(tool.name)} hidden: ${rule}`))),
  ]
}

function named(tools: readonly ToolListing[], line: (tool: ToolListing) => string): readonly string[] {
  const more = tools.length > MOST ? [`      … and ${tools.length - MOST} more: npx mcp-patchbay list --tools`] : []
  return [...tools.slice(0, MOST).map(line), ...more]
}
