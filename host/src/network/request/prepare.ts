import type { CredentialPlacement, HttpRequest } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { hostError } from '../../errors.ts'
import { mayChange, maySend, METHODS, type Method, type Rights } from './access.ts'
import { brief } from './brief.ts'
import { traceFields, type TraceContext } from '../../observability/tracing/trace-context.ts'
import { credentialHeaders, credentialQueries } from './placed-credential.ts'
import type { Exchange } from './upstream-exchange.ts'
import { headerProblem, mergeHeaders } from './headers.ts'
import type { NetworkLimits } from '../resilience/limits.ts'
import { encodeBody, type RequestBody } from './request-body.ts'
import { ACCEPT_ENCODING } from '../response/response-body.ts'
import { HINTS_ELSEWHERE, nameOf, withoutValues, type Hints, type Subject } from './subject.ts'
import { resolveTarget, type Reach } from '../connect/target.ts'

/** A request that may be sent, but for its credential. */
export type Prepared = Omit<Exchange, 'signal' | 'timeLeftMs'>

export interface Asked {
  readonly path: string
  readonly options: HttpRequest
  readonly rights: Rights
  /** What the plugin means to do with the body; its own `Accept` wins. */
  readonly accept: string
  /** For the service alone; a plugin that traces itself says more. */
  readonly trace?: TraceContext | undefined
}

export interface PreparationOptions {
  readonly reach: Reach
  readonly placement: CredentialPlacement | undefined
  /** The plugin's headers for every request. */
  readonly headers: Readonly<Record<string, string>>
  readonly userAgent?: string | undefined
  readonly limits: NetworkLimits
  readonly hints: Hints
  readonly redact: (text: string) => string
}

/**
 * The checks that every request passes before anything is sent. What it returns throws `INVALID_INPUT` or `PERMISSION_DENIED`;
 * making it throws `SERVICE_HEADER_INVALID` for a header the plugin may not have.
 */
export function createPreparation(setup: PreparationOptions): (asked: Asked) => Prepared {
  const { reach, limits, hints, redact } = setup
  const credentials: ReadonlySet<string> = new Set(credentialHeaders(setup.placement))
  const keys = credentialQueries(setup.placement)
  for (const [header, value] of Object.entries(setup.headers)) {
    const problem = headerProblem(header, value, credentials)
    if (problem) throw hostError('SERVICE_HEADER_INVALID', { plugin: reach.instance, header, problem })
  }

  return ({ path, options, rights, accept, trace }) => {
    const method = readMethod(options.method, reach.instance)
    const target = resolveTarget(reach, path, options.query)
    const subject: Subject = {
      instance: reach.instance,
      method,
      path: withoutValues(target.zone === 'service' ? target.path : target.url.origin + target.path, target.url),
      hints: target.zone === 'service' ? hints : HINTS_ELSEWHERE,
      mayChange: mayChange(method, rights),
      redact,
    }
    if (!maySend(method, target, rights))
      throw new ServiceError('PERMISSION_DENIED', `${nameOf(subject)} was not sent: it may write, and this call may only read`, {
        fix: "Declare the tool with access: 'write', or, if this reads, name the path in its safePaths",
      })
    const own = options.headers ?? {}
    for (const [header, value] of Object.entries(own)) {
      const problem = headerProblem(header, value, credentials)
      if (!problem) continue
      throw new ServiceError('INVALID_INPUT', `${nameOf(subject)} was not sent: its header "${brief(header, 60)}" ${problem}`, {
        fix: 'Leave the header out, or correct its value, in the plugin',
      })
    }
    const taken = target.zone === 'service' && keys.find((key) => target.url.searchParams.has(key))
    if (taken)
      throw new ServiceError(
        'INVALID_INPUT',
        `${nameOf(subject)} was not sent: "${brief(taken, 60)}" in its query is a credential, which the host puts on the request itself`,
        { fix: 'Leave it out in the plugin' },
      )
    const body = readBody(options.body, subject)
    const usual = {
      ...(target.zone === 'service' && traceFields(trace)),
      accept,
      'user-agent': setup.userAgent ?? 'patchbay',
      ...(body.contentType ? { 'content-type': body.contentType } : {}),
    }
    return {
      target,
      method,
      headers: mergeHeaders(usual, setup.headers, own, { 'accept-encoding': ACCEPT_ENCODING }),
      body: body.bytes,
      rights,
      limits: ownLimits(limits, options),
      subject,
    }
  }
}

function readMethod(method: unknown, instance: string): Method {
  const known = METHODS.find((name) => name === (method ?? 'GET'))
  if (known) return known
  throw new ServiceError('INVALID_INPUT', `${instance}: "${brief(String(method), 40)}" is not a method that can be sent`, {
    fix: `Use one of ${METHODS.join(', ')}, in capitals`,
  })
}

function readBody(body: unknown, subject: Subject): RequestBody {
  try {
    return encodeBody(body)
  } catch (cause) {
    throw new ServiceError('INVALID_INPUT', `${nameOf(subject)} was not sent: its body cannot be written as JSON`, {
      fix: 'Give a string, bytes, or a value without cycles, bigints and functions',
      cause,
    })
  }
}

/** A request may wait longer than usual, up to what a timer can count, but not take more memory than the operator allows. */
function ownLimits(limits: NetworkLimits, { timeoutMs, maxBytes }: HttpRequest): NetworkLimits {
  const ms = isPositive(timeoutMs) ? Math.min(timeoutMs, LONGEST_TIMER) : undefined
  return {
    ...limits,
    ...(ms === undefined ? {} : { headersMs: ms, bodyMs: ms }),
    ...(isPositive(maxBytes) ? { responseBytes: Math.min(Math.ceil(maxBytes), limits.responseBytes) } : {}),
  }
}

const LONGEST_TIMER = 2 ** 31 - 1

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && value > 0
}
