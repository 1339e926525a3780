import { LeftOut } from '../document/left-out.ts'
import { followed } from '../document/references.ts'
import type { SchemaReader } from '../document/schemas.ts'
import { isObject, listOf, objectOf, type JsonObject } from '../json.ts'
import type { Writing } from './serialize.ts'

/** One argument of a tool, and where its value goes. */
export interface Parameter extends Writing {
  /** The name in the tool's input: what models are allowed to write. */
  readonly argument: string
  readonly place: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly schema: unknown
}

export interface ParameterOptions {
  readonly schemas: SchemaReader
  /** What the host fills in is not asked for. */
  readonly isCredential: (place: unknown, name: string) => boolean
}

/**
 * The parameters of an operation and of its path. Throws `LeftOut` for a required one that the host does not send, such as a cookie;
 * optional ones of that kind are not offered.
 */
export function readParameters(
  document: JsonObject,
  lists: readonly unknown[],
  { schemas, isCredential }: ParameterOptions,
): readonly Parameter[] {
  const byPlace = new Map<string, JsonObject>()
  for (const each of lists.flatMap(listOf)) {
    const parameter = followed(document, each)
    byPlace.set(`${String(parameter['in'])} ${String(parameter['name'])}`, parameter)
  }
  const taken = new Set(['body'])
  return [...byPlace.values()].flatMap((parameter) => {
    if (isCredential(parameter['in'], String(parameter['name']))) return []
    const read = readParameter(parameter, schemas)
    if (!read) return []
    const argument = freeName(read.name, read.place, taken)
    taken.add(argument)
    return [{ ...read, argument }]
  })
}

function readParameter(parameter: JsonObject, schemas: SchemaReader): Omit<Parameter, 'argument'> | undefined {
  const { name, in: place, description } = parameter
  if (typeof name !== 'string' || name === '') throw new LeftOut('one of its parameters has no name')
  const required = parameter['required'] === true || place === 'path'
  const refuse = (why: string) => {
    if (required) throw new LeftOut(`its required parameter ${JSON.stringify(name)} ${why}`)
    return undefined
  }
  if (place === 'cookie') return refuse('is a cookie, which the host does not send')
  if (place !== 'path' && place !== 'query' && place !== 'header')
    throw new LeftOut(`its parameter ${JSON.stringify(name)} is in ${JSON.stringify(place)}`)
  if (place === 'header') {
    // OpenAPI: these three are not parameters.
    if (/^(?:accept|content-type|authorization)$/i.test(name)) return undefined
    if (HOST_ONLY.test(name)) return refuse('is a header that only the host sets')
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return refuse('is not the name of a header')
  }
  const [media, content] = Object.entries(objectOf(parameter['content']))[0] ?? []
  if (media !== undefined && !/[/+]json\b/i.test(media)) return refuse(`is written as ${media}`)
  const style = typeof parameter['style'] === 'string' ? parameter['style'] : place === 'query' ? 'form' : 'simple'
  if (!STYLES[place].includes(style)) return refuse(`has the style ${JSON.stringify(style)}`)
  const schema = schemas.read(media === undefined ? (parameter['schema'] ?? {}) : objectOf(content)['schema'])
  const said = isObject(schema) && typeof schema['description'] === 'string'
  return {
    name,
    place,
    required,
    style,
    explode: typeof parameter['explode'] === 'boolean' ? parameter['explode'] : style === 'form',
    allowReserved: parameter['allowReserved'] === true || (place === 'path' && parameter['x-multi-segment'] === true),
    asJson: media !== undefined,
    schema: isObject(schema) && !said && typeof description === 'string' ? { ...schema, description } : schema,
  }
}

/** Credentials, and what decides where a request goes or which method it is. */
const HOST_ONLY =
  /^(?:x-api-key|cookie2?|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-length|accept-encoding|http2-settings|proxy-.*|x-http-method(?:-override)?|x-method-override|x-original-url|x-rewrite-url)$/i

const STYLES: Readonly<Record<Parameter['place'], readonly string[]>> = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
}

/** Model APIs take 64 characters of letters, digits, `_`, `.` and `-`. */
function freeName(name: string, place: string, taken: ReadonlySet<string>): string {
  const plain =
    name
      .replaceAll(/[^A-Za-z0-9_.-]+/g, '_')
      .replaceAll(/^_+|_+$/g, '')
      .slice(0, 56) || place
  if (!taken.has(plain)) return plain
  for (let more = 1; ; more++) {
    const other = more === 1 ? `${plain}_${place}` : `${plain}_${more}`
    if (!taken.has(other)) return other
  }
}
