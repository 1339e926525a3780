import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { spawnPatchbay, startPatchbay } from '../fixtures/projects/patchbay-process.ts'

const WAITS = ['--config', join(import.meta.dirname, '../fixtures/stopping/mcp.config.json')]
const IMPATIENT = ['--config', join(import.meta.dirname, '../fixtures/stopping/impatient.json')]

test('on SIGTERM a call that runs is finished and answered, and the host ends with 0 though a plugin left a timer', async () => {
  await using host = await startPatchbay(WAITS)
  const answer = rawClient(host.url).call('waits_until_stopped')
  await host.logged('waiting')
  const exited = host.stop()
  const { status, headers, text: body } = await answer
  assert.equal(status, 200)
  assert.match(body, /"text":"finished"/)
  assert.equal(headers.get('connection'), 'close')
  assert.equal(await exited, 0)
})

test('on stdio too', async () => {
  const child = spawnPatchbay(['start', '--transport', 'stdio', ...WAITS])
  const stdout = text(child.stdout)
  const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'waits_until_stopped', arguments: {} } }
  const client = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'pipe', version: '1' } }
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: client })}\n`)
  child.stdin.write(`${JSON.stringify(call)}\n`)
  let log = ''
  for await (const chunk of child.stderr.setEncoding('utf8')) {
    if (log.includes('"waiting"')) continue
    log += String(chunk)
    if (log.includes('"waiting"')) child.kill('SIGTERM')
  }
  assert.match(await stdout, /"text":"finished"/)
  assert.equal(child.exitCode ?? ((await once(child, 'exit')) as [number])[0], 0)
})

test('a call that does not finish within limits.drainMs is told so, and the host ends with 0', async () => {
  await using host = await startPatchbay(IMPATIENT)
  const answer = rawClient(host.url).call('waits_for_ever')
  await host.logged('waiting')
  const exited = host.stop()
  const { text: body } = await answer
  assert.match(body, /shutting down and the call did not finish in time/)
  assert.equal(await exited, 0)
})

test('a second signal ends the host at once', async () => {
  await using host = await startPatchbay(WAITS)
  const unanswered = assert.rejects(rawClient(host.url).call('waits_for_ever'))
  await host.logged('waiting')
  host.kill('SIGTERM')
  await host.logged('stopping')
  host.kill('SIGTERM')
  assert.equal(await host.exited, 143)
  await unanswered
})
