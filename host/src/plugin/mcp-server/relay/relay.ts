import type { CompletionInput, Content } from '@mcp-patchbay/plugin-api'
import { inputRequired, ServiceError, toolResult } from '@mcp-patchbay/plugin-api/host'
import { pause } from '../../../data/async.ts'
import { isObject } from '../../../data/json.ts'
import { hostError } from '../../../errors.ts'
import type { CallRequest, RunningPlugin } from '../../run/running.ts'
import type { PluginSurface } from '../../source/describe-surface.ts'
import { isTimeout, statusOf } from '../connect/server-connection.ts'
import type { Fields, ServerConnection } from '../connect/types.ts'
import type { ServerOffer } from '../connect/server-offer.ts'
import type { Asking, Lease, ServerPool } from '../share/types.ts'
import { askingElsewhere, askingOf, ownerOf, type Share } from '../share/who-shares.ts'
import type { DescribedServer } from '../surface/describe-server.ts'
import { runServerCall } from './server-call.ts'
import { addressesToOpen, callError } from './failed-call.ts'
import { inTrace } from './in-trace.ts'
import type { WaitingCalls } from './waiting-calls.ts'

export interface RelayOptions {
  readonly instance: string
  readonly surface: PluginSurface
  readonly share: Share
  readonly hasRoots: boolean
  /** Of a server that runs elsewhere. */
  readonly elsewhere: Elsewhere | undefined
  readonly described: DescribedServer
  /** What this version was listed by; a tool that is another by now is not called. */
  readonly offer: ServerOffer
  readonly poolOf: (request: CallRequest) => ServerPool
  readonly waiting: WaitingCalls
  readonly follow: (uri: string) => void
  /** Whether the connections end with this version. */
  readonly isLast: () => boolean
  readonly failure: () => Error | undefined
  /** Nothing of it runs: the next call starts it. */
  readonly isIdle: () => boolean
  readonly dispose: () => Promise<void>
}

/** How long a server may take to answer a word when it is suspected to be stuck, in milliseconds. */
const PATIENCE_MS = 5_000

