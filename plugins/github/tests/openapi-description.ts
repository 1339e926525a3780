import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv } from 'ajv'

/** GitHub's own description of its REST API, as `@octokit/openapi` publishes it: what it takes and, by example, what it answers. */
export interface Description {
  /** The operation that a method and path reach, with the raw value of each path parameter; undefined where there is none. */
  match(method: string, path: string): { operation: Operation; params: Params } | undefined
  /** The published answer of an operation: its success unless `status` says otherwise, its first example unless `example` does. */
  answer(operation: Operation, options?: { status?: number; example?: string }): Answer
  /** Everything in a request that the description does not allow, as a sentence each. */
  faults(operation: Operation, request: { params: Params; query: URLSearchParams; body: unknown }): string[]
}

interface Operation {
  readonly operationId: string
  readonly method: string
  readonly template: string
  readonly pattern: RegExp
  readonly parameters: readonly Parameter[]
  readonly body: () => { readonly required: boolean; readonly schema: JsonObject } | undefined
  readonly responses: () => ReadonlyMap<number, Response>
}

interface Answer {
  readonly status: number
  readonly body: unknown
  /** True where the operation's answers carry a `Link` header, which is to say where they come in pages. */
  readonly paged: boolean
}

type Params = Readonly<Record<string, string>>
type JsonObject = Record<string, unknown>
type Resolve = (value: unknown) => unknown
type Check = (schema: JsonObject, value: unknown, where: string) => string[]

interface Parameter {
  readonly name: string
  readonly place: string
  readonly required: boolean
  readonly schema: JsonObject
  /** The value may hold slashes. */
  readonly multiSegment: boolean
}

interface Response {
  readonly description: string
  readonly paged: boolean
  readonly examples: JsonObject
}

/** One generated description: `api.github.com`, or a release of Enterprise Server such as `ghes-3.19`. Each is read once. */
export function readDescription(description: string): Description {
  const known = descriptions.get(description) ?? parseDescription(description)
  descriptions.set(description, known)
  return known
}

/** Half a second and 13 MB of JSON each. */
const descriptions = new Map<string, Description>()

function parseDescription(description: string): Description {
  const file = createRequire(import.meta.url).resolve(`@octokit/openapi/generated/${description}.json`)
  const document: { paths: Record<string, JsonObject> } = JSON.parse(readFileSync(file, 'utf8'))
  const resolve: Resolve = (value) => inlined(document, value)
  const operations = Object.entries(document.paths).flatMap(([template, item]) =>
    ['get', 'post', 'put', 'patch', 'delete'].flatMap((method) => {
      const raw = item[method]
      return isObject(raw) ? [operationOf({ method: method.toUpperCase(), template, raw, resolve })] : []
    }),
  )
  // A path that fits several templates belongs to the one that says most of it: /repos/{owner}/{repo}/issues/comments.
  operations.sort((a, b) => literals(b.template) - literals(a.template))
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
  const check: Check = (schema, value, where) => {
    const validate = ajv.compile(schema)
    return validate(value) ? [] : (validate.errors ?? []).map((error) => `${where}${error.instancePath} ${error.message ?? ''}`)
  }
  return {
    match(method, path) {
      for (const operation of operations) {
        const found = operation.method === method ? operation.pattern.exec(path) : null
        if (found) return { operation, params: paramsOf(operation, found) }
      }
      return undefined
    },
    answer: answerOf,
    faults: (operation, request) => [
      ...parameterFaults(operation, request, check),
      ...bodyFaults(operation, request.body, check),
    ],
  }
}

function operationOf(source: { method: string; template: string; raw: JsonObject; resolve: Resolve }): Operation {
  const { method, template, raw, resolve } = source
  const parameters = objects(resolve(raw['parameters'])).map((parameter) => ({
    name: String(parameter['name']),
    place: String(parameter['in']),
    required: parameter['required'] === true,
    schema: objectIn(parameter, 'schema'),
    multiSegment: parameter['x-multi-segment'] === true,
  }))
  return {
    operationId: String(raw['operationId']),
    method,
    template,
    pattern: patternOf(template, parameters),
    parameters,
    // Bodies and answers are deep trees of references: only those of a requested operation are looked up.
    body: once(() => {
      const body = resolve(raw['requestBody'])
      return isObject(body)
        ? { required: body['required'] === true, schema: objectIn(body, 'content', 'application/json', 'schema') }
        : undefined
    }),
    responses: once(() => responsesOf(objectIn(raw, 'responses'), resolve)),
  }
}

function patternOf(template: string, parameters: readonly Parameter[]): RegExp {
  const source = template.split(/(\{[^}]+\})/).map((part) => {
    if (!part.startsWith('{')) return RegExp.escape(part)
    return parameters.some(({ name, multiSegment }) => multiSegment && `{${name}}` === part) ? '(.*)' : '([^/]+?)'
  })
  return new RegExp(`^${source.join('')}$`)
}

