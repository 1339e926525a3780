import type { CredentialPlacement, HttpClient, HttpRequest, Logger } from '@mcp-patchbay/plugin-api'
import { ServiceError } from '@mcp-patchbay/plugin-api/host'
import type { Redactor } from '../observability/redact.ts'
import { linkAbort, orAborted } from './resilience/abort.ts'
import type { Rights } from './request/access.ts'
import type { CallScope } from './http-call-scope.ts'
import { createHttpStream, type HttpStream } from './http-stream.ts'
import { systemClock, type Clock } from './resilience/clock.ts'
import type { ResolveCredential } from './request/placed-credential.ts'
import { createDelivery, type OnUpstream } from './delivery.ts'
import { systemDialing, type Dialing } from './connect/address-guard.ts'
import { DEFAULT_LIMITS, type NetworkLimits } from './resilience/limits.ts'
import type { Answer, Outcome } from './resilience/outcome.ts'
import { traceFields } from '../observability/tracing/trace-context.ts'
import type { OpenSpan, Tracing } from '../observability/tracing/types.ts'
import { createPools } from './connect/pool.ts'
import { createPreparation, type Prepared } from './request/prepare.ts'
import type { Proxy } from './connect/proxy.ts'
import { lackingScopes } from './response/lacking-scopes.ts'
import { readJson, readText, responseOf } from './response/response.ts'
import { retryAfter } from './resilience/retry.ts'
import { statusError } from './response/status-error.ts'
import type { Hints, Subject } from './request/subject.ts'
import { createReach } from './connect/target.ts'

export interface ServiceHttpOptions {
  readonly instance: string
  /** Where paths begin; undefined for a plugin without a service of its own. */
  readonly baseUrl: string | undefined
  /**
   * Whether the base URL may be at a private address. True by default, because the operator sets it; pass false where it is the default
   * in the schema of a plugin that is not trusted, or that plugin could reach into the operator's network.
   */
  readonly allowPrivateBase?: boolean
  /** Granted `capabilities.hosts`: further origins, or `public`. Only public addresses, and never with the credential. */
  readonly extraHosts?: readonly string[]
  readonly placement?: CredentialPlacement | undefined
  /** The plugin's headers for every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** What it calls itself, where neither the plugin nor the request says otherwise. Default: `patchbay`. */
  readonly userAgent?: string
  /** Asked for every request to the base URL; without it requests go without a credential. */
  readonly credential?: ResolveCredential
  readonly hints: Hints
  readonly redactor: Redactor
  /** A plugin reads the answers: what a service says of a secret is taken out before. Not for the host's own requests for tokens. */
  readonly hidesSecrets?: boolean
  readonly log: Logger
  readonly currentCall: () => CallScope | undefined
  /** Holds background work to reading too; a call is held to its own access in any case. */
  readonly readOnly?: boolean
  readonly limits?: Partial<NetworkLimits>
  /** Certificate authorities, in PEM, besides those Node knows. */
  readonly ca?: string | readonly string[]
  /** What the host proves itself to the service with, in PEM. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string }
  /** Every request goes through it. */
  readonly proxy?: Proxy
  /** False: the certificate of the service itself is not checked, that of any other host is. Default: true. */
  readonly sslVerify?: boolean
  /** Where the service offers it. Default: true. */
  readonly http2?: boolean
  /** Told of each request to the service, and of each attempt where there are several. */
  readonly onUpstream?: OnUpstream
  /** Without it no span is made, and the trace of a call goes on as it came. */
  readonly tracing?: Tracing | undefined
  readonly clock?: Clock
  readonly random?: () => number
  readonly dialing?: Dialing
}

/** A plugin's way to its service, with what the host itself needs where it speaks a protocol with the service. */
export interface ServiceHttp extends HttpClient, AsyncDisposable {
  /** Not for plugins: they get the client without it. */
  readonly stream: HttpStream
}

/**
 * A plugin's only way to its service. Every failure is a `ServiceError` that names the instance and the request, without query values and
 * without secrets; a request whose call ends first rejects with that call's abort reason. Disposing it ends what is still on its way.
 * Throws `SERVICE_URL_INVALID` and `SERVICE_HEADER_INVALID`.
 */
