import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { AnyPlugin } from '../plugin.ts'
import { clientWarnings, pluginChecks, shapeCheck, type CheckOptions } from './plugin-checks.ts'

/**
 * The contract as a suite of `node:test`: one test for each promise, with every fault in its message. Call it at the top of a test file.
 *
 *     checkPlugin(plugin)
 */
export function checkPlugin(plugin: AnyPlugin, options: CheckOptions = {}): void {
  suite(`plugin ${String((plugin as AnyPlugin | undefined)?.name)}`, () => {
    const shape = shapeCheck.faults(plugin, options)
    test(shapeCheck.name, () => expectNone(shape))
    if (shape.length) return
    for (const { name, faults } of pluginChecks) test(name, () => expectNone(faults(plugin, options)))
    test('says what some clients drop', (t) => {
      for (const warning of clientWarnings(plugin)) t.diagnostic(`warning: ${warning}`)
    })
  })
}

function expectNone(faults: readonly string[]): void {
  assert.equal(faults.length, 0, faults.map((fault) => `\n  - ${fault}`).join(''))
}
