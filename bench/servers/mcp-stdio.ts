// An MCP server of 2025-11-25 on stdio with one tool, by hand: what it takes is the protocol and nothing else.
import { createInterface } from 'node:readline'

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly arguments?: { readonly text: string }; readonly protocolVersion?: string }
}

const results: Readonly<Record<string, (params: Message['params']) => object>> = {
  initialize: (params) => ({
    protocolVersion: params?.protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'mcp-stdio', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({
    tools: [
      {
        name: 'echo',
        description: 'Returns the text unchanged.',
        inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
        annotations: { readOnlyHint: true },
      },
    ],
  }),
  'tools/call': (params) => ({ content: [{ type: 'text', text: params?.arguments?.text }] }),
}

createInterface(process.stdin).on('line', (line) => {
  const { id, method = '', params } = JSON.parse(line) as Message
  if (id === undefined) return
  const result = results[method]?.(params)
  const answer = result === undefined ? { error: { code: -32_601, message: 'Method not found' } } : { result }
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...answer })}\n`)
})
