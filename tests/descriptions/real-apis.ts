/**
 * Descriptions of real APIs, as packages of npm ship them: `npm run test:descriptions`. Each operation is served, or named with its
 * reason; each tool is called with inputs that are made from its schema, against a service here that answers with what it was asked.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createHost } from '../../host/src/host.ts'
import type { Host } from '../../host/src/types.ts'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { served } from '../../plugins/openapi/tests/described.ts'
import { startUpstream } from '../fixtures/http/upstream.ts'
import { describedProject } from '../fixtures/projects/described-project.ts'
import { DESCRIPTIONS, textOf } from './real-descriptions.ts'
import { sampleOf } from './schema-samples.ts'

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace']
const AT_ONCE = 16
const upstream = await startUpstream((response, { method, path }) =>
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ method, path })),
)

describe('descriptions of real APIs', { concurrency: 1 }, () => {
  for (const description of DESCRIPTIONS) {
    const { name, version, operations } = description
    test(`${name}, ${version}: every operation is served or named, and none of its calls fails in the host or the plugin`, async (t) => {
      const text = textOf(description)
      const described = operationsOf(text)
      assert.ok(described.length >= operations, `${described.length} operations`)

      const { plugin, leftOut } = await served(text)
      const requests = new Set(plugin.tools.map(({ description: words }) => words.split('\n\n').at(-1)))
      const named = new Set(leftOut.map(({ operation }) => operation))
      assert.deepEqual(
        described.filter((one) => !requests.has(one) && !named.has(one) && !named.has(one.slice(one.indexOf(' ') + 1))),
        [],
        'lost without a word',
      )
      for (const { operation, reason } of leftOut) assert.ok(String(reason).length > 10, `${String(operation)} has no reason`)

      const config = {
        plugins: [{ use: `openapi:./${name}.json`, as: name, config: { apiUrl: upstream.url } }],
        pluginDirs: [],
        limits: { loadTimeoutMs: 120_000 },
      }
      using project = describedProject({ [`${name}.json`]: text }, config)
      const log = fakeLog()
      await using host = await createHost(config, {
        file: project.path('mcp.config.json'),
        env: { [`${name.toUpperCase()}_API_KEY`]: 'canary' },
        log,
        patienceMs: Infinity,
      })
      const [listed] = host.list().plugins
      assert.equal(listed?.state, 'active', listed?.reason?.message ?? 'it is not served')
      const hidden = listed.tools.filter(({ visible }) => !visible)
      assert.deepEqual(hidden, [])
      const toldByHost = new Set(listed.warnings.flatMap(({ name: tool, leftOut: isOut }) => (isOut ? [tool] : [])))
      assert.equal(listed.tools.length + toldByHost.size, plugin.tools.length, 'the host takes each tool or names it')

      const before = upstream.requests.length
      const outcomes = await callAll(host)
      const reached = upstream.requests.length - before
      const failed = outcomes.filter(({ said }) => /INTERNAL|PLUGIN_THREW|threw an error|failed in the host/.test(said))
      assert.deepEqual(failed.slice(0, 5), [])
      assert.deepEqual(
        log.lines.filter(({ level }) => level === 'error'),
        [],
      )
      t.diagnostic(
        `${described.length} operations, ${listed.tools.length} served, ${leftOut.length + toldByHost.size} named, ${outcomes.length} calls, ${reached} reached the service`,
      )
      for (const [reason, count] of reasonsOf(leftOut)) t.diagnostic(`${count} left out: ${reason}`)
      assert.ok(reached > outcomes.length * 0.9, `only ${reached} of ${outcomes.length} calls reached the service`)
    })
  }
})

test.after(() => upstream[Symbol.asyncDispose]())

interface Outcome {
  readonly tool: string
  readonly said: string
}

/** Each tool with the least and with the most that its schema takes. */
async function callAll(host: Host): Promise<readonly Outcome[]> {
  const calls = [...host.snapshot.tools.values()].flatMap(({ name, wire }) =>
    [false, true].map((isWhole) => ({ name, input: sampleOf(wire.inputSchema, { isWhole }) })),
  )
  const outcomes: Outcome[] = []
  const worker = async () => {
    for (let call = calls.pop(); call; call = calls.pop()) {
      const { name, input } = call
      const said = await host.call(name, input).then(
        (answer) => JSON.stringify(answer),
        (error: unknown) => String(error),
      )
      outcomes.push({ tool: name, said })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return outcomes
}

function operationsOf(text: string): readonly string[] {
  const { paths } = JSON.parse(text) as { readonly paths: Readonly<Record<string, object>> }
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).flatMap((key) => (METHODS.includes(key) ? [`${key.toUpperCase()} ${path}`] : [])),
  )
}

function reasonsOf(leftOut: readonly { readonly [key: string]: unknown }[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { reason } of leftOut) counts.set(String(reason), (counts.get(String(reason)) ?? 0) + 1)
  return counts
}
