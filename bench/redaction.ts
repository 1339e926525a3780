/**
 * What does it cost to take secrets out of what plugins answer? A tool that answers 1 KB and 100 KB of text is called over HTTP by 16
 * kept connections, in a host that knows 2, 20 and 200 secrets; beside it, in the same run, what the search of the same answer takes. The
 * share is of the CPU time of the whole process, the client's half included, so the true one of the host is below twice of it. Prints
 * Markdown.
 *
 *   node --conditions=@mcp-patchbay/source bench/redaction.ts
 */
import { randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
import { createHost } from 'mcp-patchbay'
import { createRedactor } from '../host/src/observability/redact.ts'
import { silentLogger } from '../host/src/observability/logger.ts'
import { median, ROUNDS } from './lib/report.ts'

const CONNECTIONS = 16
const WORDS = 'The quick brown issue #4711 was closed by ada, see https://tracker.example.com/browse/PB-17 for more. '.repeat(
  1_100,
)

const BODY = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: 'echo_text_get',
    arguments: {},
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
})
const HEADERS = {
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
  'content-length': Buffer.byteLength(BODY),
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'echo_text_get',
}

console.log(`Node ${process.version}, ${CONNECTIONS} connections, median of ${ROUNDS} rounds\n`)
console.log('| answer | secrets | CPU µs a call | search µs | share |\n| --- | ---: | ---: | ---: | ---: |')
for (const bytes of [1_024, 102_400])
  for (const count of [2, 20, 200]) {
    const redact = createRedactor(Array.from({ length: count }, () => randomBytes(24).toString('base64url')))
    const perCall = await callsWith(redact, bytes)
    const perSearch = searchOf(redact.answer, WORDS.slice(0, bytes))
    const share = ((perSearch / perCall) * 100).toFixed(1)
    console.log(`| ${bytes / 1_024} KB | ${count} | ${perCall.toFixed(0)} | ${perSearch.toFixed(2)} | ${share} % |`)
  }

async function callsWith(redact: ReturnType<typeof createRedactor>, bytes: number): Promise<number> {
  const text = WORDS.slice(0, bytes)
  const echo = definePlugin({
    name: 'echo',
    config: Type.Object({}),
    isAuthConfigured: () => true,
    createClient: () => undefined,
    tools: [defineTool({ name: 'text_get', description: 'Answers.', access: 'read', input: Type.Object({}), run: () => text })],
  })
  const host = await createHost({ plugins: [{ use: echo }] }, { redact, log: silentLogger })
  const { url = '' } = await host.listen({ http: { port: 0 } })
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const calls = bytes > 10_000 ? 2_000 : 10_000
  const rounds: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const before = process.cpuUsage()
    await Promise.all(Array.from({ length: CONNECTIONS }, () => callMany(new URL(url), agent, calls / CONNECTIONS)))
    const { user, system } = process.cpuUsage(before)
    if (round > 0) rounds.push((user + system) / calls)
  }
  agent.destroy()
  await host.close({ graceMs: 0 })
  return median(rounds)
}

async function callMany(url: URL, agent: Agent, times: number): Promise<void> {
  for (let call = 0; call < times; call++)
    await new Promise<void>((resolve, reject) => {
      const sent = request(url, { agent, method: 'POST', headers: HEADERS }, (response) => {
        response.on('end', resolve).resume()
      })
      sent.on('error', reject)
      sent.end(BODY)
    })
}

function searchOf(redact: (text: string) => string, text: string): number {
  const times = text.length > 10_000 ? 2_000 : 100_000
  const rounds: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const before = process.cpuUsage()
    for (let time = 0; time < times; time++) redact(text)
    const { user, system } = process.cpuUsage(before)
    if (round > 0) rounds.push((user + system) / times)
  }
  return median(rounds)
}
