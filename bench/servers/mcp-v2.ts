// The SDK's own handler as its documentation wires it: a fresh server with all its tools for each request.
import { createServer } from 'node:http'
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'
import { echo, fillers, IS_STDIO, PORT } from './tools.ts'

const input = z.object({ text: z.string().describe('The text to return.') })
const search = () =>
  z.object({
    project: z.string().min(1).max(64).describe('The key of the project, for example "ENG".'),
    query: z.string().describe('Free text, or a filter such as "state:open author:ada".'),
    limit: z.number().int().min(1).max(100).default(20).describe('How many matches to return at most.'),
    state: z.enum(['open', 'closed', 'all']).default('open').describe('Which items to look at.'),
    labels: z.array(z.string()).optional().describe('Only items that carry all of these labels.'),
    includeArchived: z.boolean().default(false).describe('Whether archived projects count as well.'),
  })
const searches = fillers.map((filler) => ({ ...filler, inputSchema: search() }))

function build(): McpServer {
  const server = new McpServer({ name: 'mcp-v2', version: '1.0.0' })
  server.registerTool(echo.name, { description: echo.description, inputSchema: input }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }))
  for (const { name, description, inputSchema } of searches)
    server.registerTool(name, { description, inputSchema }, () => ({ content: [{ type: 'text', text: 'none' }] }))
  return server
}

if (IS_STDIO) serveStdio(build)
else {
  const handle = toNodeHandler(createMcpHandler(build))
  const isValidHost = localhostHostValidation()
  const isValidOrigin = localhostOriginValidation()
  createServer((request, response) => {
    if (isValidHost(request, response) && isValidOrigin(request, response))
      void handle(request as Parameters<typeof handle>[0], response)
  }).listen(PORT, '127.0.0.1')
}