/** Passes calls on to an MCP server, and its answers back, as they are. */
export function createRelay(options: RelayOptions): RunningPlugin {
  const { instance, surface, share, described, offer, waiting } = options
  const accesses = new Map(surface.tools.map(({ name, access }) => [name, access]))
  const suspected = new WeakSet<ServerConnection>()
  let open = 0
  let onNone = () => {}

  /** One request, over the connection of its caller; asks the caller what the server asks. */
  async function pass(of: Passed, request: CallRequest): Promise<unknown> {
    const state = isObject(request.requestState) ? request.requestState : {}
    const owner = ownerOf(request, share)
    if (typeof state['waiting'] === 'string') return waiting.take(owner, state['waiting']).resume(request)
    if (state['opened'] === true && Object.values(request.inputResponses ?? {}).some(({ action }) => action !== 'accept'))
      throw new ServiceError('PERMISSION_DENIED', `${instance} needs an address to be opened, and its caller said no`)
    const { elsewhere } = options
    if (!elsewhere) return send(of, { request, state, owner, asking: askingOf(request, share, options.hasRoots) })
    const asking = askingElsewhere(
      askingOf(request, share, options.hasRoots),
      request,
      elsewhere.credentialOf(request, of.access),
    )
    return elsewhere.inCall(request, of.access, () =>
      // A server that has forgotten its session has not run the call.
      send(of, { request, state, owner, asking }).catch((error: unknown) => {
        if (!(error instanceof ForgottenSession)) throw error
        return send(of, { request, state, owner, asking })
      }),
    )
  }

  async function send(of: Passed, { request, state, owner, asking }: Sending): Promise<unknown> {
    const pool = options.poolOf(request)
    const lease = await pool.lease(asking, request)
    const { connection } = lease
    if (of.isSame && !of.isSame(lease.offer)) {
      lease.release()
      throw hostError('SERVER_TOOL_CHANGED', { plugin: instance, tool: of.name })
    }
    open++
    const onDone = () => {
      open--
      if (open === 0) onNone()
    }
    const onCancelled = () => void doubt(lease, pool)
    const failed = (error: unknown) => callError(error, { instance, connection, mayHaveRun: of.access === 'write' })
    try {
      if (connection.era === 'legacy' && share !== 'all') {
        const { method, params, convert } = of
        return await runServerCall(
          { instance, lease, method, params, owner, waiting, convert, failed, onDone, onCancelled },
          request,
        )
      }
      return await plainCall(of, { lease, request, state, onDone, onCancelled })
    } catch (error) {
      if (options.elsewhere && statusOf(error) === NOT_FOUND) {
        pool.drop(lease, 'the server has forgotten its session')
        throw new ForgottenSession('The server has forgotten its session', { cause: error })
      }
      const addresses = share === 'all' ? undefined : addressesToOpen(error)
      if (addresses) return inputRequired({ requests: addresses, state: { opened: true } })
      throw await failed(error)
    }
  }

  /** A call that ends with its answer: one that is shared by all, and every one of 2026-07-28, whose questions are answers. */
  async function plainCall(of: Passed, { lease, request, state, onDone, onCancelled }: PlainCall): Promise<unknown> {
    const { connection, calls } = lease
    const call = { isAsking: false, ask: () => Promise.reject(new Error('Nothing can be asked')), log: request.log }
    calls.add(call)
    try {
      let params: Fields = {
        ...of.params,
        ...(request.inputResponses && { inputResponses: request.inputResponses }),
        ...(state['server'] !== undefined && { requestState: state['server'] }),
      }
      for (let round = 0; ; round++) {
        const result = await connection.request(of.method, inTrace(params, request.trace), {
          until: request,
          onProgress: request.wantsProgress === false ? undefined : (progress, more) => request.progress(progress, more),
          onCancelled,
        })
        if (result['resultType'] !== 'input_required') return of.convert(result)
        const requests = isObject(result['inputRequests']) ? result['inputRequests'] : {}
        const { requestState } = result
        const [first] = Object.values(requests)
        if (first !== undefined) {
          if (share === 'all') throw hostError('SERVER_ASKED', { plugin: instance, method: methodOf(first) })
          return inputRequired({
            requests: requests as Parameters<typeof inputRequired>[0]['requests'],
            state: { server: requestState },
          })
        }
        // It has nothing to ask, and wants to be called again: it has much to do.
        if (round >= MOST_ROUNDS) throw new Error(`the server put the call off ${MOST_ROUNDS} times`)
        await pause(AGAIN_MS, request.signal)
        params = { ...of.params, ...(requestState !== undefined && { requestState }) }
      }
    } finally {
      calls.delete(call)
      lease.release()
      onDone()
    }
  }

  /** A call that had to end may be an endless loop, in which the server answers nothing: then the server is replaced. */
  async function doubt(lease: Lease, pool: ServerPool): Promise<void> {
    const { connection } = lease
    if (suspected.has(connection)) return
    suspected.add(connection)
    const word = connection.era === 'legacy' ? 'ping' : 'server/discover'
    const stuck = `it was stuck: it heard nothing for ${PATIENCE_MS} ms after a call had to end`
    try {
      await connection.request(word, {}, { timeoutMs: PATIENCE_MS })
    } catch (error) {
      if (isTimeout(error)) pool.drop(lease, stuck)
    } finally {
      suspected.delete(connection)
    }
  }

  return {
    surface,
    get failure() {
      return options.failure()
    },
    get isIdle() {
      return options.isIdle()
    },
    callTool(name, input, request) {
      const origin = described.tools.get(name)
      if (origin === undefined) return Promise.reject(new Error(`There is no tool ${name}`))
      const access = accesses.get(name) ?? 'write'
      const isSame = (now: ServerOffer | undefined) =>
        now === undefined || now === offer || (isSameServer(now) && isSameTool(now, offer, origin))
      const params = { name: origin, arguments: input as Fields }
      return pass({ name, access, method: 'tools/call', params, convert: wholeResult, isSame }, request)
    },
    readResource: (name, uri, _, request) =>
      pass({ name, access: 'read', method: 'resources/read', params: { uri }, convert: ({ contents }) => contents }, request),
    getPrompt(name, args, request) {
      const origin = described.prompts.get(name)
      if (origin === undefined) return Promise.reject(new Error(`There is no prompt ${name}`))
      const params = { name: origin, arguments: args as Fields }
      return pass({ name, access: 'read', method: 'prompts/get', params, convert: promptResult }, request)
    },
    complete(kind, name, input, request) {
      const ref = kind === 'prompt' ? promptRef(name) : templateRef(name)
      const { name: argument, value, others }: CompletionInput = input
      const params = { ref, argument: { name: argument, value }, context: { arguments: others } }
      return pass({ name, access: 'read', method: 'completion/complete', params, convert: completionValues }, request)
    },
    follow: options.follow,
    async settled(ms) {
      if (open === 0 || !options.isLast()) return
      const { promise, resolve } = Promise.withResolvers<void>()
      onNone = resolve
      const timer = setTimeout(resolve, ms)
      await promise
      clearTimeout(timer)
    },
    [Symbol.asyncDispose]: options.dispose,
  }

  /** What answers at its address may be another one, until that was judged. */
  function isSameServer(now: ServerOffer): boolean {
    return !options.elsewhere || now.name === offer.name
  }

  function promptRef(name: string): Fields {
    return { type: 'ref/prompt', name: described.prompts.get(name) ?? name }
  }

  function templateRef(name: string): Fields {
    return { type: 'ref/resource', uri: surface.resources.find((one) => one.name === name)?.uri ?? '' }
  }
}

