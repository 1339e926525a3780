import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import { ADDRESS_REFUSED } from './connect/address-guard.ts'
import type { Failed } from './resilience/outcome.ts'
import { PROXY_FAILED } from './connect/proxy.ts'
import type { BodyProblem } from './response/response-body.ts'
import { doubt, fixAfter, nameOf, type Subject } from './request/subject.ts'

/** Nothing came back, or not all of it: what the error of the socket, of TLS or of the parser means. */
export function connectionFailure(error: unknown, subject: Subject): Failed {
  const code = codeOf(error)
  const upstream = (what: string, { retryable, fix }: { retryable: boolean; fix: string }): Failed => ({
    kind: 'failed',
    error: new ServiceError('UPSTREAM_FAILED', `${nameOf(subject)} ${what}`, { fix, cause: error }),
    retryable,
    unhealthy: true,
  })
  const address = `Check that ${subject.hints.baseUrlVariable} is right and that this machine can reach it`

  if (code === ADDRESS_REFUSED)
    return {
      kind: 'failed',
      error: new ServiceError('PERMISSION_DENIED', `${nameOf(subject)} is refused: the host is not at a public address`, {
        fix: 'Give the URL of a public host; a private one is reached only as the base URL of a service, set by the operator',
        cause: error,
      }),
      retryable: false,
      unhealthy: false,
    }
  if (code === PROXY_FAILED)
    return upstream(`failed: the proxy gave no connection (${error instanceof Error ? error.message : code})`, {
      retryable: true,
      fix: 'Check http.proxyUrl of the entry in the config file, and that the proxy may connect to the service',
    })
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT')
    return timeoutFailure('no connection in time', { ...subject, mayChange: false }, error)
  if (code === 'ECONNREFUSED') return upstream('failed: the connection was refused', { retryable: true, fix: address })
  if (code === 'EAI_AGAIN')
    return upstream('failed: the name of the host cannot be resolved now', { retryable: true, fix: 'Call again later' })
  if (code === 'ENOTFOUND' || code === 'EAI_NODATA')
    return upstream('failed: the name of the host is unknown', { retryable: false, fix: address })
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'EADDRNOTAVAIL')
    return upstream('failed: there is no route to the host', { retryable: true, fix: address })
  if (isTls(code))
    return upstream(`failed: no secure connection (${code})`, {
      retryable: false,
      fix: `Check that ${subject.hints.baseUrlVariable} names the host as its certificate does; for a private authority set ${subject.hints.caFileVariable ?? 'NODE_EXTRA_CA_CERTS'} to its certificate, or http.caFile of the entry in the config file`,
    })
  if (error instanceof Error && error.name === 'HTTPParserError')
    return upstream(`failed: the answer is not HTTP${doubt(subject)}`, {
      retryable: false,
      fix: `Check ${subject.hints.baseUrlVariable}`,
    })
  return upstream(`failed: the connection broke before the answer was complete${doubt(subject)}`, {
    retryable: true,
    fix: fixAfter(subject, 'Call again later'),
  })
}

/** `what` fits after "timed out:". */
export function timeoutFailure(what: string, subject: Subject, cause?: unknown): Failed {
  return {
    kind: 'failed',
    error: new ServiceError('TIMEOUT', `${nameOf(subject)} timed out: ${what}${doubt(subject)}`, {
      fix: fixAfter(subject, 'Call again later, or ask for less at once'),
      cause,
    }),
    retryable: false, // a caller that waited this long gains nothing by waiting as long again
    unhealthy: true,
  }
}

/** A status came, but a body that cannot be taken. */
export function bodyFailure(status: number, { kind, problem }: BodyProblem, subject: Subject): Failed {
  return {
    kind: 'failed',
    error: new ServiceError(
      'UPSTREAM_FAILED',
      `${nameOf(subject)} answered ${status} with ${problem}${status < 400 ? doubt(subject) : ''}`,
      {
        fix: fixAfter(
          subject,
          kind === 'tooLarge' ? 'Ask for less at once, such as a smaller page or fewer fields' : 'Call again later',
        ),
      },
    ),
    retryable: kind === 'damaged',
    unhealthy: kind === 'damaged',
  }
}

/** `refused` fits after "redirects". */
export function redirectFailure(refused: string, subject: Subject): Failed {
  return {
    kind: 'failed',
    error: new ServiceError('UPSTREAM_FAILED', `${nameOf(subject)} redirects ${refused}, which is not followed`, {
      fix: `Check that ${subject.hints.baseUrlVariable} is the address the service really has`,
    }),
    retryable: false,
    unhealthy: false,
  }
}

/** Nothing was sent: the breaker is open. */
export function circuitOpen(closedForMs: number, subject: Subject): Failed {
  const seconds = Math.max(1, Math.ceil(closedForMs / 1000))
  return unsent(
    new ServiceError('UPSTREAM_FAILED', `${nameOf(subject)} was not sent: the service failed several times in a row`, {
      fix: `Call again in ${seconds} s; the host tries it again then`,
      retryAfterMs: seconds * 1000,
    }),
  )
}

/** Nothing was sent: too many requests to this service are on their way already. */
export function overloaded({ inFlight, queued }: { inFlight: number; queued: number }, subject: Subject): Failed {
  return unsent(
    new ServiceError(
      'RATE_LIMITED',
      `${nameOf(subject)} was not sent: ${inFlight} requests are on their way and ${queued} wait`,
      {
        fix: 'Call again when fewer calls to this service are running',
      },
    ),
  )
}

function unsent(error: ServiceError): Failed {
  return { kind: 'failed', error, retryable: false, unhealthy: false, unsent: true }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function isTls(code: string): boolean {
  return /^(?:ERR_TLS_|ERR_SSL_|CERT_|EPROTO$|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(code)
}
