import { ServiceError } from '@mcp-patchbay/plugin-api'
import { isObject } from '../json.ts'

/** How the value of one parameter is written: `style` and `explode` of OpenAPI. */
export interface Writing {
  readonly name: string
  readonly style: string
  readonly explode: boolean
  /** Reserved characters such as `/` stay as they are. */
  readonly allowReserved: boolean
  /** The value is written as JSON, whatever the style. */
  readonly asJson: boolean
}

/** The text for a path, encoded. Throws `INVALID_INPUT` for a value that would reach another path. */
export function pathText({ name, style, explode, allowReserved, asJson }: Writing, value: unknown): string {
  const encode = allowReserved ? encodeSegments : encodeURIComponent
  const separator = style === 'label' ? '.' : style === 'matrix' ? ';' : ','
  const between = explode ? separator : ','
  const parts = asJson ? [JSON.stringify(value)] : flat(value, explode)
  const texts = parts.map((part) =>
    typeof part === 'string' ? encode(part.toWellFormed()) : part.map((one) => encode(one.toWellFormed())).join('='),
  )
  const text =
    style !== 'matrix'
      ? texts.join(between)
      : explode
        ? texts.map((one, index) => (typeof parts[index] === 'string' ? `${name}=${one}` : one)).join(';')
        : `${name}=${texts.join(',')}`
  const whole = style === 'label' ? `.${text}` : style === 'matrix' ? `;${text}` : text
  if (whole.split('/').some((segment) => segment === '' || segment === '.' || segment === '..'))
    throw new ServiceError('INVALID_INPUT', `"${whole.slice(0, 100)}" cannot be ${name}, which is part of a path`, {
      fix: 'Give a plain name',
    })
  return whole
}

/** The pairs for a query or a form, encoded: `a=1`. */
export function queryPairs({ name, style, explode, allowReserved, asJson }: Writing, value: unknown): readonly string[] {
  const encode = allowReserved ? encodeReserved : encodeText
  const pair = (key: string, text: string) => `${encodeText(key)}=${encode(text)}`
  if (asJson) return [pair(name, JSON.stringify(value))]
  if (style === 'deepObject') return deepPairs(name, value).map(([key, text]) => pair(key, text))
  if (Array.isArray(value)) {
    if (explode && style === 'form') return value.map((each) => pair(name, textOf(each)))
    const separator = style === 'spaceDelimited' ? '%20' : style === 'pipeDelimited' ? '|' : ','
    return value.length > 0 ? [`${encodeText(name)}=${value.map((each) => encode(textOf(each))).join(separator)}`] : []
  }
  if (isObject(value)) {
    const entries = Object.entries(value)
    if (explode) return entries.map(([key, each]) => pair(key, textOf(each)))
    return [`${encodeText(name)}=${entries.flatMap(([key, each]) => [encode(key), encode(textOf(each))]).join(',')}`]
  }
  return [pair(name, textOf(value))]
}

/** The text of a header. Throws `INVALID_INPUT` for what no header may hold. */
export function headerText({ name, explode, asJson }: Writing, value: unknown): string {
  const text = asJson
    ? JSON.stringify(value)
    : flat(value, explode)
        .map((part) => (typeof part === 'string' ? part : part.join('=')))
        .join(',')
  if (/[^\t\x20-\x7e]/.test(text))
    throw new ServiceError('INVALID_INPUT', `The value of ${name} goes into a header, which holds plain ASCII text only`, {
      fix: 'Leave out line breaks and letters outside of ASCII',
    })
  return text
}

/** Texts, and pairs where an exploded object has keys. */
function flat(value: unknown, explode: boolean): readonly (string | readonly [string, string])[] {
  if (Array.isArray(value)) return value.map(textOf)
  if (!isObject(value)) return [textOf(value)]
  const entries = Object.entries(value).map(([key, each]) => [key, textOf(each)] as const)
  return explode ? entries : entries.flat()
}

function deepPairs(name: string, value: unknown): readonly (readonly [string, string])[] {
  if (Array.isArray(value)) return value.flatMap((each) => deepPairs(isObject(each) ? `${name}[]` : name, each))
  if (!isObject(value)) return [[name, textOf(value)]]
  return Object.entries(value).flatMap(([key, each]) => deepPairs(`${name}[${key}]`, each))
}

export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return value === null || value === undefined ? '' : JSON.stringify(value)
}

function encodeText(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

function encodeSegments(text: string): string {
  return text.split('/').map(encodeURIComponent).join('/')
}

/** RFC 3986's reserved characters, without those that would end the value. */
function encodeReserved(text: string): string {
  return encodeText(text).replaceAll(/%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi, decodeURIComponent)
}