/** How calls go to a server that runs elsewhere. */
export interface Elsewhere {
  /** By whose credential, as a word: '' for the host's own. */
  readonly credentialOf: (request: CallRequest, access: 'read' | 'write') => string
  /** Runs work as part of a call, so that its requests have the credential of that. */
  readonly inCall: <Result>(request: CallRequest, access: 'read' | 'write', work: () => Promise<Result>) => Promise<Result>
}

interface PlainCall {
  readonly lease: Lease
  readonly request: CallRequest
  readonly state: Fields
  readonly onDone: () => void
  readonly onCancelled: () => void
}

interface Sending {
  readonly request: CallRequest
  readonly state: Fields
  readonly owner: string
  readonly asking: Asking
}

/** Its client may begin another session: nothing of the call was done in the one that is gone. */
class ForgottenSession extends Error {}

const NOT_FOUND = 404

/** One request as it goes to the server. */
interface Passed {
  /** As this host calls it. */
  readonly name: string
  readonly access: 'read' | 'write'
  readonly method: string
  readonly params: Fields
  readonly convert: (result: Fields) => unknown
  readonly isSame?: (offer: ServerOffer | undefined) => boolean
}

const MOST_ROUNDS = 10
const AGAIN_MS = 250

function wholeResult({ content, structuredContent, isError, _meta }: Fields): unknown {
  return toolResult({
    content: (Array.isArray(content) ? content : []) as readonly Content[],
    ...(structuredContent !== undefined && { structuredContent }),
    isError: isError === true,
    ...(isObject(_meta) && { meta: _meta }),
  })
}

function promptResult({ description, messages }: Fields): unknown {
  return typeof description === 'string' ? { description, messages } : messages
}

function completionValues({ completion }: Fields): unknown {
  return isObject(completion) ? completion['values'] : []
}

function methodOf(question: unknown): string {
  return isObject(question) && typeof question['method'] === 'string' ? question['method'] : 'unknown'
}

const texts = new WeakMap<ServerOffer, ReadonlyMap<unknown, string>>()

/** Whether a tool is the same in two offers, to the letter. */
function isSameTool(one: ServerOffer, other: ServerOffer, name: string): boolean {
  return textsOf(one).get(name) === textsOf(other).get(name)
}

function textsOf(offer: ServerOffer): ReadonlyMap<unknown, string> {
  const found = texts.get(offer) ?? new Map(offer.tools.map((tool) => [tool['name'], JSON.stringify(tool)]))
  texts.set(offer, found)
  return found
}
