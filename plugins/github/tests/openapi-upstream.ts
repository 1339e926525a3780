import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { parseArgs } from 'node:util'
import { readDescription, type Description } from './openapi-description.ts'

/**
 * A GitHub on a local port: every operation of GitHub's API description, answered with the example GitHub publishes for it.
 * A request the description does not allow is answered 422 with the reasons.
 *
 * As a program it prints its URL and serves until it is stopped:
 * `node plugins/github/tests/openapi-upstream.ts [--port N] [--description ghes-3.19] [--base-path /api/v3]`
 */
export async function startOpenapiUpstream(options: UpstreamOptions = {}): Promise<OpenapiUpstream> {
  const { port = 0, description = 'api.github.com', basePath = '' } = options
  const api = readDescription(description)
  const requests: UpstreamRequest[] = []
  const overrides = new Map<string, AnswerOverride>()
  const server = createServer((request, response) => {
    serve({ request, response, api, basePath, requests, overrides }).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port')
  return {
    url: `http://127.0.0.1:${address.port}${basePath}`,
    requests,
    answer: (operationId, override) => void overrides.set(operationId, override),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export interface UpstreamOptions {
  readonly port?: number
  /** Which description of `@octokit/openapi` it speaks. */
  readonly description?: string
  /** Where the API begins: `/api/v3` on Enterprise Server. */
  readonly basePath?: string
}

export interface OpenapiUpstream extends AsyncDisposable {
  readonly url: string
  /** What came in, in order. */
  readonly requests: readonly UpstreamRequest[]
  /** From now on answers this operation with another status or example, or with a body of the test's own. */
  answer(operationId: string, override: AnswerOverride): void
}

export interface UpstreamRequest {
  readonly operationId: string | undefined
  readonly method: string
  /** As sent, still encoded, without the query. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: unknown
}

export interface AnswerOverride {
  readonly status?: number
  /** The name of a published example other than the first. */
  readonly example?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly api: Description
  readonly basePath: string
  readonly requests: UpstreamRequest[]
  readonly overrides: ReadonlyMap<string, AnswerOverride>
}

async function serve({ request, response, api, basePath, requests, overrides }: Exchange): Promise<void> {
  const { method = 'GET', headers } = request
  const [path = '/', search = ''] = (request.url ?? '/').split('?')
  const query = new URLSearchParams(search)
  const body = await bodyOf(request)
  const matched = path.startsWith(basePath) ? api.match(method, path.slice(basePath.length)) : undefined
  const operationId = matched?.operation.operationId
  requests.push({ operationId, method, path, query: Object.fromEntries(query), headers, body })
  if (!matched) return send(response, { status: 404, body: { message: 'Not Found', status: '404' } })

  const override = overrides.get(matched.operation.operationId)
  const faults = api.faults(matched.operation, { params: matched.params, query, body })
  if (faults.length > 0) {
    const errors = faults.map((message) => ({ resource: 'Request', code: 'custom', message }))
    return send(response, { status: 422, body: { message: 'Validation Failed', errors } })
  }
  const answer = api.answer(matched.operation, override)
  const url = `http://${headers.host ?? '127.0.0.1'}${path}`
  return send(response, {
    status: answer.status,
    body: override && 'body' in override ? override.body : answer.body,
    headers: { ...(answer.paged ? linkOf(url, Number(query.get('page') ?? 1)) : {}), ...override?.headers },
  })
}

/** The `Link` header that the description shows, for this path: five pages of whatever is asked. */
function linkOf(url: string, page: number): Record<string, string> {
  return page < 5 ? { Link: `<${url}?page=${page + 1}>; rel="next", <${url}?page=5>; rel="last"` } : {}
}

function send(response: ServerResponse, answer: { status: number; body: unknown; headers?: Record<string, string> }): void {
  response.writeHead(answer.status, { 'Content-Type': 'application/json; charset=utf-8', ...answer.headers })
  response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body))
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '0' }, description: { type: 'string' }, 'base-path': { type: 'string' } },
  })
  const upstream = await startOpenapiUpstream({
    port: Number(values.port),
    ...(values.description === undefined ? {} : { description: values.description }),
    ...(values['base-path'] === undefined ? {} : { basePath: values['base-path'] }),
  })
  process.stdout.write(`${upstream.url}\n`)
}
