import { isObject } from '../../../data/json.ts'
import { parseExpressions } from '../../../data/uri/uri-expressions.ts'
import type { LeftOut } from '../../source/left-out.ts'
import type { Fields } from '../connect/types.ts'
import type { ServerOffer } from '../connect/server-offer.ts'
import { localNames, type Named } from './server-names.ts'

/** What a server offers in the words of the plugin contract, and what the server itself calls each of it. */
export interface DescribedServer {
  /** As `discover` gives it: unchecked. */
  readonly found: {
    readonly tools: readonly object[]
    readonly resources: readonly object[]
    readonly prompts: readonly object[]
  }
  /** What cannot even be described. */
  readonly leftOut: readonly LeftOut[]
  /** Local name to the name that the server uses. */
  readonly tools: ReadonlyMap<string, string>
  readonly prompts: ReadonlyMap<string, string>
}

export interface DescribeOptions {
  readonly instance: string
  /** Calls of it may ask their caller something. */
  readonly isInteractive: boolean
}

/** The most a name may be that clients see, with the instance and an underscore before it. */
const LONGEST_NAME = 64

/** Reads what a server said of itself. Names become ours; schemas, titles, annotations and the rest stay as they are. */
export function describeServer(offer: ServerOffer, { instance, isInteractive }: DescribeOptions): DescribedServer {
  const longest = LONGEST_NAME - instance.length - 1
  const leftOut: LeftOut[] = []
  const skip = (kind: LeftOut['kind'], name: string, problem: string) =>
    void leftOut.push({
      kind,
      name: name.slice(0, 128),
      faults: [{ path: kind, problem, fix: 'Nothing can be done here: ask the author of the server' }],
    })

  for (const { kind, method, problem } of offer.unlisted ?? [])
    leftOut.push({
      kind,
      name: method,
      faults: [
        { path: kind, problem: `cannot be listed: ${problem}`, fix: 'Grant the server what it needs, and start it again' },
      ],
    })
  for (const { kind, method, kept } of offer.cut ?? [])
    leftOut.push({
      kind,
      name: method,
      faults: [
        {
          path: kind,
          problem: `is a list that goes on after ${kept}: what is behind is not served`,
          fix: 'Have the server offer less, for example by its arguments',
        },
      ],
    })
  const tools = unique(offer.tools, 'name', (name) =>
    skip('tool', name, 'has no name, or one that the server gives twice'),
  ).filter((tool) => {
    if (!isOnlyTask(tool)) return true
    skip('tool', textOf(tool['name']), 'can only be run as a task')
    return false
  })
  const prompts = unique(offer.prompts, 'name', (name) => skip('prompt', name, 'has no name, or one that the server gives twice'))
  const resources = unique(offer.resources, 'uri', (name) =>
    skip('resource', name, 'has no uri, or one that the server gives twice'),
  )
  const templates = unique(offer.templates, 'uriTemplate', (name) =>
    skip('resource', name, 'has no uriTemplate, or one that the server gives twice'),
  ).filter((template) => {
    const uri = textOf(template['uriTemplate'])
    if (isTemplate(uri)) return true
    skip('resource', textOf(template['name']) || uri, `has the template ${uri.slice(0, 200)}, which RFC 6570 does not have`)
    return false
  })

  const toolNames = localNames(tools.map(byName), longest)
  const promptNames = localNames(prompts.map(byName), longest)
  const places = [...resources.map(by('uri')), ...templates.map(by('uriTemplate'))]
  const resourceNames = localNames(places, longest)

  return {
    found: {
      tools: tools.map((tool) => describeTool(tool, toolNames.get(textOf(tool['name'])) ?? '', { instance, isInteractive })),
      resources: [
        ...resources.map((resource) => describeResource(resource, { uri: textOf(resource['uri']), names: resourceNames })),
        ...templates.map((template) => ({
          ...describeResource(template, { uri: textOf(template['uriTemplate']), names: resourceNames }),
          ...(offer.completes && { complete: elsewhere }),
        })),
      ],
      prompts: prompts.map((prompt) => ({
        ...describePrompt(prompt, promptNames.get(textOf(prompt['name'])) ?? ''),
        ...(isInteractive && { interactive: true }),
        ...(offer.completes && { complete: elsewhere }),
      })),
    },
    leftOut,
    tools: swapped(toolNames),
    prompts: swapped(promptNames),
  }
}

