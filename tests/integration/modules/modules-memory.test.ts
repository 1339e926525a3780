import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { createReclaimer } from '../../../host/src/modules/reclaim/reclaim.ts'
import { moduleBench } from '../../fixtures/plugins/module-graph.ts'

interface Outcome {
  readonly collected: number
  readonly bytesPerLoad: number
  readonly reclaim: string
  readonly retainedBytes: number
}

/** Loads and releases a plugin with every kind of file, all of them changed each time, in a process of its own. */
function collect({ flags = [], args }: { flags?: readonly string[]; args: readonly string[] }): Outcome {
  const script = new URL('../../fixtures/plugins/collect-modules.ts', import.meta.url).pathname
  const command = ['--conditions=@mcp-patchbay/source', '--expose-gc', ...flags, script, ...args]
  const { stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' })
  assert.ok(stdout, stderr)
  const outcome: Outcome = JSON.parse(stdout)
  return outcome
}

// What is there once counts the more, the fewer loads there are: one kind of file is loaded often, the other less.
for (const [extension, loads, limit] of [
  ['js', 300, 2_048],
  ['ts', 100, 4_096],
] as const)
  test(`released versions of a plugin in ${extension} are collected, and leave less than ${limit} bytes each`, () => {
    const { collected, bytesPerLoad, reclaim } = collect({ args: [String(loads), extension] })
    assert.equal(reclaim, 'inspector')
    assert.ok(collected >= 0.98 * loads, `${collected} of ${loads} collected`)
    assert.ok(bytesPerLoad < limit, `${bytesPerLoad} bytes for each`)
  })

test('without a way to reclaim, versions load all the same and what they keep is counted', () => {
  for (const [flags, args] of [
    [
      ['--permission', '--allow-fs-read=*', '--allow-fs-write=*'],
      ['3', 'js'],
    ],
    [[], ['3', 'js', 'off']],
  ] as const) {
    const { reclaim, collected, retainedBytes } = collect({ flags, args })
    assert.deepEqual([reclaim, collected], ['none', 0])
    assert.ok(retainedBytes > 33 * 200_000, String(retainedBytes))
  }
})

test('warns once when what is retained passes the budget', async () => {
  const warned = Promise.withResolvers<unknown>()
  const warnings: string[] = []
  const log = {
    warn(event: string, fields: unknown) {
      warnings.push(event)
      warned.resolve(fields)
    },
  }
  const reclaimer = createReclaimer({ mode: 'off', retainedBudgetBytes: 1_000, log })
  reclaimer.evict([], 200)
  reclaimer.evict([], 200)
  const fields = await warned.promise
  reclaimer.evict([], 200)
  assert.deepEqual([warnings, reclaimer.retainedBytes], [['modules_retained'], 1_800])
  assert.equal(Reflect.get(Object(fields), 'retainedBudgetBytes'), 1_000)
})

test('a failed version is evicted: the same URL would be evaluated again', async () => {
  using bench = moduleBench({ 'p/index.mjs': `globalThis.evictedByTest = import.meta.url\nthrow new Error('failed')` })
  await assert.rejects(bench.load('p/index.mjs'), { message: 'failed' })
  const url = String(Reflect.get(globalThis, 'evictedByTest'))
  // Once reclaimed, the loader asks for the module again, and learns that its version is gone; until then it repeats the failure.
  for (;;) {
    const error: unknown = await import(url).catch((reason: unknown) => reason)
    if (Reflect.get(Object(error), 'code') === 'MODULE_RELEASED') break
    assert.equal(Reflect.get(Object(error), 'message'), 'failed')
    await new Promise(setImmediate)
  }
})

test('a module that the graph does not manage loads as without it', async () => {
  using bench = moduleBench({ 'plain.mjs': `export { url } from './lib.mjs'`, 'lib.mjs': 'export const url = import.meta.url' })
  const plain: { url: string } = await import(bench.path('plain.mjs'))
  assert.equal(plain.url, `file://${bench.path('lib.mjs')}`)
  await bench.load('plain.mjs')
  assert.equal(plain, await import(bench.path('plain.mjs')))
})
