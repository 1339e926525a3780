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

/** Whatever was thrown, as it can be sent. Of causes only those behind the host's own errors go along. */
export function writeThrown(thrown: unknown): WireError {
  if (thrown instanceof HostError)
    return {
      kind: 'host',
      code: thrown.code,
      message: cut(thrown.message),
      fix: thrown.fix.map(cut),
      ...(thrown.cause === undefined ? {} : { cause: writeThrown(thrown.cause) }),
    }
  if (isError(thrown) && thrown instanceof ServiceError)
    return {
      kind: 'service',
      code: thrown.code,
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
 * The error that the other process threw. What is no error is one all the same. From a plugin, `trusted` is false: it must not make an
 * error that the host decides by.
 */
export function readThrown(wire: unknown, trusted: boolean): Error {
  const read = isObject(wire) ? wire : {}
  const message = textAt(read, 'message') ?? 'an error that cannot be read'
  const code = textAt(read, 'code')
  if (read['kind'] === 'invalid') return new InvalidResult(message)
  if (read['kind'] === 'service' && isServiceCode(code)) return serviceError(code, message, read)
  if (read['kind'] === 'host' && isHostCode(code, trusted)) {
    const fix = Array.isArray(read['fix']) ? read['fix'].filter((step) => typeof step === 'string').map(cut) : []
    return new HostError(code, message, fix, read['cause'] === undefined ? undefined : readThrown(read['cause'], trusted))
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
  return typeof value === 'string' ? cut(value) : undefined
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}
