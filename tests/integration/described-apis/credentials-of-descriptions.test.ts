import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { EntryConfig } from '../../../host/src/config/schema/schema.ts'
import { createHost } from '../../../host/src/host.ts'
import { startUpstream } from '../../fixtures/http/upstream.ts'
import { pluginPids } from '../../fixtures/plugins/plugin-processes.ts'
import { memoryHolds } from '../../fixtures/plugins/process-memory.ts'
import { describedProject } from '../../fixtures/projects/described-project.ts'

const document = (place: object, security: object[] = [{ key: [] }]) =>
  JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'Things', version: '1' },
    components: { securitySchemes: { key: place } },
    security,
    paths: {
      '/things': {
        get: { operationId: 'list', responses: {} },
        put: { operationId: 'open', security: [], responses: {} },
      },
    },
  })
const inQuery = { type: 'apiKey', in: 'query', name: 'api_key' }

test('two mounts of one description send each its own credential, where the description says, and their processes see neither', async () => {
  await using upstream = await startUpstream((response, { path, headers }) => response.end(JSON.stringify({ path, headers })))
  const entry = (as: string): EntryConfig => ({ use: 'openapi:./things.json', as, config: { apiUrl: `${upstream.url}/${as}` } })
  const plugins = [entry('blue'), entry('green')]
  using folder = describedProject({ 'things.json': document(inQuery) }, { plugins })
  const env = { BLUE_API_KEY: 'canary-blue', GREEN_API_KEY: 'canary-green' }
  await using host = await createHost({ plugins }, { file: folder.path('mcp.config.json'), env, patienceMs: Infinity })
  const answers: string[] = []
  for (const name of ['blue_list', 'green_list', 'blue_open']) {
    const answer = await host.call(name)
    answers.push(JSON.stringify(answer))
    assert.doesNotMatch(JSON.stringify(answer), /"isError":true/)
  }
  assert.deepEqual(
    upstream.requests.map(({ path }) => path),
    ['/blue/things?api_key=canary-blue', '/green/things?api_key=canary-green', '/blue/things'],
  )
  // The service says all that it was sent.
  assert.doesNotMatch(answers.join(''), /canary/)
  assert.match(answers[0] ?? '', /api_key/)
  const pids = pluginPids()
  assert.equal(pids.length, 2)
  if (process.platform !== 'linux') return
  for (const pid of pids) {
    assert.ok(memoryHolds(pid, 'api_key'), 'what it was told is found')
    for (const secret of Object.values(env)) assert.ok(!memoryHolds(pid, secret))
  }
})

test('where a credential goes is pinned with every tool: another place at an address hides them', async () => {
  let place: object = inQuery
  await using upstream = await startUpstream((response, { path }) =>
    path.startsWith('/openapi.json') ? response.end(document(place)) : response.end('{}'),
  )
  const config = {
    plugins: [{ use: `openapi:${upstream.url}/openapi.json`, as: 'things', config: { apiUrl: upstream.url } }],
  }
  using folder = describedProject({}, config)
  await folder.lock()
  const lock = readFileSync(folder.path('mcp.lock.json'), 'utf8')
  assert.match(lock, new RegExp(`"document": \\{\\s*"from": "${upstream.url}/openapi.json"\\s*\\}`))
  {
    await using started = await folder.start({ ...config, frozen: true })
    assert.equal(started.plugin().pinned, 'pinned')
  }
  place = { type: 'apiKey', in: 'header', name: 'X-Tracking' }
  await using started = await folder.start({ ...config, frozen: true })
  assert.deepEqual([...(started.plugin().quarantined ?? [])].toSorted(), ['list', 'open'])
  assert.deepEqual(started.tools(), [])
})
