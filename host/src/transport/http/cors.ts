import type { IncomingMessage, ServerResponse } from 'node:http'

/** Tells the browser that its page, whose origin was admitted, may read the answer. Nothing for requests without an Origin. */
export function allowOrigin(req: IncomingMessage, res: ServerResponse): void {
  const { origin } = req.headers
  if (origin === undefined) return
  res.setHeader('access-control-allow-origin', origin)
  res.setHeader('access-control-expose-headers', 'mcp-session-id, mcp-protocol-version, www-authenticate, retry-after')
  res.setHeader('vary', 'origin')
}

/** Answers OPTIONS: a browser's preflight, or the question which methods there are. */
export function answerOptions(req: IncomingMessage, res: ServerResponse, methods: string): void {
  if (req.headers['access-control-request-method'] !== undefined) {
    res.setHeader('access-control-allow-methods', methods)
    res.setHeader('access-control-allow-headers', allowedHeaders(req.headers['access-control-request-headers']))
    res.setHeader('access-control-max-age', '600')
  }
  res.writeHead(204, { allow: methods }).end()
}

/** Of the headers a page wants to send, those that mean something here: Mcp-Param-* and X-Upstream-* cannot be listed in advance. */
function allowedHeaders(wanted = ''): string {
  return wanted
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) =>
      /^(?:accept|authorization|content-type|last-event-id|x-api-key|(?:mcp|x-patchbay|x-upstream)-[a-z0-9-]+)$/.test(name),
    )
    .join(', ')
}
