import { ServiceError } from '@mcp-patchbay/plugin-api'
import { LeftOut } from '../document/left-out.ts'
import { followed } from '../document/references.ts'
import type { SchemaReader } from '../document/schemas.ts'
import { isObject, objectOf, type JsonObject } from '../json.ts'
import { formBoundary, multipart } from './multipart.ts'
import { queryPairs, textOf } from './serialize.ts'

/** The body of a request: what the argument `body` may be, and how it is sent. */
export interface Body {
  readonly required: boolean
  readonly schema: unknown
  /** Throws `INVALID_INPUT` for what cannot be written. */
  readonly write: (value: unknown) => { readonly body: string | Uint8Array; readonly contentType: string }
}

/** The first form of the body that this plugin writes, JSON before others. Throws `LeftOut` for a body of other forms only. */
export function readBody(document: JsonObject, requestBody: unknown, schemas: SchemaReader): Body | undefined {
  if (requestBody === undefined) return undefined
  const { content, required, description } = followed(document, requestBody)
  const forms = Object.entries(objectOf(content))
  if (forms.length === 0) return undefined
  for (const [isOf, make] of FORMS) {
    const found = forms.find(([media]) => isOf.test(media))
    if (!found) continue
    const [media, of] = found
    const form = make(schemas, objectOf(of), media)
    const schema =
      isObject(form.schema) && form.schema['description'] === undefined && typeof description === 'string'
        ? { ...form.schema, description }
        : form.schema
    return { ...form, schema, required: required === true }
  }
  if (required !== true) return undefined
  throw new LeftOut(`its body is ${forms.map(([media]) => media.slice(0, 100)).join(' or ')}, which this plugin does not write`)
}

type Form = (schemas: SchemaReader, of: JsonObject, media: string) => Omit<Body, 'required'>

const json: Form = (schemas, { schema }, media) => ({
  schema: schemas.read(schema ?? {}),
  write: (value) => ({ body: JSON.stringify(value), contentType: media.includes('*') ? 'application/json' : media }),
})

const form: Form = (schemas, { schema, encoding }) => ({
  schema: objectSchema(schemas, schema, 'application/x-www-form-urlencoded'),
  write(value) {
    const pairs = Object.entries(objectOf(value)).flatMap(([name, each]) => {
      const { style, explode, contentType } = objectOf(objectOf(encoding)[name])
      const asJson = isObject(each) && style === undefined && explode === undefined
      const written = typeof style === 'string' ? style : 'form'
      return queryPairs(
        {
          name,
          style: written,
          explode: typeof explode === 'boolean' ? explode : written === 'form',
          allowReserved: false,
          asJson: asJson || (typeof contentType === 'string' && /[/+]json\b/.test(contentType)),
        },
        each,
      )
    })
    return { body: pairs.join('&'), contentType: 'application/x-www-form-urlencoded' }
  },
})

const parts: Form = (schemas, { schema }) => {
  const whole = schemas.shallow(schema)
  const properties = objectOf(whole['properties'])
  const files = new Set(
    Object.keys(properties).filter((name) => {
      const property = schemas.shallow(properties[name])
      return isBinary(property) || (property['type'] === 'array' && isBinary(schemas.shallow(property['items'])))
    }),
  )
  const read = objectSchema(schemas, { ...whole, properties }, 'multipart/form-data')
  const described = Object.entries(objectOf(read['properties'])).map(([name, property]): [string, unknown] => [
    name,
    files.has(name) ? fileSchema(objectOf(property)) : property,
  ])
  return {
    schema: { ...read, properties: Object.fromEntries(described) },
    write(value) {
      const boundary = formBoundary()
      const fields = Object.entries(objectOf(value)).flatMap(([name, each]) =>
        (Array.isArray(each) ? (each as readonly unknown[]) : [each]).map((one) =>
          files.has(name)
            ? { name, file: name, type: 'application/octet-stream', data: bytesOf(one, name) }
            : isObject(one)
              ? { name, type: 'application/json', data: Buffer.from(JSON.stringify(one)) }
              : { name, data: Buffer.from(textOf(one)) },
        ),
      )
      return { body: multipart(fields, boundary), contentType: `multipart/form-data; boundary=${boundary}` }
    },
  }
}

const text: Form = (_schemas, _of, media) => ({
  schema: { type: 'string', description: `The body of the request, ${media}` },
  write: (value) => ({ body: textOf(value), contentType: media.includes('*') ? 'text/plain' : media }),
})

const bytes: Form = (_schemas, _of, media) => ({
  schema: { ...fileSchema({}), description: `The bytes of the body, ${media}, in base64` },
  write: (value) => ({ body: bytesOf(value, 'body'), contentType: media.includes('*') ? 'application/octet-stream' : media }),
})

const FORMS: readonly (readonly [RegExp, Form])[] = [
  [/^application\/json\b|\+json\b|^\*\/\*|^application\/\*/i, json],
  [/^application\/x-www-form-urlencoded\b/i, form],
  [/^multipart\/form-data\b/i, parts],
  [/^text\/|^application\/(?:xml|x-ndjson|yaml)\b|\+xml\b/i, text],
  [/^application\/octet-stream\b|^(?:image|audio|video)\//i, bytes],
]

function objectSchema(schemas: SchemaReader, schema: unknown, media: string): JsonObject {
  const whole = schemas.shallow(schema)
  if (!isObject(whole['properties']) && whole['type'] !== 'object') throw new LeftOut(`its body is ${media} without named fields`)
  return objectOf(schemas.read(whole))
}

function isBinary({ type, format, contentMediaType, contentEncoding }: JsonObject): boolean {
  return (
    format === 'binary' || type === 'file' || (contentMediaType === 'application/octet-stream' && contentEncoding === undefined)
  )
}

function fileSchema({ type, description, ...schema }: JsonObject): JsonObject {
  const file = { type: 'string', contentEncoding: 'base64' }
  const said = `${typeof description === 'string' ? `${description} ` : ''}The bytes of the file, in base64`
  return type === 'array' ? { ...schema, type, items: file, description: said } : { ...file, description: said }
}

function bytesOf(value: unknown, name: string): Uint8Array {
  if (typeof value === 'string' && /^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value)) return Buffer.from(value, 'base64')
  throw new ServiceError('INVALID_INPUT', `${name} is not base64`, { fix: 'Give the bytes in base64' })
}
