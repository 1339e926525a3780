import { relative } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { showInvisible } from '../../pin/difference/format-diff.ts'
import type { ToolSurface } from '../../plugin/source/describe-surface.ts'
import { addDescription, type DescriptionAddition, type LeftOutOperation } from '../../project/descriptions/add-description.ts'
import { readDescription } from '../../project/descriptions/description-source.ts'
import type { Project } from '../../project/open-project.ts'
import { confirm } from '../terminal/confirm.ts'
import { EXIT } from '../terminal/exit.ts'
import { indented, show, unchanged, type InstallOptions } from '../terminal/install-lines.ts'
import { pluginJson } from '../terminal/pin-lines.ts'
import { printJson, printLines, table } from '../terminal/print.ts'

/** What `patchbay add` takes for OpenAPI descriptions only. */
export interface DescriptionFlags {
  readonly apiUrl?: string
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}

/** The options of {@link DescriptionFlags}. */
export function withDescriptionOptions(command: Command): Command {
  const collect = (value: string, before: readonly string[] = []) => [...before, value]
  return command
    .option('--api-url <url>', 'of an OpenAPI description, where the API is; default: the first server that it names')
    .option('--allow <pattern>', 'of its operations only those: METHOD /path, a tag or an operationId, * for anything', collect)
    .option('--deny <pattern>', 'and of those not these', collect)
}

/** Throws for options that apply to OpenAPI descriptions only. */
export function refuseDescriptionOptions({ apiUrl, allow, deny }: DescriptionFlags): void {
  const [first] = Object.entries({ 'api-url': apiUrl, allow, deny }).filter(([, value]) => value !== undefined)
  if (first) throw new InvalidArgumentError(`--${first[0]} is for OpenAPI descriptions: add openapi:FILE`)
}

/** `patchbay add openapi:FILE`, and `create-plugin --openapi FILE`, which copies the file into the project. */
export async function addDescriptionEntry(
  project: Project,
  text: string,
  options: InstallOptions & DescriptionFlags & { readonly as?: string | undefined; readonly isCopied?: boolean },
): Promise<number> {
  const { allow, deny } = options
  const operations = { ...(allow && { allow: [...allow] }), ...(deny && { deny: [...deny] }) }
  const added = await addDescription(project, {
    source: await readDescription(text, process.cwd()),
    as: options.as,
    apiUrl: options.apiUrl,
    ...(Object.keys(operations).length > 0 && { operations }),
    isCopied: options.isCopied ?? false,
    confirm(addition) {
      if (!options.json) show(additionLines(addition, project))
      return confirm(`Add it as "${addition.plugin.name}"?`, options.yes ?? false)
    },
  })
  if (!added) return unchanged()
  const { entry, plugin, copy, leftOut } = added
  const { name } = plugin
  if (options.json)
    printJson({
      deployment: project.deployment,
      entry,
      plugin: pluginJson(plugin),
      operations: sizeOf(plugin.surface.tools),
      leftOut,
      ...(copy !== undefined && { file: copy }),
    })
  else
    printLines([
      ...(copy === undefined ? [] : [`Wrote ${relative('.', copy)}`]),
      `Added ${name} (${entry.use}) to ${project.settings.file} and ${project.lockFile}`,
      '',
      'Next:',
      `  npx mcp-patchbay env ${name}`,
      '  npx mcp-patchbay list --tools',
    ])
  return EXIT.done
}

function additionLines({ entry, plugin, copy, leftOut }: DescriptionAddition, { settings }: Project): readonly string[] {
  const { tools } = plugin.surface
  const { read, write, destructive, tokens } = sizeOf(tools)
  const rows = tools.map((tool) => [tool.name, accessOf(tool), String(tokensOf(tool, plugin.name)), requestOf(tool)])
  const isSearched = settings.config.tools.search !== false
  return [
    plugin.name,
    ...indented([
      `description: ${copy === undefined ? entry.use.slice('openapi:'.length) : relative('.', copy)}`,
      `API, where its credential goes: ${String(entry.config?.['apiUrl'])}`,
      `${count(tools.length, 'tool')}: ${read} read, ${write} write, ${destructive} delete or destroy; about ${tokens} tokens in a list of all`,
      ...(leftOut.length === 0 ? [] : [`${count(leftOut.length, 'operation')} cannot be served`]),
      '',
      ...table(['TOOL', 'ACCESS', '~TOKENS', 'REQUEST'], rows),
      ...leftOutLines(leftOut),
      ...(tokens > MANY_TOKENS && !isSearched
        ? [
            '',
            `! This is much for a model to read. Select some with --allow 'GET *', or set tools: { search: true } in the config`,
          ]
        : []),
    ]),
  ]
}

/** What a model reads before it does anything, at four characters a token. */
const MANY_TOKENS = 20_000

function leftOutLines(leftOut: readonly LeftOutOperation[]): readonly string[] {
  return leftOut.length === 0
    ? []
    : ['', ...leftOut.map(({ operation, reason }) => `! ${showInvisible(operation)} is left out: ${showInvisible(reason)}`)]
}

function sizeOf(tools: readonly ToolSurface[]) {
  const kinds = Map.groupBy(tools, accessOf)
  const of = (kind: ReturnType<typeof accessOf>) => kinds.get(kind)?.length ?? 0
  return {
    read: of('read'),
    write: of('write'),
    destructive: of('destructive'),
    tokens: tools.reduce((sum, tool) => sum + tokensOf(tool, ''), 0),
  }
}

function accessOf({ access, wire: { annotations } }: ToolSurface): 'read' | 'write' | 'destructive' {
  if (access === 'read') return 'read'
  return typeof annotations === 'object' &&
    annotations !== null &&
    'destructiveHint' in annotations &&
    annotations['destructiveHint']
    ? 'destructive'
    : 'write'
}

function tokensOf({ name, wire }: ToolSurface, instance: string): number {
  return Math.ceil(JSON.stringify({ name: `${instance}_${name}`, ...wire }).length / 4)
}

/** The last words of its description are the request that it is. */
function requestOf({ wire: { description } }: ToolSurface): string {
  return showInvisible(description.slice(description.lastIndexOf('\n') + 1)).slice(0, 120)
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
