import type { IncomingMessage, ServerResponse } from 'node:http'
import { isObject } from '../../data/json.ts'
import { HostError, hostError } from '../../errors.ts'
import type { Caller } from '../../server/catalog/caller.ts'
import { readCaller } from '../../server/catalog/operator/named-caller.ts'
import { readMessage } from '../http/body.ts'
import { refusal } from '../http/respond.ts'
import { errorBody, sendAnswer, sendRefusal, statusOf } from './admin-answer.ts'
import { createAdminCalls, readResponses, type CallTarget } from './admin-calls.ts'
import { crossSite, type AdminToken } from './admin-token.ts'
import { describeOffers, describePlugins, describeStatus, describeTool, describeTools } from './describe-host.ts'
import { createEventStreams } from './event-streams.ts'
import { followHost } from './follow-host.ts'
import { knownCallers } from './known-callers.ts'
import { createLiveFeed } from './live-feed.ts'
import { openPageFiles } from './page-files.ts'
import { sendCall } from './send-call.ts'
import type { AdminAccess, AdminHost, OpenAdmin } from './types.ts'

/** What a listener has besides its own pages. */
export interface AdminPages extends Disposable {
  /** The methods of a path; undefined where there is nothing. */
  readonly allow: (path: string) => string | undefined
  readonly handle: (req: IncomingMessage, res: ServerResponse, path: string) => Promise<void>
  readonly tell: OpenAdmin['tell']
}

export interface AdminOptions {
  readonly token: AdminToken
  /** Serve the page too. */
  readonly page: boolean
  readonly access: AdminAccess
  /** Where MCP clients connect, once that is known. */
  readonly url: () => string | undefined
  /** Milliseconds that never go back. */
  readonly now: () => number
}

/** One request that proved to be the operator's. */
interface Asked {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly query: URLSearchParams
  /** What stands behind the route's own part of the path. */
  readonly rest: string
  /** Of a POST. */
  readonly body: Readonly<Record<string, unknown>>
  /** Whose sight is asked for: `as`, or the operator. */
  readonly caller: Caller
}

/** Answers JSON, or has answered by itself. */
type Route = (asked: Asked) => unknown

