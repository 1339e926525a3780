import type { AnyTool, CallContext, HttpClient, HttpRequest } from '@mcp-patchbay/plugin-api'
import { fitted } from '../document/fitting.ts'
import { LeftOut } from '../document/left-out.ts'
import { followed } from '../document/references.ts'
import { SchemaReader } from '../document/schemas.ts'
import { isObject, listOf, objectOf, type JsonObject } from '../json.ts'
import { readBody, type Body } from '../request/body.ts'
import { readParameters, type Parameter } from '../request/parameters.ts'
import { headerText, pathText, queryPairs } from '../request/serialize.ts'
import { readAnswer } from './answer.ts'
import type { Operation } from './operations.ts'
import { isCredential, type Security } from './security.ts'

/** What is the same for all tools of a description. */
export interface ToolOptions {
  readonly document: JsonObject
  readonly security: Security
  /** Whether all of these servers, of an operation or its path, are those of the API. */
  readonly isAtApi: (...servers: readonly unknown[]) => boolean
  readonly maxAnswerCharacters: number
}

/** The tool that sends one operation. Throws `LeftOut` for one that cannot be sent as it is described. */
export function operationTool(
  operation: Operation,
  name: string,
  { document, security, isAtApi, maxAnswerCharacters }: ToolOptions,
): AnyTool<HttpClient> {
  const { path, label, said, pathItem, tags } = operation
  const method = METHODS.find((known) => known === operation.method)
  if (!method) throw new LeftOut(`the host does not send ${operation.method}`)
  if (!/^\/(?!\/)[^?#\\]*$/.test(path)) throw new LeftOut('its path is not a plain path that begins with /')
  if (!isAtApi(said['servers'], said['servers'] === undefined ? pathItem['servers'] : undefined))
    throw new LeftOut('it has servers of its own, and requests go to apiUrl only')
  const isOpen = security.isOpen(said)
  const schemas = new SchemaReader(document)
  const parameters = readParameters(document, [pathItem['parameters'], said['parameters']], {
    schemas,
    isCredential: (place, one) => isCredential(security, place, one),
  })
  const template = pathTemplate(path, parameters)
  const body = method === 'GET' || method === 'HEAD' ? undefined : readBody(document, said['requestBody'], schemas)
  const isRead = method === 'GET' || method === 'HEAD' || (method === 'POST' && said['x-patchbay-read'] === true)
  const accept = acceptOf(document, said)
  const summary = typeof said['summary'] === 'string' ? said['summary'].trim() : ''
  return {
    name,
    ...(summary !== '' && { title: summary.slice(0, 200) }),
    description: describe(operation, summary),
    access: isRead ? 'read' : 'write',
    tags: [...new Set(tags.map(tagOf).filter((tag) => tag !== ''))],
    ...(isRead && method === 'POST' && { safePaths: [path.replaceAll(/\/[^/]*\{[^/]*/g, '/*')] }),
    annotations: {
      openWorldHint: true,
      ...(!isRead && { destructiveHint: method === 'DELETE', idempotentHint: method === 'PUT' || method === 'DELETE' }),
    },
    input: fitted(inputOf(parameters, body, schemas)),
    async run(input: JsonObject, { client }: CallContext<HttpClient>) {
      const request = requestOf({ template, method, parameters, body, accept, isOpen }, input)
      return readAnswer(await client.request(request.path, request.options), label, maxAnswerCharacters)
    },
  }
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

interface Sending {
  readonly template: readonly (string | Parameter)[]
  readonly method: NonNullable<HttpRequest['method']>
  readonly parameters: readonly Parameter[]
  readonly body: Body | undefined
  readonly accept: string
  readonly isOpen: boolean
}

/** The request for one input. Throws `INVALID_INPUT` for a value that cannot be written where it goes. */
function requestOf(
  { template, method, parameters, body, accept, isOpen }: Sending,
  input: JsonObject,
): { path: string; options: HttpRequest } {
  const given = parameters.filter(({ argument }) => input[argument] !== undefined)
  const path = template.map((part) => (typeof part === 'string' ? part : pathText(part, input[part.argument]))).join('')
  const query = given
    .filter(({ place }) => place === 'query')
    .flatMap((parameter) => queryPairs(parameter, input[parameter.argument]))
  const headers = given.filter(({ place }) => place === 'header').map((one) => [one.name, headerText(one, input[one.argument])])
  const written = body && input['body'] !== undefined ? body.write(input['body']) : undefined
  return {
    path: query.length > 0 ? `${path}?${query.join('&')}` : path,
    options: {
      method,
      headers: { accept, ...Object.fromEntries(headers), ...(written && { 'content-type': written.contentType }) },
      ...(written && { body: written.body }),
      ...(isOpen && { withoutCredential: true }),
    },
  }
}

/** The path as its fixed parts and its parameters. Throws `LeftOut` where the two do not fit together. */
function pathTemplate(path: string, parameters: readonly Parameter[]): readonly (string | Parameter)[] {
  const inPath = parameters.filter(({ place }) => place === 'path')
  const parts = path.split(/\{([^{}]*)\}/).map((part, index) => {
    if (index % 2 === 0) return part
    const parameter = inPath.find(({ name }) => name === part)
    if (!parameter) throw new LeftOut(`its path has {${part}}, which is not one of its parameters`)
    return parameter
  })
  const unused = inPath.find((parameter) => !parts.includes(parameter))
  if (unused) throw new LeftOut(`its parameter ${JSON.stringify(unused.name)} is not in its path`)
  return parts
}

function inputOf(parameters: readonly Parameter[], body: Body | undefined, schemas: SchemaReader): JsonObject {
  const { definitions } = schemas
  const required = [
    ...parameters.filter((one) => one.required).map(({ argument }) => argument),
    ...(body?.required ? ['body'] : []),
  ]
  return {
    type: 'object',
    properties: {
      ...Object.fromEntries(parameters.map(({ argument, schema }) => [argument, schema])),
      ...(body && { body: body.schema }),
    },
    ...(required.length > 0 && { required }),
    ...(definitions && { $defs: definitions }),
  }
}

/** For the model: what it does, and the request that it is. */
function describe({ label, said }: Operation, summary: string): string {
  const description = typeof said['description'] === 'string' ? said['description'].trim() : ''
  const words = description.startsWith(summary) ? description : [summary, description].filter(Boolean).join('\n\n')
  const shown = words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS).toWellFormed()}…` : words
  return [...(said['deprecated'] === true ? ['Deprecated.'] : []), ...(shown === '' ? [] : [shown]), label.slice(0, 2_000)].join(
    '\n\n',
  )
}

const MAX_WORDS = 2_000

/** JSON first, then what else the answers of the operation are. */
function acceptOf(document: JsonObject, said: JsonObject): string {
  const types = Object.entries(objectOf(said['responses'])).flatMap(([status, response]) => {
    if (!/^(?:2|default)/i.test(status) || !isObject(response)) return []
    return Object.keys(objectOf(contentOf(document, response)))
  })
  const plain = [...new Set(types)].filter((type) => /^[!#$&^_.+\w-]+\/[!#$&^_.+*\w-]+$/.test(type)).slice(0, 10)
  const json = plain.filter((type) => /[/+]json$/i.test(type))
  return [...json, ...plain.filter((type) => !json.includes(type)), '*/*;q=0.1'].join(', ')
}

function contentOf(document: JsonObject, response: JsonObject): unknown {
  try {
    return followed(document, response)['content']
  } catch (error) {
    if (error instanceof LeftOut) return undefined // an answer is read by what it says it is
    throw error
  }
}

function tagOf(tag: string): string {
  return listOf(tag.toLowerCase().match(/[a-z0-9]+/g))
    .join('_')
    .slice(0, 64)
}
