import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServerConnection } from '../../../host/src/plugin/mcp-server/connect/types.ts'
import { readOffer } from '../../../host/src/plugin/mcp-server/connect/server-offer.ts'
import { describeServer } from '../../../host/src/plugin/mcp-server/surface/describe-server.ts'

const failure = (code: number | string) => Object.assign(new Error('database is away'), { code })

/** A server whose resources and prompts cannot be listed. */
const connection = (error: Error): ServerConnection => ({
  era: 'legacy',
  prior: { kind: 'legacy' },
  server: undefined,
  tail: () => '',
  capabilities: { tools: {}, resources: {}, prompts: {} },
  closed: new Promise(() => {}),
  async request(method) {
    if (method === 'tools/list') return { tools: [{ name: 'query', inputSchema: { type: 'object' } }] }
    throw error
  },
  async notify() {},
  async listen() {},
  async close() {},
})
const read = (error: Error) => readOffer(connection(error), new AbortController().signal, 1_000)

test('a server that cannot list its resources serves its tools, and the list is named', async () => {
  const offer = await read(failure(-32_603))
  const { found, leftOut } = describeServer(offer, { instance: 'pg', isInteractive: false })
  assert.equal(found.tools.length, 1)
  assert.deepEqual(
    leftOut.map(({ kind, name, faults }) => [kind, name, faults[0]?.problem]),
    ['resources/list', 'resources/templates/list', 'prompts/list'].map((method) => [
      method.startsWith('prompts') ? 'prompt' : 'resource',
      method,
      'cannot be listed: database is away',
    ]),
  )
})

test('a list without an end is served as far as a host can hold it, and what is cut is named', async () => {
  const endless: ServerConnection = {
    ...connection(failure(-32_601)),
    async request(method, params) {
      const page = Number(params['cursor'] ?? 0)
      if (method === 'tools/list')
        return {
          tools: Array.from({ length: 20 }, (_, index) => ({ name: `t${page}_${index}`, inputSchema: { type: 'object' } })),
          nextCursor: String(page + 1),
        }
      if (method === 'prompts/list') return { prompts: [{ name: `p${page}` }], nextCursor: String(page + 1) }
      throw failure(-32_601)
    },
  }
  const offer = await readOffer(endless, new AbortController().signal, 1_000)
  assert.deepEqual(offer.cut, [
    { kind: 'tool', method: 'tools/list', kept: 10_000 },
    { kind: 'prompt', method: 'prompts/list', kept: 1_000 },
  ])
  const { found, leftOut } = describeServer(offer, { instance: 'pg', isInteractive: false })
  assert.equal(found.tools.length, 10_000)
  assert.deepEqual(
    leftOut.map(({ kind, name, faults }) => [kind, name, faults[0]?.problem]),
    [
      ['tool', 'tools/list', 'is a list that goes on after 10000: what is behind is not served'],
      ['prompt', 'prompts/list', 'is a list that goes on after 1000: what is behind is not served'],
    ],
  )
})

test('a method that a server does not have is no fault of it', async () => {
  assert.equal((await read(failure(-32_601))).unlisted, undefined)
})

test('what ends the connection ends the listing', async () => {
  await assert.rejects(read(failure('CONNECTION_CLOSED')), { message: 'database is away' })
})
