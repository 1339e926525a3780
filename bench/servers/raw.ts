// As little as a server can do: node:http or stdin, JSON.parse, JSON.stringify. It checks nothing and is no MCP server.
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { echo, fillers, IS_STDIO, PORT } from './tools.ts'

const text = (description: string) => ({ type: 'string', description })
const tools = [
  { ...echo, inputSchema: { type: 'object', properties: { text: text('The text to return.') }, required: ['text'] } },
  ...fillers.map((filler) => ({
    ...filler,
    inputSchema: {
      type: 'object',
      properties: {
        project: { ...text('The key of the project, for example "ENG".'), minLength: 1, maxLength: 64 },
        query: text('Free text, or a filter such as "state:open author:ada".'),
        limit: { type: 'integer', minimum: 1, maximum: 100, default: 20, description: 'How many matches to return at most.' },
        state: { type: 'string', enum: ['open', 'closed', 'all'], default: 'open', description: 'Which items to look at.' },
        labels: { type: 'array', items: { type: 'string' }, description: 'Only items that carry all of these labels.' },
        includeArchived: { type: 'boolean', default: false, description: 'Whether archived projects count as well.' },
      },
      required: ['project', 'query'],
    },
  })),
]

interface RawRequest {
  readonly id: number
  readonly method: string
  readonly params: { readonly arguments?: { readonly text: string } }
}

function answer(request: string): string {
  const { id, method, params } = JSON.parse(request) as RawRequest
  const result = method === 'tools/list' ? { tools } : { content: [{ type: 'text', text: params.arguments?.text }] }
  return JSON.stringify({ jsonrpc: '2.0', id, result })
}

if (IS_STDIO) createInterface(process.stdin).on('line', (line) => process.stdout.write(`${answer(line)}\n`))
else {
  createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = answer(Buffer.concat(chunks).toString())
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
    })
  }).listen(PORT, '127.0.0.1')
}
