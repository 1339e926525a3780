import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createMetrics } from '../../host/src/observability/metrics.ts'
import { PLUGIN_STATES } from '../../host/src/observability/plugin-states.ts'
import { missing } from './tools.ts'

const folder = join(import.meta.dirname, '../prometheus')
const text = readFileSync(join(folder, 'rules.yaml'), 'utf8')

test(
  'Prometheus takes the rules, and each fires for what it is about and for nothing else',
  { skip: missing('promtool') },
  () => {
    execFileSync('promtool', ['check', 'rules', 'rules.yaml'], { cwd: folder, stdio: 'pipe' })
    execFileSync('promtool', ['test', 'rules', 'rules.test.yaml'], { cwd: folder, stdio: 'pipe' })
  },
)

test('every metric and every state in the rules is one that the host exports', async () => {
  const exported = await createMetrics({ logLinesDropped: () => 0 }).render()
  const named = [...text.matchAll(/\b(?:patchbay|mcp|nodejs|process)_[a-z0-9_]+/g)].map(([name]) => name)
  assert.ok(named.length > 5)
  for (const name of named) assert.match(exported, new RegExp(`^# TYPE ${name.replace(/_seconds_count$/, '_seconds')} `, 'm'))
  const [, states = ''] = /state=~"([^"]+)"/.exec(text) ?? assert.fail('they name states')
  for (const state of states.split('|')) assert.ok(PLUGIN_STATES.some((known) => known === state))
})
