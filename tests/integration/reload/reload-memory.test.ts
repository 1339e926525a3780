import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

interface Outcome {
  readonly reloads: number
  readonly collected: number
  readonly bytesPerReload: number
  readonly warnings: number
  readonly distinctWarnings: number
}

/** Without the optimising compilers: their code for what gets warm is no leak, and larger than what one would be. */
const cold = ['--no-opt', '--no-maglev', '--no-sparkplug']

/** Reloads in a process of its own. */
function collect(reloads: number, kind: 'clean' | 'leak'): Outcome {
  const script = new URL('../../fixtures/plugins/collect-host.ts', import.meta.url).pathname
  const flags = ['--conditions=@mcp-patchbay/source', '--expose-gc', ...(kind === 'clean' ? cold : [])]
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, script, String(reloads), kind], { encoding: 'utf8' })
  assert.ok(stdout, stderr)
  return JSON.parse(stdout) as Outcome
}

test('a whole host lets go of every version that it replaced, and keeps less than 2 kB for each', () => {
  // Ajv's engine is replaced every 64 schemas, of which this plugin has three: 64 reloads are whole turns of it. More of them are run by soak:memory.
  const { reloads, collected, bytesPerReload, warnings } = collect(64, 'clean')
  assert.ok(collected >= 0.98 * reloads, `${collected} of ${reloads} collected`)
  assert.ok(bytesPerReload < 2_048, `${bytesPerReload} bytes for each`)
  assert.equal(warnings, 0)
})

test('names a plugin whose old version is held by something that it left behind, once for each version', () => {
  const { collected, warnings, distinctWarnings } = collect(10, 'leak')
  assert.deepEqual([collected, distinctWarnings], [0, warnings])
  assert.equal(warnings, 10)
})
