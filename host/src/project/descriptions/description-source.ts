import { readFile } from 'node:fs/promises'
import { extname, posix, relative, resolve, sep } from 'node:path'
import { isSafeUrl } from '../../config/schema/secure-url.ts'
import { parseYamlText } from '../../config/source/written-yaml.ts'
import { isObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'
import { messageOf } from '../../observability/thrown.ts'

/** An OpenAPI description that is to become a plugin, as far as the entry needs to know it. */
export interface DescriptionSource {
  /** The file, absolute, or the address. */
  readonly place: string
  readonly isAddress: boolean
  /** Where the API is: the first server with a whole address; undefined where it names none. */
  readonly server: string | undefined
  /** What its title, or else its file, is as the name of an instance; undefined where both say nothing. */
  readonly name: string | undefined
}

/** Reads a description: a file relative to `cwd`, or an https address (http on loopback). Throws `INSTALL_SPEC`. */
export async function readDescription(text: string, cwd: string): Promise<DescriptionSource> {
  const refuse = (why: string, cause?: unknown) => hostError('INSTALL_SPEC', { spec: text, why }, cause)
  if (text === '') throw refuse('the file or the address is missing')
  const isAddress = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
  if (isAddress && !isSafeUrl(text)) throw refuse('an address begins with https://, or with http:// on this machine')
  const place = isAddress ? text : resolve(cwd, text)
  const written = await (isAddress ? fetchText(text) : readFile(place, 'utf8')).catch((error: unknown) => {
    // fetch rejects with "fetch failed"; the cause of that error has the reason.
    const why = error instanceof TypeError && error.cause instanceof Error ? error.cause : error
    throw refuse(messageOf(why), error)
  })
  const document = documentIn(written)
  const { openapi, swagger, info } = isObject(document) ? document : {}
  if (openapi === undefined && swagger === undefined) throw refuse('it is not an OpenAPI description')
  const title = isObject(info) && typeof info['title'] === 'string' ? snakeCase(info['title']) : ''
  const file = isAddress ? posix.basename(new URL(text).pathname) : place.slice(place.lastIndexOf(sep) + 1)
  const stem = snakeCase(file.slice(0, file.length - extname(file).length))
  const name = [stem, title].find((word) => /^[a-z]/.test(word) && word.length <= 24 && !GENERIC.test(word))
  return { place, isAddress, server: firstServer(document, isAddress ? text : undefined), name }
}

/** What an entry writes for it, beside the config. */
export function specifierFor({ place, isAddress }: Pick<DescriptionSource, 'place' | 'isAddress'>, configDir: string): string {
  if (isAddress) return `openapi:${place}`
  const path = relative(configDir, place).split(sep).join('/')
  return `openapi:${path.startsWith('.') ? path : `./${path}`}`
}

/** They name every API. */
const GENERIC = /^(?:openapi|swagger|api|apis|spec|schema|docs?|index|description|v\d+)(?:_?(?:json|yaml|v?\d+(?:_\d+)*))?$/

function snakeCase(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
}

/** `servers` of OpenAPI 3, `host` and `basePath` of Swagger 2. A relative one begins at `address`. */
function firstServer(document: unknown, address: string | undefined): string | undefined {
  if (!isObject(document)) return undefined
  const { servers, host, basePath, schemes, swagger, paths } = document
  const path = typeof basePath === 'string' ? basePath : ''
  if (typeof host === 'string') {
    const scheme = Array.isArray(schemes) && !schemes.includes('https') ? String(schemes[0]) : 'https'
    return httpAddress(`${scheme}://${host}${path}`, address)
  }
  if (swagger !== undefined) return httpAddress(path || '/', address)
  // Some name them at each path alone.
  const [first] = isObject(paths) ? Object.values(paths) : []
  const named = servers ?? (isObject(first) ? first['servers'] : undefined)
  for (const server of Array.isArray(named) ? (named as readonly unknown[]) : []) {
    const found = isObject(server) && typeof server['url'] === 'string' ? httpAddress(withVariables(server), address) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** The address with the defaults of its variables. */
function withVariables({ url, variables }: Readonly<Record<string, unknown>>): string {
  return String(url).replaceAll(/\{([^{}]*)\}/g, (whole, name: string) => {
    const variable = isObject(variables) ? variables[name] : undefined
    const value = isObject(variable) ? variable['default'] : undefined
    return typeof value === 'string' ? value : whole
  })
}

/** One with a variable that has no default is none yet. */
function httpAddress(text: string, address: string | undefined): string | undefined {
  const url = text.includes('{') ? null : URL.parse(text, address)
  return url && /^https?:$/.test(url.protocol) ? url.href.replace(/\/$/, '') : undefined
}

function documentIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // YAML; what is wrong with it, the plugin says
  }
  try {
    return parseYamlText(text).toJS()
  } catch {
    return undefined
  }
}

/** The operator names the address, as for `curl`. The host reads it later over the connections of the API itself. */
async function fetchText(address: string): Promise<string> {
  const answer = await fetch(address, { signal: AbortSignal.timeout(FETCH_MS) })
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`)
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of answer.body ?? []) {
    bytes += piece.length
    if (bytes > MOST_BYTES) throw new Error(`${address} has more than ${MOST_BYTES} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

const FETCH_MS = 30_000
/** As much as the plugin reads by default. */
const MOST_BYTES = 20_000_000
