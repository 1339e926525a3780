/** What went wrong at the service, in the words the host, its metrics and a model understand. */
export type ServiceErrorCode =
  | 'AUTHENTICATION_FAILED'
  | 'PERMISSION_DENIED'
  | 'NOT_FOUND'
  | 'RATE_LIMITED'
  | 'INVALID_INPUT'
  | 'UPSTREAM_FAILED'
  | 'TIMEOUT'

export interface ServiceErrorOptions {
  /** What the reader can do about it, in one sentence. */
  readonly fix?: string
  /** For `RATE_LIMITED`: how long to wait. */
  readonly retryAfterMs?: number
  /** The original error. It goes to the host's log, never to the client. */
  readonly cause?: unknown
}

const brand = Symbol.for('@mcp-patchbay/plugin-api.ServiceError')

/**
 * The error a plugin throws to tell a caller what happened. Its message reaches the model as an `isError` result, so write it for
 * that reader and keep secrets out. Anything else that is thrown becomes `INTERNAL` with a request id. `http` throws these already mapped.
 */
export class ServiceError extends Error {
  readonly code: ServiceErrorCode
  readonly fix: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: ServiceErrorCode, message: string, { fix, retryAfterMs, cause }: ServiceErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ServiceError'
    this.code = code
    this.fix = fix
    this.retryAfterMs = retryAfterMs
    Object.defineProperty(this, brand, { value: true })
  }

  /** Holds across copies of this package: a plugin may bring its own. A subclass is an ordinary class and matches only its own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== ServiceError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && brand in value
  }
}

/** The code that an HTTP status of a service stands for; undefined below 400. The host's `http` and `fakeHttp` agree by it. */
export function serviceErrorCode(status: number): ServiceErrorCode | undefined {
  if (status < 400) return undefined
  if (status >= 500) return 'UPSTREAM_FAILED'
  return STATUS_CODES.get(status) ?? 'INVALID_INPUT'
}

const STATUS_CODES: ReadonlyMap<number, ServiceErrorCode> = new Map([
  [401, 'AUTHENTICATION_FAILED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [408, 'TIMEOUT'],
  [410, 'NOT_FOUND'],
  [429, 'RATE_LIMITED'],
])
