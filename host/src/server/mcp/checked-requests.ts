import {
  ProtocolError,
  ProtocolErrorCode,
  type InitializeResult,
  type JSONRPCRequest,
  type Result,
  type Server,
  type ServerContext,
  type StandardSchemaV1,
} from '@modelcontextprotocol/server'
import { params } from './params.ts'
import { knows, revisionOf } from './revisions.ts'

/**
 * Checks the parameters that the SDK checks itself before a handler of ours runs: those of `initialize` and `tools/call`. Its own words
 * for a client are a dump of its schemas, of `initialize` even as an internal error. The answer to `initialize` is without what the
 * revision lacks. Private in the SDK, hence its exact version in package.json and a test.
 */
export function checkRequests(server: Server): void {
  const handlers: Map<string, Handler> = server['_requestHandlers']
  const [initialize, call] = [handlers.get('initialize'), handlers.get('tools/call')]
  if (!initialize || !call) throw new Error('The SDK keeps its handlers elsewhere')
  handlers.set('initialize', async (request, ctx) => {
    check('initialize', params.initialize, request.params)
    try {
      return answerAt((await initialize(request, ctx)) as InitializeResult)
    } catch (error) {
      if (error instanceof ProtocolError) throw error
      throw invalidParams('initialize', 'capabilities or clientInfo are not of the form that the protocol has')
    }
  })
  handlers.set('tools/call', (request, ctx) => {
    check('tools/call', params.call, request.params)
    return call(request.params?.['arguments'] === null ? withoutArguments(request) : request, ctx)
  })
}

type Handler = (request: JSONRPCRequest, ctx: ServerContext) => Promise<Result>

/** What is wrong with the parameters of an `initialize`; undefined for nothing that a session could not begin with. */
export function initializeProblem(given: unknown): string | undefined {
  return problemOf('initialize', params.initialize, given)
}

function check(method: string, schema: StandardSchemaV1, given: unknown): void {
  const problem = problemOf(method, schema, given)
  if (problem !== undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, problem)
}

function problemOf(method: string, schema: StandardSchemaV1, given: unknown): string | undefined {
  const checked = schema['~standard'].validate(given)
  const [issue] = ('issues' in checked && checked.issues) || []
  return issue && invalidParams(method, issue.message).message
}

function invalidParams(method: string, problem: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `Invalid params for ${method}: ${problem}`)
}

/** Some clients write null for a call without arguments. */
function withoutArguments(request: JSONRPCRequest): JSONRPCRequest {
  const { arguments: _, ...rest } = request.params ?? {}
  return { ...request, params: rest }
}

function answerAt(answer: InitializeResult): InitializeResult {
  const { title, ...info } = answer.serverInfo
  const isKnown = title === undefined || knows(revisionOf(answer.protocolVersion), 'title')
  return isKnown ? answer : { ...answer, serverInfo: info }
}