export function createServiceHttp(options: ServiceHttpOptions): ServiceHttp {
  const { instance, baseUrl, extraHosts = [], credential, hints, redactor, currentCall, clock = systemClock } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const reach = createReach({ instance, baseUrl, extraHosts, baseUrlVariable: hints.baseUrlVariable })
  const prepare = createPreparation({
    reach,
    placement: options.placement,
    headers: options.headers ?? {},
    userAgent: options.userAgent,
    limits,
    hints,
    redact: redactor,
  })
  const pools = createPools({
    limits,
    dialing: options.dialing ?? systemDialing,
    allowPrivateBase: options.allowPrivateBase ?? true,
    ca: options.ca,
    clientCertificate: options.clientCertificate,
    proxy: options.proxy,
    http2: options.http2,
    sslVerify: options.sslVerify,
  })
  const deliver = createDelivery({
    pools,
    reach,
    clock,
    limits,
    random: options.random ?? Math.random,
    log: options.log,
    onUpstream: options.onUpstream,
  })
  const life = new AbortController()

  const perform = async <Result>(
    { path, request = {}, accept }: { path: string; request: HttpRequest | undefined; accept: string },
    read: (answer: Answer, subject: Subject) => Result,
  ): Promise<Result> => {
    const scope = currentCall()
    using stop = linkAbort(scope?.signal, life.signal)
    if (stop.signal.aborted) throw stop.signal.reason
    const prepared = prepare({
      path,
      options: request,
      rights: rightsOf(scope, options.readOnly ?? false),
      accept,
      trace: scope?.trace,
    })

    const span = beginSpan(prepared, scope)
    const headers = { ...prepared.headers, ...(span && isOursToSay(prepared, scope) && traceFields(span.trace)) }
    const isProven = prepared.target.zone === 'service' && request.withoutCredential !== true
    const found = isProven && credential ? await orAborted(credential(scope), stop.signal) : undefined
    found?.apply(headers)
    const subject = found ? { ...prepared.subject, source: found.source } : prepared.subject
    const forget = found?.secrets.map((secret) => redactor.add(secret)) ?? []
    try {
      const outcome = await deliver({
        ...prepared,
        subject,
        headers,
        query: found?.query,
        signal: stop.signal,
        timeLeftMs: scope?.timeLeftMs ?? FOREVER,
      })
      span?.end(endOf(outcome))
      if (outcome.kind === 'failed') throw outcome.error
      if (outcome.answer.status === 401) found?.refused?.()
      const lacking = lackingScopes(outcome.answer.status, outcome.answer.headers['www-authenticate'])
      if (lacking) found?.lacks?.(lacking)
      return read(options.hidesSecrets ? withoutSecrets(outcome.answer, redactor) : outcome.answer, subject)
    } catch (error) {
      // Over already where there was an outcome.
      if (stop.signal.aborted) span?.end({ error: 'cancelled' })
      throw error
    } finally {
      for (const end of forget) end()
    }
  }
  const beginSpan = ({ method, target }: Prepared, scope: CallScope | undefined) =>
    options.tracing?.begin(method, {
      kind: 'client',
      parent: scope?.trace,
      attributes: () => ({
        'http.request.method': method,
        'server.address': target.url.hostname,
        'server.port': Number(target.url.port) || (target.url.protocol === 'https:' ? 443 : 80),
        'patchbay.plugin': instance,
      }),
    })
  const accepted = (answer: Answer, subject: Subject) => {
    if (answer.status >= 400) throw statusError(answer, subject, retryAfter(answer, clock.now()))
    return answer
  }

  return Object.freeze({
    json: async <Body>(path: string, request?: HttpRequest) =>
      (await perform({ path, request, accept: 'application/json' }, (answer, subject) =>
        readJson(accepted(answer, subject), subject),
      )) as Body,
    text: (path: string, request?: HttpRequest) =>
      perform({ path, request, accept: '*/*' }, (answer, subject) => readText(accepted(answer, subject), subject)),
    request: (path: string, request?: HttpRequest) => perform({ path, request, accept: '*/*' }, responseOf),
    stream: createHttpStream({
      instance,
      reach,
      pools,
      userAgent: options.userAgent ?? 'patchbay',
      credential,
      hints,
      redactor,
      currentCall,
      onUpstream: options.onUpstream,
      life: life.signal,
    }),
    async [Symbol.asyncDispose]() {
      life.abort(new ServiceError('UPSTREAM_FAILED', `${instance}: the plugin was stopped before its request was done`))
      await pools[Symbol.asyncDispose]()
    },
  })
}

/** A service that echoes a request does not show the caller the credential in it. */
function withoutSecrets(answer: Answer, redactor: Redactor): Answer {
  const { headers } = answer
  const body = redactor.bytes(answer.body)
  const hidden = Object.entries(headers).filter(([, value]) => redactor.answer(value) !== value)
  // A redirect may have said the credential again.
  const url = redactor.answer(answer.url)
  if (body === answer.body && hidden.length === 0 && url === answer.url) return answer
  const resized = 'content-length' in headers ? { 'content-length': String(body.length) } : {}
  const redacted = Object.fromEntries(hidden.map(([name, value]) => [name, redactor.answer(value)]))
  return { ...answer, url, body, headers: { ...headers, ...resized, ...redacted } }
}

/** Whether nothing but the trace of the call is said yet: a plugin that traces itself says where it stands. */
function isOursToSay({ target, headers }: Prepared, scope: CallScope | undefined): boolean {
  return target.zone === 'service' && headers['traceparent'] === scope?.trace?.traceparent
}

function endOf(outcome: Outcome): Parameters<OpenSpan['end']>[0] {
  if (outcome.kind === 'failed') return { error: outcome.error.code }
  const { status } = outcome.answer
  return { attributes: { 'http.response.status_code': status }, ...(status >= 400 && { error: String(status) }) }
}

/** Background work waits as long as it likes. */
const FOREVER = () => Infinity

/** A call has the rights of its tool, read-only instances none to write. Background work belongs to no tool and may write. */
function rightsOf(scope: CallScope | undefined, readOnly: boolean): Rights {
  const access = readOnly ? 'read' : (scope?.access ?? 'write')
  return { access, safePaths: scope?.safePaths ?? [] }
}
