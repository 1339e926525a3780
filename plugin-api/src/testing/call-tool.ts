import type { TSchema } from 'typebox'
import { ServiceError } from '../errors.ts'
import { isInputRequired } from '../interactive.ts'
import { isToolResult, type ToolResult } from '../tool-result.ts'
import type { AnyPlugin } from '../plugin.ts'
import type { ResourcePage } from '../resource.ts'
import type { Fakes } from './fake-context.ts'
import { inFakeCall } from './fake-call.ts'
import { isRecord } from './is-record.ts'
import { completed, mismatches, plainJson } from './schema-check.ts'

/**
 * Calls one tool the way the host does: checks the input, makes the client, runs, checks what comes back, disposes the client. Gives
 * back what `run` returned: Markdown, content items, the value of `output`, or what `inputRequired` or `toolResult` made. Rejects with
 * `INVALID_INPUT` for input the schema refuses, and with whatever the tool throws.
 */
export async function callTool<Result = string>(
  plugin: AnyPlugin,
  name: string,
  input: unknown = {},
  fakes: Fakes = {},
): Promise<Result> {
  const tool = pick(plugin.tools, name, 'tool')
  const given = completed(closed(tool.input), plainJson(input))
  const wrong = mismatches(closed(tool.input), given)
  if (wrong.length) throw new ServiceError('INVALID_INPUT', `The input of ${name} is not valid: ${wrong.join('; ')}`)
  return inFakeCall(plugin, { access: tool.access, safePaths: tool.safePaths ?? [], fakes }, async (ctx) => {
    const result: unknown = await tool.run(given as never, ctx as never)
    const fault = resultFault(result, tool)
    if (fault) throw new Error(`Tool ${name} ${fault}`)
    return result as Result
  })
}

/** Reads the resource that `uri` belongs to. Gives back what `read` returned. */
export async function readResource<Result = string>(plugin: AnyPlugin, uri: string, fakes: Fakes = {}): Promise<Result> {
  for (const resource of plugin.resources ?? []) {
    const params = matchTemplate(resource.uri, uri)
    if (params)
      return inFakeCall(
        plugin,
        { access: 'read', safePaths: [], fakes },
        async (ctx) => (await resource.read(uri, params, ctx as never)) as Result,
      )
  }
  throw new Error(`No resource for ${uri}; there are: ${(plugin.resources ?? []).map((resource) => resource.uri).join(', ')}`)
}

/** A page of the resources of the template `uri`, as it is declared. Gives back what `list` returned. */
export async function listResources(plugin: AnyPlugin, uri: string, fakes: Fakes = {}, cursor?: string): Promise<ResourcePage> {
  const resource = (plugin.resources ?? []).find((one) => one.uri === uri)
  const { list } = resource ?? {}
  if (!list) throw new Error(`The plugin lists no resources of ${uri}`)
  return inFakeCall(plugin, { access: 'read', safePaths: [], fakes }, async (ctx) => list(cursor, ctx as never))
}

/** Fills in the prompt `name`. Gives back what `run` returned. */
export async function getPrompt<Result = string>(
  plugin: AnyPlugin,
  name: string,
  args: Readonly<Record<string, string>> = {},
  fakes: Fakes = {},
): Promise<Result> {
  const prompt = pick(plugin.prompts ?? [], name, 'prompt')
  const given = prompt.arguments ? completed(closed(prompt.arguments), plainJson(args)) : args
  const wrong = prompt.arguments ? mismatches(closed(prompt.arguments), given) : []
  if (wrong.length) throw new ServiceError('INVALID_INPUT', `The arguments of ${name} are not valid: ${wrong.join('; ')}`)
  return inFakeCall(
    plugin,
    { access: 'read', safePaths: [], fakes },
    async (ctx) => (await prompt.run(given as never, ctx as never)) as Result,
  )
}

function pick<Item extends { readonly name: string }>(items: readonly Item[], name: string, kind: string): Item {
  const found = items.find((item) => item.name === name)
  if (found) return found
  throw new Error(`No ${kind} named "${name}"; there are: ${items.map((item) => item.name).join(', ') || 'none'}`)
}

/** The host refuses input that a schema does not mention, unless the schema itself says otherwise. */
function closed(schema: TSchema): TSchema {
  const decides = [
    'additionalProperties',
    'unevaluatedProperties',
    'patternProperties',
    'allOf',
    'anyOf',
    'oneOf',
    'if',
    '$ref',
    'propertyNames',
  ]
  return decides.some((keyword) => keyword in schema) ? schema : { ...schema, additionalProperties: false }
}

function resultFault(
  result: unknown,
  { output, interactive }: { readonly output?: TSchema | undefined; readonly interactive?: boolean },
): string | undefined {
  if (isInputRequired(result)) return interactive ? undefined : 'returned inputRequired without interactive: true'
  if (isToolResult(result)) return wholeResultFault(result, output)
  if (!output)
    return typeof result === 'string' || Array.isArray(result)
      ? undefined
      : `returned ${typeof result}, not Markdown or content items`
  const wrong = mismatches(output, plainJson(result))
  return wrong.length ? `returned a value that is not its output: ${wrong.join('; ')}` : undefined
}

function wholeResultFault({ content, structuredContent, isError }: ToolResult, output: TSchema | undefined): string | undefined {
  if (!Array.isArray(content)) return 'returned a result without content'
  if (isError === true) return undefined
  if (!output)
    return structuredContent === undefined || isRecord(structuredContent)
      ? undefined
      : 'returned structured content that is not an object, without an output schema'
  const wrong = mismatches(output, plainJson(structuredContent))
  return wrong.length ? `returned structured content that is not its output: ${wrong.join('; ')}` : undefined
}

/** The values of `{name}` in `template`, or undefined where `uri` has another form. */
function matchTemplate(template: string, uri: string): Record<string, string> | undefined {
  const names: string[] = []
  const source = template
    .split(/(\{\w+\})/)
    .map((part) => {
      const name = /^\{(\w+)\}$/.exec(part)?.[1]
      if (name === undefined) return part.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
      names.push(name)
      return '([^/?#]+)'
    })
    .join('')
  const match = new RegExp(`^${source}$`).exec(uri)
  return match ? Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(match[index + 1] ?? '')])) : undefined
}
