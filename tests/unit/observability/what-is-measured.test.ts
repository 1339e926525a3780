import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createMetrics } from '../../../host/src/observability/metrics.ts'
import { PLUGIN_STATES } from '../../../host/src/observability/plugin-states.ts'

const root = join(import.meta.dirname, '../../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const page = `\n${read('docs/advanced/metrics.md')}`
const byText = (a = '', b = '') => a.localeCompare(b)
/** The names in the first column of the table under a heading. */
const rowsOf = (heading: string) => {
  const section = page.slice(page.indexOf(`\n${heading}\n`)).slice(1)
  const table = section.slice(0, section.indexOf('\n\n', section.indexOf('\n|')))
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name = '']) => name)
}

test('every state that a plugin can have is one that the host sets', () => {
  const sources = globSync('host/src/plugin/**/*.ts', { cwd: root }).map(read).join('\n')
  for (const state of PLUGIN_STATES)
    assert.match(sources, new RegExp(`state: (?:'${state}'|[^,}\\n]*\\? '${state}'|[^,}\\n]*: '${state}')`), state)
})

test('the docs and the metric know the same states', async () => {
  assert.deepEqual(rowsOf('## States of a plugin'), [...PLUGIN_STATES])
  const metrics = createMetrics()
  metrics.pluginState('notes', 'active')
  const text = await metrics.render()
  const states = [...text.matchAll(/^patchbay_plugin_state\{plugin="notes",state="(\w+)"\}/gm)].map(([, state]) => state)
  assert.deepEqual(states.toSorted(byText), [...PLUGIN_STATES].toSorted(byText))
})

test('the docs name every metric that the host has, and no other', () => {
  const names = [...read('host/src/observability/metrics.ts').matchAll(/name: '([a-z_]+)'/g)].map(([, name]) => name)
  assert.ok(names.length > 8)
  assert.deepEqual(
    rowsOf('# What is measured')
      .filter((name) => !name.endsWith('…'))
      .toSorted(byText),
    names.toSorted(byText),
  )
})