function describeTool(tool: Fields, name: string, { instance, isInteractive }: DescribeOptions): object {
  const { title, description, inputSchema, outputSchema, icons } = tool
  const annotations = isObject(tool['annotations']) ? tool['annotations'] : {}
  const original = textOf(tool['name'])
  return {
    name,
    origin: original,
    ...(typeof title === 'string' && { title }),
    description: firstText(description, title, annotations['title']) ?? `The tool ${original} of ${instance}`,
    access: annotations['readOnlyHint'] === true ? 'read' : 'write',
    input: inputSchema,
    ...(outputSchema !== undefined && { output: outputSchema }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...iconsOf(icons),
    ...metaOf(tool),
    ...(isInteractive && { interactive: true }),
    run: elsewhere,
  }
}

function describeResource(resource: Fields, { uri, names }: { uri: string; names: ReadonlyMap<string, string> }): object {
  const { title, description, mimeType, size, annotations, icons, name } = resource
  return {
    name: names.get(uri) ?? '',
    title: firstText(title, name),
    ...(typeof description === 'string' && { description }),
    ...(typeof mimeType === 'string' && { mimeType }),
    ...(typeof size === 'number' && { size }),
    ...(isObject(annotations) && { annotations }),
    ...iconsOf(icons),
    ...metaOf(resource),
    uri,
    read: elsewhere,
  }
}

function describePrompt(prompt: Fields, name: string): object {
  const { title, description, icons } = prompt
  const list: readonly unknown[] = Array.isArray(prompt['arguments']) ? prompt['arguments'] : []
  const args = list.filter(isObject).filter((one) => typeof one['name'] === 'string')
  return {
    name,
    ...(typeof title === 'string' && { title }),
    ...(typeof description === 'string' && { description }),
    ...iconsOf(icons),
    ...metaOf(prompt),
    ...(args.length > 0 && {
      arguments: {
        type: 'object',
        properties: Object.fromEntries(
          args.map((one) => [
            textOf(one['name']),
            { type: 'string', ...(typeof one['description'] === 'string' && { description: one['description'] }) },
          ]),
        ),
        required: args.filter((one) => one['required'] === true).map((one) => textOf(one['name'])),
      },
    }),
    run: elsewhere,
  }
}

/** Icons that clients may load; a server's own file is none of theirs. */
function iconsOf(icons: unknown): { readonly icons?: readonly unknown[] } {
  if (!Array.isArray(icons)) return {}
  const usable = (icons as readonly unknown[]).filter(
    (icon) => isObject(icon) && typeof icon['src'] === 'string' && /^(?:https:|data:image\/)/.test(icon['src']),
  )
  return usable.length > 0 ? { icons: usable } : {}
}

function metaOf(item: Fields): { readonly meta?: Fields } {
  const meta = item['_meta']
  return isObject(meta) ? { meta } : {}
}

/** Revision 2025-11-25 has tools that run only as tasks. */
function isOnlyTask({ execution }: Fields): boolean {
  return isObject(execution) && execution['taskSupport'] === 'required'
}

/** One that takes no variables is of one resource. */
function isTemplate(uri: string): boolean {
  return !/[{}]/.test(uri) || parseExpressions(uri) !== undefined
}

function unique(items: readonly Fields[], key: string, onOther: (name: string) => void): readonly Fields[] {
  const seen = new Set<unknown>()
  return items.filter((item) => {
    const value = item[key]
    const isNew = typeof value === 'string' && value !== '' && !seen.has(value)
    if (isNew) seen.add(value)
    else onOther(textOf(value) || textOf(item['name']) || '(no name)')
    return isNew
  })
}

function byName(item: Fields): Named {
  return { key: textOf(item['name']), name: textOf(item['name']) }
}

function by(key: 'uri' | 'uriTemplate'): (item: Fields) => Named {
  return (item) => ({ key: textOf(item[key]), name: textOf(item['name']) })
}

function swapped(names: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...names].map(([original, local]) => [local, original]))
}

function firstText(...values: readonly unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === 'string' && value.trim() !== '')
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Stands for a function that the contract asks for: it runs at the server. */
function elsewhere(): never {
  throw new Error('A function of an MCP server was called in the host')
}
