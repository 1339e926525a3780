import type { CallContext, HttpClient, HttpRequest } from '../context.ts'
import { ServiceError } from '../errors.ts'
import { markdown } from '../format.ts'
import type { AnyPlugin } from '../plugin.ts'
import { fakeConfig } from './fake-config.ts'
import { fakeCache, fakeKeep, fakeLog, fakeMetrics, fakePrincipal, type Fakes } from './fake-context.ts'
import { fakeHttp } from './fake-http.ts'
import { matchesSafePath } from './path-pattern.ts'

/** The rights of a call, and what stands in for the host. */
interface FakeCall {
  readonly access: 'read' | 'write'
  readonly safePaths: readonly string[]
  readonly fakes: Fakes
}

/** Runs `work` in the context of one call of `plugin`, with a client of its own that is disposed afterwards. */
export async function inFakeCall<Result>(
  plugin: AnyPlugin,
  { access, safePaths, fakes }: FakeCall,
  work: (ctx: CallContext) => Promise<Result>,
): Promise<Result> {
  const config = fakeConfig(plugin.config, fakes.config, plugin.capabilities)
  const { principal = fakePrincipal(), log = fakeLog(), cache = fakeCache(), keep = fakeKeep(), http = fakeHttp() } = fakes
  const life = new AbortController()
  const limited = access === 'write' ? http : readingHttp(http, safePaths)
  const own = !('client' in fakes)
  const client: unknown = own
    ? await plugin.createClient({ config, http: limited, log, tenant: principal.tenant, keep, signal: life.signal } as never)
    : fakes.client
  try {
    return await work({
      client,
      config,
      principal,
      log,
      cache,
      metrics: fakeMetrics,
      format: markdown,
      signal: fakes.signal ?? life.signal,
      inputResponses: fakes.inputResponses,
      clientCapabilities: fakes.clientCapabilities ?? {},
      requestState: <State>() => fakes.requestState as State | undefined,
      progress: (progress, options) => fakes.onProgress?.(progress, options),
      closeStream() {},
    })
  } finally {
    life.abort(new Error('The fake call is over'))
    if (own) await dispose(client)
  }
}

/** The host's rule for `access: 'read'`: GET and HEAD, and POST to the tool's own `safePaths`. */
function readingHttp(http: HttpClient, safePaths: readonly string[]): HttpClient {
  const check = (path: string, { method = 'GET' }: HttpRequest = {}) => {
    const bare = path.replace(/[?#].*$/s, '')
    if (method === 'GET' || method === 'HEAD') return
    if (method === 'POST' && safePaths.some((safe) => matchesSafePath(safe, bare))) return
    throw new ServiceError('PERMISSION_DENIED', `A tool with access: 'read' may not send ${method} ${bare}`, {
      fix: "Declare access: 'write', or name the path in safePaths if it only reads",
    })
  }
  return {
    async json<Body>(path: string, options?: HttpRequest) {
      check(path, options)
      return http.json<Body>(path, options)
    },
    async text(path, options) {
      check(path, options)
      return http.text(path, options)
    },
    async request(path, options) {
      check(path, options)
      return http.request(path, options)
    },
  }
}

/** As the host does: a disposal symbol, or the method nearly every library has. */
async function dispose(client: unknown): Promise<void> {
  if (typeof client !== 'object' || client === null) return
  for (const name of [Symbol.asyncDispose, Symbol.dispose, 'dispose', 'close'] as const) {
    const end: unknown = (client as Record<PropertyKey, unknown>)[name]
    if (typeof end === 'function') return void (await end.call(client))
  }
}