function paramsOf({ template }: Operation, found: RegExpExecArray): Params {
  const names = [...template.matchAll(/\{([^}]+)\}/g)]
  return Object.fromEntries(names.map(([, name = ''], index) => [name, found[index + 1] ?? '']))
}

function responsesOf(responses: JsonObject, resolve: Resolve): ReadonlyMap<number, Response> {
  const entries = Object.entries(responses).map(([code, raw]): [number, Response] => {
    // The schemas, by far the largest part, stay unread: answers are given, never checked.
    const response = isObject(raw) && '$ref' in raw ? resolve(raw) : raw
    if (!isObject(response)) return [Number(code), { description: '', paged: false, examples: {} }]
    const contents = objectIn(response, 'content')
    const media = contents['application/json'] ?? Object.values(contents)[0]
    return [
      Number(code),
      {
        description: String(response['description']),
        paged: 'Link' in objectIn(response, 'headers'),
        examples: objectIn(resolve(objectIn(media, 'examples'))),
      },
    ]
  })
  return new Map(entries)
}

function answerOf(operation: Operation, { status, example }: { status?: number; example?: string } = {}): Answer {
  const responses = operation.responses()
  const codes = [...responses.keys()]
  const code = status ?? codes.find((each) => each < 300) ?? codes[0] ?? 204
  const { examples = {}, paged = false, description = 'Error' } = responses.get(code) ?? {}
  const chosen = example === undefined ? Object.values(examples)[0] : examples[example]
  if (example !== undefined && !chosen)
    throw new Error(`${operation.operationId} ${code} has ${Object.keys(examples).join(', ')}`)
  // Most refusals have a schema only, of which `message` is the one part everybody reads.
  const refusal = code >= 400 ? { message: description, status: String(code) } : undefined
  return { status: code, body: isObject(chosen) ? exampleValue(chosen) : refusal, paged }
}

/** The value of some examples is a reference to another example, which wraps the value once more. */
function exampleValue({ value }: JsonObject): unknown {
  const wraps = isObject(value) && 'value' in value && Object.keys(value).every((key) => WRAPPING.test(key))
  return wraps ? value['value'] : value
}

const WRAPPING = /^(?:value|summary|description|x-.*)$/

function parameterFaults(
  { parameters }: Operation,
  { params, query }: { params: Params; query: URLSearchParams },
  check: Check,
): string[] {
  const inPath = parameters.filter(({ place }) => place === 'path')
  const inQuery = parameters.filter(({ place }) => place === 'query')
  return [
    ...inPath.flatMap(({ name, schema }) => check(schema, plain(decodeURIComponent(params[name] ?? ''), schema), name)),
    ...inQuery.flatMap(({ name, schema, required }) => {
      const value = query.get(name)
      if (value === null) return required ? [`${name} is missing`] : []
      return check(schema, plain(value, schema), name)
    }),
    ...[...query.keys()].filter((key) => !inQuery.some(({ name }) => name === key)).map((key) => `${key} is not a parameter`),
  ]
}

function bodyFaults(operation: Operation, body: unknown, check: Check): string[] {
  const described = operation.body()
  if (body === undefined) return described?.required ? ['the body is missing'] : []
  if (!described) return ['the operation takes no body']
  const known = described.schema['properties']
  const unknown = isObject(known) && isObject(body) ? Object.keys(body).filter((key) => !Object.hasOwn(known, key)) : []
  return [...check(described.schema, body, 'body'), ...unknown.map((key) => `body/${key} is not a property`)]
}

/** A copy of `value` with every reference replaced by what it points to; a reference inside itself becomes `{}`. */
function inlined(document: unknown, value: unknown, open: readonly string[] = []): unknown {
  if (Array.isArray(value)) return value.map((each) => inlined(document, each, open))
  if (!isObject(value)) return value
  const reference = value['$ref']
  if (typeof reference === 'string')
    return open.includes(reference) ? {} : inlined(document, pointed(document, reference), [...open, reference])
  const copy = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inlined(document, each, open)]))
  // OpenAPI 3.0's `nullable` beside `oneOf`: JSON Schema says it in another way.
  const { nullable, ...schema } = copy
  return nullable === true && !('type' in copy) ? { anyOf: [schema, { type: 'null' }] } : copy
}

function pointed(document: unknown, reference: string): unknown {
  const keys = reference
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  return keys.reduce((node, key) => (isObject(node) ? node[key] : undefined), document)
}

/** Path and query are text: the value the schema means. */
function plain(text: string, { type }: JsonObject): unknown {
  if (type === 'integer' || type === 'number') return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  return text
}

function literals(template: string): number {
  return template.replaceAll(/\{[^}]+\}/g, '').length
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined
  return () => (made ??= { value: make() }).value
}

/** The object at a path of keys; an empty one where there is none. */
function objectIn(value: unknown, ...keys: readonly string[]): JsonObject {
  const found = keys.reduce((node, key) => (isObject(node) ? node[key] : undefined), value)
  return isObject(found) ? found : {}
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
