import { open } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import type { HttpClient } from '@mcp-patchbay/plugin-api'
import { upgrade } from '@scalar/openapi-upgrader'
import { parse } from 'yaml'
import { isObject, type JsonObject } from '../json.ts'
import { requireBounded } from './bounds.ts'

/** Where a description is, and how much of it is read. */
export interface Source {
  readonly document: string
  readonly apiUrl: string | undefined
  readonly maxBytes: number
}

/**
 * The description as OpenAPI 3.1, whichever version it is written in. Nothing that it refers to is loaded. Throws an `Error` that names
 * the document and the place for what cannot be read, is too large or too deep, or is not a description.
 */
export async function readDocument(source: Source, http: HttpClient): Promise<JsonObject> {
  const text = /^https?:/i.test(source.document) ? await fetchText(source, http) : await readText(source)
  const value = parseText(text, source.document)
  if (!isObject(value) || !(isVersion(value['openapi'], '3.') || isVersion(value['swagger'], '2.0')))
    throw new Error(`${source.document} is not an OpenAPI description: it needs "openapi: 3.x" or "swagger: '2.0'" at its top`)
  requireBounded(value, source.document)
  try {
    const upgraded: unknown = upgrade(withTextVersion(value), '3.1')
    return isObject(upgraded) ? upgraded : value
  } catch (cause) {
    throw new Error(
      `${source.document} cannot be read as OpenAPI 3.1: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
}

/** YAML reads an unquoted version as a number. */
function withTextVersion(value: JsonObject): JsonObject {
  const { openapi, swagger } = value
  if (typeof swagger === 'number') return { ...value, swagger: '2.0' }
  return typeof openapi === 'number' ? { ...value, openapi: `${openapi}.0` } : value
}

function isVersion(value: unknown, start: string): boolean {
  return (
    (typeof value === 'string' || typeof value === 'number') &&
    (String(value).startsWith(start) || Number(value) === Number(start))
  )
}

async function readText({ document, maxBytes }: Source): Promise<string> {
  if (!isAbsolute(document))
    throw new Error(
      `document is "${document}", which is not an absolute path. Write use: ${JSON.stringify(`openapi:${document}`)} in the entry, which is relative to the config file`,
    )
  try {
    await using file = await open(document)
    const stat = await file.stat()
    if (!stat.isFile()) throw new Error('it is not a file')
    if (stat.size > maxBytes) throw tooLarge(document, stat.size, maxBytes)
    return await file.readFile('utf8')
  } catch (cause) {
    if (cause instanceof RangeError) throw cause
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'ERR_ACCESS_DENIED')
      throw new Error(
        `This plugin may not read ${document}. Grant it: capabilities: { fs: { read: [${JSON.stringify(document)}] } }`,
        { cause },
      )
    throw new Error(`${document} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

async function fetchText({ document, apiUrl = '', maxBytes }: Source, http: HttpClient): Promise<string> {
  const base = apiUrl.replace(/\/+$/, '')
  if (apiUrl === '' || !document.startsWith(`${base}/`))
    throw new Error(
      `document is ${document}, which does not begin with apiUrl${apiUrl === '' ? ', which is not set' : ` (${apiUrl})`}. Save the description in a file and name that`,
    )
  return http.text(document.slice(base.length), {
    maxBytes,
    headers: { accept: 'application/json, application/yaml;q=0.9, */*;q=0.5' },
  })
}

function tooLarge(document: string, bytes: number, limit: number): RangeError {
  return new RangeError(`${document} has ${bytes} bytes, and maxDocumentBytes is ${limit}`)
}

function parseText(text: string, document: string): unknown {
  const plain = text.replace(/^\uFEFF/, '')
  try {
    return /^\s*\{/.test(plain) ? (JSON.parse(plain) as unknown) : (parse(plain, { logLevel: 'error' }) as unknown)
  } catch (cause) {
    throw new Error(
      `${document} is neither JSON nor YAML: ${(cause instanceof Error ? cause.message : String(cause)).slice(0, 500)}`,
      { cause },
    )
  }
}
