import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { strayStdin } from '../../../host/src/cli/terminal/stray-stdin.ts'

function start() {
  const input = new PassThrough()
  const written: string[] = []
  const output = {
    write(line: string) {
      written.push(line)
      return true
    },
    on: () => undefined,
    off: () => undefined,
  }
  const log = fakeLog()
  let isOver = false
  void strayStdin({ log, url: 'http://127.0.0.1:3000/mcp', input, output }).then(() => (isOver = true))
  const warnings = () => log.lines.filter(({ event }) => event === 'stdin_not_served').length
  return { input, written, warnings, isOver: () => isOver }
}

for (const [what, lines] of [
  ['nothing', ''],
  ['text', 'hello\n'],
  ['JSON of another kind', '{"hello":1}\n{"jsonrpc":"2.0","id":1,"method":"ping"}\n'],
  ['a line without end', 'x'.repeat(3_000_000)],
] as const)
  test(`${what} on the stdin of a host that serves HTTP changes nothing, nor does its end`, async () => {
    const { input, written, warnings, isOver } = start()
    input.write(lines)
    input.end()
    for (let turn = 0; turn < 5; turn++) await setImmediate()
    assert.deepEqual([warnings(), written, isOver()], [0, [], false])
  })

test('JSON-RPC on the stdin of a host that serves HTTP is warned of once, and its end is the end', async () => {
  const { input, written, warnings, isOver } = start()
  for (const id of [1, 2]) input.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'initialize' })}\n`)
  input.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\nno JSON\n')
  for (let turn = 0; turn < 5; turn++) await setImmediate()
  assert.deepEqual([warnings(), isOver()], [1, false])
  assert.equal(written.length, 2)
  input.end()
  for (let turn = 0; turn < 5; turn++) await setImmediate()
  assert.equal(isOver(), true)
})
