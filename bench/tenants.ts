/**
 * What does a tenant cost? A host with 1, 10, 100 and 1,000 tenants, each with settings of its own for the plugin and an API key. Memory after
 * the start; after every tenant has called once, which makes its client; and CPU of a call of 1 KB when the tenants take turns.
 *
 *   node bench/tenants.ts
 */
import { Agent, request } from 'node:http'
import { keyedProject } from './lib/keyed-project.ts'
import { median, ROUNDS } from './lib/report.ts'
import { cpuUs, Server } from './lib/server.ts'
import { echoCall, requestOf } from './lib/wire.ts'

const CONNECTIONS = 16
const CALLS = 10_000
const { headers, body } = requestOf(echoCall('bench_echo', 1_000))

console.log(`### Tenants, each with an API key and settings of its own; ${CALLS} calls in turns, median of ${ROUNDS}\n`)
console.log(
  '| tenants | first list ms | RSS MB, started | RSS MB, all have called | CPU µs a call |\n| ---: | ---: | ---: | ---: | ---: |',
)
for (const count of [1, 10, 100, 1_000]) {
  const tenants = Array.from({ length: count }, (_, index) => `tenant${index}`)
  using project = keyedProject(tenants)
  const { config, keyOf } = project
  await using server = await Server.start('patchbay', { config, key: keyOf('tenant0') })
  const started = server.rssMb
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const call = (tenant: string) => callAs(server.port, agent, keyOf(tenant))
  await each(tenants, call)
  const allCalled = server.rssMb
  const costs: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const before = cpuUs(server.pid)
    await each(
      Array.from({ length: CALLS }, (_, index) => tenants[index % count] ?? ''),
      call,
    )
    if (round > 0) costs.push((cpuUs(server.pid) - before) / CALLS)
  }
  agent.destroy()
  const figures = [server.readyMs, started, allCalled].map(Math.round)
  console.log(`| ${[count, ...figures, median(costs).toFixed(1)].join(' | ')} |`)
}
console.log('')

/** So many at a time as there are connections. */
async function each(tenants: readonly string[], call: (tenant: string) => Promise<void>): Promise<void> {
  let next = 0
  const one = async () => {
    while (next < tenants.length) await call(tenants[next++] ?? '')
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, one))
}

function callAs(port: number, agent: Agent, key: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: '127.0.0.1',
      path: '/mcp',
      method: 'POST',
      agent,
      headers: { ...headers, authorization: `Bearer ${key}` },
    }
    const sent = request(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () =>
        text.includes('The quick brown fox') ? resolve() : reject(new Error(`${response.statusCode} ${text}`)),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
