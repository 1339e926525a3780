import type { ServiceErrorCode } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { InvalidResult } from '../../../data/content.ts'
import { isObject } from '../../../data/json.ts'
import { ERROR_CODES, HostError, type ErrorCode } from '../../../errors.ts'
import { isError, messageOf, textOf, valueOf } from '../../../observability/thrown.ts'

/** An error on its way from one process to the other. */
export type WireError =
  | {
      readonly kind: 'service'
      readonly code: string
      readonly message: string
      readonly fix?: string
      readonly retryAfterMs?: number
    }
  | {
      readonly kind: 'host'
      readonly code: string
      readonly message: string
      readonly fix: readonly string[]
      readonly cause?: WireError
    }
  | { readonly kind: 'invalid'; readonly message: string }
  | { readonly kind: 'error'; readonly name: string; readonly message: string; readonly stack?: string }

const MAX_TEXT = 16_384
/** Characters of one error with all its causes: with each of them escaped it still fits into a header. */
const MAX_ALL_TEXT = 32_768
/** Errors, the first one included. More of them say nothing new, and a cause may point back. */
const MAX_CAUSES = 6
const MAX_STEPS = 20

/** Whatever was thrown, as it can be sent. Of causes only those behind the host's own errors go along, and only the first few. */
export function writeThrown(thrown: unknown): WireError {
  const cut = createCut()
  const write = (error: unknown, depth: number): WireError => {
    if (!(error instanceof HostError)) return writeOther(error, cut)
    const message = cut(error.message)
    const hasCause = error.cause !== undefined && depth < MAX_CAUSES
    return {
      kind: 'host',
      code: error.code,
      message,
      fix: error.fix.slice(0, MAX_STEPS).map(cut),
      ...(hasCause ? { cause: write(error.cause, depth + 1) } : {}),
    }
  }
  try {
    return write(thrown, 1)
  } catch {
    // A Proxy, or getters that throw.
    return { kind: 'error', name: 'Error', message: 'an error that cannot be read' }
  }
}

type Cut = (text: string) => string

/** Cuts each text, and all of them together. */
function createCut(): Cut {
  let left = MAX_ALL_TEXT
  return (text) => {
    const most = Math.min(MAX_TEXT, left)
    left -= Math.min(text.length, most)
    return cutText(text, most)
  }
}

function writeOther(thrown: unknown, cut: Cut): WireError {
  if (isError(thrown) && thrown instanceof ServiceError)
    return {
      kind: 'service',
      code: cut(thrown.code),
      message: cut(messageOf(thrown)),
      ...(typeof thrown.fix === 'string' ? { fix: cut(thrown.fix) } : {}),
      ...(typeof thrown.retryAfterMs === 'number' ? { retryAfterMs: thrown.retryAfterMs } : {}),
    }
  if (thrown instanceof InvalidResult) return { kind: 'invalid', message: cut(thrown.message) }
  const stack = isError(thrown) ? textOf(thrown, 'stack') : undefined
  const name = isError(thrown) ? valueOf(thrown, 'name') : undefined
  return {
    kind: 'error',
    name: typeof name === 'string' ? cut(name) : 'Error',
    message: cut(messageOf(thrown)),
    ...(stack === undefined ? {} : { stack: cut(stack) }),
  }
}

/**
 * The error that the other process threw. What is not an error is one all the same. From a plugin, `trusted` is false: it must not make
 * an error that the host decides by. Causes are followed one by one, and only so many of them.
 */
export function readThrown(wire: unknown, trusted: boolean): Error {
  const found: Readonly<Record<string, unknown>>[] = []
  for (let next = wire; found.length < MAX_CAUSES;) {
    const read = isObject(next) ? next : {}
    found.push(read)
    if (read['kind'] !== 'host' || read['cause'] === undefined) break
    next = read['cause']
  }
  return found.reduceRight<Error | undefined>((cause, read) => errorOf(read, cause, trusted), undefined) as Error
}

function errorOf(read: Readonly<Record<string, unknown>>, cause: Error | undefined, trusted: boolean): Error {
  const message = textAt(read, 'message') ?? 'an error that cannot be read'
  const code = textAt(read, 'code')
  if (read['kind'] === 'invalid') return new InvalidResult(message)
  if (read['kind'] === 'service' && isServiceCode(code)) return serviceError(code, message, read)
  if (read['kind'] === 'host' && isHostCode(code, trusted)) {
    const steps = Array.isArray(read['fix']) ? read['fix'].slice(0, MAX_STEPS) : []
    return new HostError(
      code,
      message,
      steps.filter((step) => typeof step === 'string').map((step) => cutText(step, MAX_TEXT)),
      cause,
    )
  }
  const error = new Error(message)
  const name = textAt(read, 'name')
  const stack = textAt(read, 'stack')
  if (name !== undefined) error.name = name
  // Its own stack says where in the plugin it happened, this one only that it came over a pipe.
  if (stack !== undefined) error.stack = stack
  return error
}

function serviceError(code: ServiceErrorCode, message: string, read: Readonly<Record<string, unknown>>): ServiceError {
  const fix = textAt(read, 'fix')
  const { retryAfterMs } = read
  return new ServiceError(code, message, {
    ...(fix === undefined ? {} : { fix }),
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  })
}

const SERVICE_CODES: ReadonlySet<string> = new Set<ServiceErrorCode>([
  'AUTHENTICATION_FAILED',
  'PERMISSION_DENIED',
  'NOT_FOUND',
  'RATE_LIMITED',
  'INVALID_INPUT',
  'UPSTREAM_FAILED',
  'TIMEOUT',
])

function isServiceCode(code: string | undefined): code is ServiceErrorCode {
  return code !== undefined && SERVICE_CODES.has(code)
}

/** What the loader and the cache say in a plugin's process, and nothing else. */
const PLUGIN_SIDE = /^(?:PLUGIN_IMPORT|PIN_FILE|MODULE_[A-Z_]+|CACHE_KEY|CACHE_VALUE)$/

function isHostCode(code: string | undefined, trusted: boolean): code is ErrorCode {
  return code !== undefined && ERROR_CODES.some((known) => known === code) && (trusted || PLUGIN_SIDE.test(code))
}

function textAt(read: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = read[key]
  return typeof value === 'string' ? cutText(value, MAX_TEXT) : undefined
}

function cutText(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text
}
