import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
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
  for (const name of named)
    assert.match(exported, new RegExp(`^# TYPE ${name.replace(/_seconds_(?:count|bucket)$/, '_seconds')} `, 'm'))
  const [, states = ''] = /state=~"([^"]+)"/.exec(text) ?? assert.fail('they name states')
  for (const state of states.split('|')) assert.ok(PLUGIN_STATES.some((known) => known === state))
})

const dashboard = JSON.parse(readFileSync(join(folder, '../grafana/patchbay.json'), 'utf8')) as {
  readonly panels: readonly {
    readonly id: number
    readonly title: string
    readonly targets: readonly { readonly expr: string }[]
  }[]
}
const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))

test('the dashboard shows every metric that the host exports for operators, and no other', async () => {
  using metrics = createMetrics({ logLinesDropped: () => 0 })
  const exported = [...(await metrics.render()).matchAll(/^# TYPE (\w+)/gm)].map(([, name = '']) => name)
  const shown = new Set(
    expressions.flatMap((expr) =>
      [...expr.matchAll(/\b(?:patchbay|mcp|nodejs|process)_[a-z0-9_]+/g)].map(([name]) =>
        name.replace(/_seconds_(?:count|bucket)$/, '_seconds'),
      ),
    ),
  )
  assert.deepEqual(
    [...shown].filter((name) => !exported.includes(name)),
    [],
  )
  const unseen = exported.filter((name) => !shown.has(name))
  assert.deepEqual(unseen.toSorted(), [
    'nodejs_eventloop_lag_mean_seconds',
    'nodejs_heap_size_limit_bytes',
    'process_start_time_seconds',
  ])
})

test('Prometheus takes every expression of the dashboard, and no two panels are one', { skip: missing('promtool') }, () => {
  const rules = expressions.map((expr, index) => ({
    record: `shown:${index}`,
    expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*'),
  }))
  const file = join(mkdtempSync(join(tmpdir(), 'patchbay-dashboard-')), 'rules.json')
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
  execFileSync('promtool', ['check', 'rules', file], { stdio: 'pipe' })
  assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
})
