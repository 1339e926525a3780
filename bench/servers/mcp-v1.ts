// The SDK's v1, with a session for each client as its documentation wires it: the server that 2025-era clients know.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { z } from 'zod'
import { echo, fillers, PORT } from './tools.ts'

const input = { text: z.string().describe('The text to return.') }
const sessions = new Map<string, StreamableHTTPServerTransport>()

function build(): McpServer {
  const server = new McpServer({ name: 'mcp-v1', version: '1.0.0' })
  server.registerTool(echo.name, { description: echo.description, inputSchema: input }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }))
  for (const { name, description } of fillers)
    server.registerTool(name, { description, inputSchema: input }, () => ({ content: [{ type: 'text', text: 'none' }] }))
  return server
}

async function open(): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => void sessions.set(id, transport),
  })
  await build().connect(transport)
  return transport
}

createServer((request, response) => {
  const id = request.headers['mcp-session-id']
  const known = typeof id === 'string' ? sessions.get(id) : undefined
  void (async () => (known ?? (await open())).handleRequest(request, response))()
}).listen(PORT, '127.0.0.1')
