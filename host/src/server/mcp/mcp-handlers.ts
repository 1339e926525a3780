import type { Connection, McpServerOptions } from './types.ts'
import type { CallToolResult, Result, Server, ServerContext, StandardSchemaV1 } from '@modelcontextprotocol/server'
import { errorResult } from '../../data/content.ts'
import { HostError, hostError } from '../../errors.ts'
import { findResource } from '../catalog/snapshot.ts'
import type { CallIO, InputRequiredAnswer } from '../call/types.ts'
import { takeOver } from './deferred-call.ts'
import { openCallIo } from './call-io.ts'
import type { Caller } from '../catalog/caller.ts'
import { refusal } from '../catalog/visibility.ts'
import { params, type LogLevel } from './params.ts'
import { protocolError } from './protocol-error.ts'
import type { Called, RequestStates } from './request-state.ts'
import { innerCallOf, viewOf } from '../catalog/view.ts'
import { cannotAsk, capabilitiesAt, contentsAt, itemsAt, knows, messagesAt, resultAt, viewAt } from './revisions.ts'

/** Registers every method of the protocol on one server. Each handler reads the registry when it runs. */
export function registerHandlers(server: Server, connection: Connection, options: McpServerOptions, states: RequestStates): void {
  const { era, followed, revision } = connection
  const { registry, calls, inFlight, log } = options
  let logLevel: LogLevel | undefined

  /** One method: its parameters checked, its errors turned into the protocol's. */
  const handle = <Params>(
    method: string,
    schema: StandardSchemaV1<unknown, Params>,
    run: (value: Params, caller: Caller, ctx: ServerContext) => object | Promise<object>,
  ) =>
    server.setRequestHandler(method, { params: schema }, async (value, ctx) => {
      try {
        return (await run(value, connection.callerOf(ctx), ctx)) as Result
      } catch (error) {
        throw protocolError(error, log)
      }
    })

  /** A call into a plugin. The snapshot must be read in the tick in which `run` runs, which is the one `call` is called in. */
  const call = async <Answer>(called: Called, ctx: ServerContext, run: (io: CallIO) => Promise<Answer>): Promise<Answer> => {
    const requestState = states.open(called, ctx)
    const { io, end } = openCallIo(ctx, {
      era,
      revision: revision(ctx),
      inFlight,
      log,
      requestState,
      logLevel,
      clientCapabilities: capabilitiesAt(connection.capabilities(), revision(ctx)),
    })
    try {
      return await run(io)
    } catch (error) {
      // The host's own reason to end a call, in place of `cancelled by the client`.
      if (io.cancellation.reason instanceof HostError) throw io.cancellation.reason
      throw error
    } finally {
      end()
    }
  }

  const ask = async (called: Called, { requests, state }: InputRequiredAnswer, ctx: ServerContext) => {
    for (const [key, request] of Object.entries(requests)) {
      const problem = cannotAsk(request, revision(ctx))
      if (problem)
        throw hostError('CALL_FAILED', {
          name: called.name,
          problem: `Cannot request input '${key}' (${request.method}): ${problem}`,
        })
    }
    return {
      resultType: 'input_required',
      inputRequests: era === 'modern' ? withoutIds(requests) : requests,
      ...(state !== undefined && { requestState: await states.seal(called, state, ctx) }),
    }
  }
  /** What the caller is listed, in the words of its revision. */
  const listed = (caller: Caller, ctx: ServerContext) => viewAt(viewOf(registry.current, caller), revision(ctx))

  handle('tools/list', params.list, (_, caller, ctx) => ({ tools: listed(caller, ctx).tools }))
  handle('tools/call', params.call, async ({ name, arguments: args }, caller, ctx) => {
    const snapshot = registry.current
    // State between two rounds is of the tool that asked and its arguments, by whichever name it was called. Checking them fills in
    // defaults, so the call gets a copy: the next round brings them as this one did.
    const of: Called = innerCallOf(snapshot, caller, name, args) ?? { name, args }
    try {
      const begun = takeOver(ctx.http?.authInfo)
      const answer = await call(
        of,
        ctx,
        (io) => begun?.continueIn(io) ?? calls.tool(snapshot, caller, name, structuredClone(args), io),
      )
      if (answer.kind === 'inputRequired') return await ask(of, answer, ctx)
      const result = resultAt(answer.result, revision(ctx)) as CallToolResult
      if (!knows(revision(ctx), 'structured')) return result
      return server.projectCallToolResult(result, snapshot.tools.get(of.name)?.surface.wire.outputSchema)
    } catch (error) {
      if (error instanceof HostError && (error.code === 'HOST_CLOSING' || error.code === 'CALL_FAILED'))
        return errorResult([error.message, ...error.fix].join('\n'))
      throw error
    }
  })

  handle('prompts/list', params.list, (_, caller, ctx) => ({ prompts: listed(caller, ctx).prompts }))
  handle('prompts/get', params.prompt, async ({ name, arguments: args }, caller, ctx) => {
    const answer = await call({ name, args }, ctx, (io) => calls.prompt(registry.current, caller, name, args, io))
    if (answer.kind === 'inputRequired') return ask({ name, args }, answer, ctx)
    return { ...answer.result, messages: messagesAt(answer.result.messages, revision(ctx)) }
  })

  handle('resources/list', params.pages, async ({ cursor }, caller, ctx) => {
    const lists = registry.current.templates.some(({ surface }) => surface.lists)
    if (!lists && cursor === undefined) return { resources: listed(caller, ctx).resources }
    const page = await call({ name: 'resources/list' }, ctx, (io) => calls.resources(registry.current, caller, cursor, io))
    return { ...page, resources: itemsAt(page.resources, revision(ctx)) }
  })
  handle('resources/templates/list', params.list, (_, caller, ctx) => ({ resourceTemplates: listed(caller, ctx).templates }))
  handle('resources/read', params.uri, async ({ uri }, caller, ctx) => {
    const { contents } = await call({ name: uri }, ctx, (io) => calls.resource(registry.current, caller, uri, io))
    return { contents: contentsAt(contents, revision(ctx)) }
  })

  handle('completion/complete', params.completion, async ({ ref, argument }, caller, ctx) => {
    const name = 'prompt' in ref ? ref.prompt : ref.template
    const values = await call({ name }, ctx, (io) => calls.complete(registry.current, caller, ref, argument, io))
    return { completion: { values: values.slice(0, MAX_VALUES), total: values.length, hasMore: values.length > MAX_VALUES } }
  })

  if (!followed) return
  handle('logging/setLevel', params.level, ({ level }) => {
    logLevel = level
    return {}
  })
  handle('resources/subscribe', params.uri, ({ uri }, caller) => {
    const item = findResource(registry.current, uri)?.item
    if (!item || refusal(item, caller, registry.current.policy) !== undefined) throw hostError('RESOURCE_UNKNOWN', { uri })
    if (followed.size >= MAX_FOLLOWED) throw hostError('SUBSCRIPTION_LIMIT', { max: MAX_FOLLOWED })
    followed.add(uri)
    item.plugin.live?.running.follow?.(item.uris?.toPlugin(uri) ?? uri)
    return {}
  })
  handle('resources/unsubscribe', params.uri, ({ uri }) => {
    followed.delete(uri)
    return {}
  })
}

/** 2026-07-28 has no ids of questions by URL, and no message that says that one is done. */
function withoutIds(requests: InputRequiredAnswer['requests']): InputRequiredAnswer['requests'] {
  return Object.fromEntries(
    Object.entries(requests).map(([key, request]) => {
      if (request.method !== 'elicitation/create' || request.params['elicitationId'] === undefined) return [key, request]
      const { elicitationId: _, ...params } = request.params
      return [key, { ...request, params }]
    }),
  )
}

/** The protocol's own limit of one answer. */
const MAX_VALUES = 100
/** How many resources one connection may follow. */
const MAX_FOLLOWED = 1_000
