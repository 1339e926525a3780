import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTrace, traceOf } from './trace-context.ts'
import type { Tracing } from './types.ts'

/**
 * Makes an HTTP request of an MCP client a span, by OpenTelemetry's conventions for HTTP servers, until its answer is sent or its client
 * has gone. The headers of the request name that span from then on, so that what is done for it stands below.
 */
export function spanOfRequest(tracing: Tracing, req: IncomingMessage, res: ServerResponse, path: string): void {
  const { method = '', headers } = req
  const route = path.replace(VIEWS, '/x/{tags}')
  const span = tracing.begin(`${method} ${route}`, {
    kind: 'server',
    parent: traceOf(undefined, headers),
    attributes: () => ({
      'http.request.method': method,
      'http.route': route,
      'url.path': route,
      'url.scheme': 'http',
      'network.protocol.version': req.httpVersion,
    }),
  })
  setTrace(headers, span.trace)
  if (!span.isRecorded) return
  res.once('close', () => {
    if (!res.headersSent) return span.end({ error: 'client_gone' })
    const { statusCode } = res
    span.end({
      attributes: { 'http.response.status_code': statusCode },
      // What the client did wrong is no error of a server.
      ...(statusCode >= 500 && { error: String(statusCode) }),
    })
  })
}

/** Anything may stand there, and a name of a span is to be one of few. */
const VIEWS = /\/x\/[^/]*/