/** The admin API of a host, and its page. Nothing of it is answered without the token but the page's own files. */
export function openAdmin(host: AdminHost, { token, page, access, url, now }: AdminOptions): AdminPages {
  const { project } = access
  const feed = createLiveFeed({ redact: host.redactor, now: Date.now })
  const calls = createAdminCalls(host, now)
  const streams = createEventStreams(feed, host.log)
  const files = page ? openPageFiles() : undefined
  const following = followHost(host, feed)
  const needProject = () => {
    if (!project) throw hostError('ADMIN_NO_PROJECT', {})
    return project
  }

  const routes: Readonly<Record<string, Route>> = {
    'GET /admin/status': () => describeStatus(host, { project, url: url() }),
    'GET /admin/plugins': ({ caller }) => describePlugins(host, caller),
    'GET /admin/tools': ({ caller }) => ({ generation: host.registry.current.generation, tools: describeTools(host, caller) }),
    'GET /admin/tools/': ({ rest, caller }) => describeTool(host, rest, caller),
    'GET /admin/offers': ({ caller }) => describeOffers(host, caller),
    'GET /admin/callers': async () => ({ callers: await knownCallers(host.config(), host.configDir, Date.now()) }),
    'GET /admin/events': ({ req, res, query }) => streams.open(req, res, query.get('after')),
    'GET /admin/lock': () => needProject().diff(),
    'POST /admin/lock/approvals': ({ body }) => needProject().approve(text(body, 'target'), text(body, 'seen')),
    'POST /admin/reload': async ({ body }) => {
      const { plugin } = body
      if (plugin === undefined) await needProject().reread()
      else if (host.registry.current.plugins.some(({ instance }) => instance === plugin))
        await host.rebuild(new Set([text(body, 'plugin')]))
      else throw hostError('ADMIN_REQUEST', { problem: 'no plugin has that name' })
      return { generation: host.registry.current.generation }
    },
    'POST /admin/calls': ({ body, caller, res }) => {
      const call = { caller, target: targetOf(body) }
      return sendCall(res, (listener) => calls.run(call, listener), host.log)
    },
    'POST /admin/calls/': ({ body, rest, res }) => {
      const responses = readResponses(body['responses'])
      const call = { ...calls.takeAsked(rest), responses }
      return sendCall(res, (listener) => calls.run(call, listener), host.log)
    },
  }
  const routeOf = (method: string, path: string) => {
    const own = `${method} ${path}`
    const exact = Object.hasOwn(routes, own) && !own.endsWith('/') ? own : undefined
    const key =
      exact ?? Object.keys(routes).find((route) => route.endsWith('/') && own.startsWith(route) && own.length > route.length)
    const route = key === undefined ? undefined : routes[key]
    return route && { route, rest: key === exact ? '' : own.slice(key?.length) }
  }

  async function bodyOf(req: IncomingMessage, res: ServerResponse): Promise<Readonly<Record<string, unknown>> | undefined> {
    const read = await readMessage(req, host.bodyBytes)
    if (read.refused) sendRefusal(res, read.refused)
    else if (isObject(read.message)) return read.message
    else sendRefusal(res, refusal(400, 'The body must be a JSON object'))
    return undefined
  }

  /** A ticket for the token: how the page that a key opened comes to it. */
  async function redeem(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await bodyOf(req, res)
    const redeemed = body && token.redeem(body['ticket'])
    if (redeemed !== undefined) return sendAnswer(res, 200, JSON.stringify({ token: redeemed }))
    if (body) sendRefusal(res, refusal(401, 'This ticket was used, or is older than a minute: open the page again'))
  }

  async function answer(req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
    const { method = 'GET' } = req
    if (path === SESSION && files) return redeem(req, res)
    const refused = token.check(req)
    if (refused) return sendRefusal(res, refused)
    const found = routeOf(method, path)
    if (!found) return sendRefusal(res, refusal(404, `There is nothing at ${path}`))
    const query = new URLSearchParams(req.url?.split('?', 2)[1])
    const body = method === 'POST' ? await bodyOf(req, res) : {}
    if (!body) return
    const as = query.get('as') ?? (body['as'] === undefined || body['as'] === null ? undefined : JSON.stringify(body['as']))
    const caller = as === undefined || as === 'null' ? host.operator : readCaller(as, 'as')
    const result = await found.route({ req, res, query, rest: decoded(found.rest), body, caller })
    if (result === undefined || res.headersSent) return
    sendAnswer(res, 200, host.redactor(JSON.stringify(result)))
  }

  return {
    allow(path) {
      if (files?.has(path)) return 'GET, HEAD'
      if (path === SESSION) return files && 'POST'
      return [...(routeOf('GET', path) ? ['GET'] : []), ...(routeOf('POST', path) ? ['POST'] : [])].join(', ') || undefined
    },
    async handle(req, res, path) {
      const foreign = files?.has(path) ? undefined : crossSite(req)
      if (req.method !== 'POST' || foreign) req.resume()
      if (foreign) return sendRefusal(res, foreign)
      if (files?.has(path)) return files.send(path, res)
      try {
        await answer(req, res, path)
      } catch (error) {
        if (!(error instanceof HostError)) throw error
        sendAnswer(res, statusOf(error), host.redactor(JSON.stringify(errorBody(error))))
      }
    },
    tell: (type, data) => feed.push(type, data),
    [Symbol.dispose]() {
      following[Symbol.dispose]()
      streams[Symbol.dispose]()
    },
  }
}

const SESSION = '/admin/session'

function text(body: Readonly<Record<string, unknown>>, key: string): string {
  const { [key]: value } = body
  if (typeof value !== 'string' || value === '') throw hostError('ADMIN_REQUEST', { problem: `${key} must be a text` })
  return value
}

function targetOf(body: Readonly<Record<string, unknown>>): CallTarget {
  const { arguments: args = {}, prompt, resource } = body
  if (!isObject(args)) throw hostError('ADMIN_REQUEST', { problem: 'arguments must be an object' })
  if (resource !== undefined) return { kind: 'resource', name: text(body, 'resource') }
  if (prompt === undefined) return { kind: 'tool', name: text(body, 'tool'), args }
  if (!hasTexts(args)) throw hostError('ADMIN_REQUEST', { problem: 'arguments of a prompt must be texts' })
  return { kind: 'prompt', name: text(body, 'prompt'), args }
}

function hasTexts(args: object): args is Readonly<Record<string, string>> {
  return Object.values(args).every((value) => typeof value === 'string')
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw hostError('ADMIN_REQUEST', { problem: 'the path has an invalid percent-encoding' })
  }
}
