import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import { parse } from 'yaml'
import { withDefaults } from '../../host/src/config/schema/defaults.ts'
import { configSchema } from '../../host/src/config/schema/schema.ts'
import { rawClient } from '../../tests/fixtures/http/raw-client.ts'
import { startPatchbay } from '../../tests/fixtures/projects/patchbay-process.ts'
import config from '../project/mcp.config.ts'
import { deployedProject } from './project.ts'
import { missing } from './tools.ts'

const folder = join(import.meta.dirname, '..')
const limits = withDefaults(configSchema, { limits: config.limits }).limits
const stopMs = limits.leaveMs + limits.drainMs

test('the project of the example starts frozen, asks for keys, and answers the kubelet', async () => {
  using project = await deployedProject()
  await using host = await startPatchbay([], { cwd: project.folder, env: { MCP_DEPLOYMENT: 'production' } })
  const ready = async (header: string): Promise<unknown> => {
    const url = `http://127.0.0.1:${host.management.port}/readyz`
    const [response] = (await once(get(url, { headers: { host: header } }), 'response')) as [IncomingMessage]
    return json(response)
  }
  // By the address of the pod, which the host cannot know beforehand.
  assert.partialDeepStrictEqual(await ready('10.244.1.7:3001'), { ready: true, draining: false, generation: 1, degraded: [] })
  assert.match(JSON.stringify(await ready('rebound.example')), /is not allowed/)
  const client = rawClient(new URL(`http://127.0.0.1:${host.url.port}/mcp`))
  assert.equal((await client.post('tools/list')).status, 401)
  assert.deepEqual(await client.tools({ authorization: `Bearer ${project.key}` }), ['hello_people_greet'])
  const exited = host.stop()
  await host.logged('leaving')
  assert.partialDeepStrictEqual(await ready('10.244.1.7:3001'), { ready: false, draining: true })
  assert.equal((await client.call('hello_people_greet', { name: 'Ada' }, { authorization: `Bearer ${project.key}` })).status, 200)
  assert.equal(await exited, 0)
})

test(
  'haproxy takes its configuration, asks /readyz often enough, and sends a call again only when no replica read it',
  { skip: missing('haproxy') },
  () => {
    const replicas = ['A', 'B', 'C'].flatMap((name) => [
      [name, '127.0.0.1:3000'],
      [`${name}_MANAGEMENT`, '3001'],
    ])
    execFileSync('haproxy', ['-c', '-f', join(folder, 'haproxy/haproxy.cfg')], {
      env: { ...process.env, LISTEN: '127.0.0.1:8080', ...Object.fromEntries(replicas) },
      stdio: 'pipe',
    })
    const text = readFileSync(join(folder, 'haproxy/haproxy.cfg'), 'utf8')
    const [, inter = ''] = /inter (\d+)ms fall 1/.exec(text) ?? assert.fail('it has a check')
    assert.ok(Number(inter) < limits.leaveMs)
    assert.match(text, /^ {2}retry-on conn-failure$/m)
  },
)

test(
  'systemd takes the unit, finds it confined, and waits until the host has drained',
  { skip: missing('systemd-analyze') },
  () => {
    const unit = join(folder, 'systemd/patchbay.service')
    execFileSync('systemd-analyze', ['verify', '--man=no', unit], { stdio: 'pipe' })
    // Exits with 1 when the exposure is above 2.0 of 10.
    execFileSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit], { stdio: 'pipe' })
    const text = readFileSync(unit, 'utf8')
    const [, seconds = ''] = /^TimeoutStopSec=(\d+)$/m.exec(text) ?? assert.fail('it has a limit')
    assert.ok(Number(seconds) * 1000 > stopMs)
  },
)

test('compose gives the host the time to drain, and the ports of the example', () => {
  const { services } = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8')) as {
    readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  }
  assert.ok(Number.parseInt(String(services['patchbay']?.['stop_grace_period']), 10) * 1000 > stopMs)
  assert.deepEqual(services['patchbay']?.['ports'], ['3000:3000', '127.0.0.1:3001:3001'])
  for (const [name, { read_only, cap_drop }] of Object.entries(services))
    assert.deepEqual({ name, read_only, cap_drop }, { name, read_only: true, cap_drop: ['ALL'] })
})
