/**
 * How good and how quick is a search among GitHub's operations and the tools that we ship? Sixty questions as people ask them, whose right
 * tools were written down first; the time of an answer, and its size beside the whole list, which a client would have to read instead.
 *
 *   node bench/search.ts
 */
import type { ServicePlugin } from '@mcp-patchbay/plugin-api'
import { searchAnswer } from '../host/src/server/call/search-answers.ts'
import { createCaller } from '../host/src/server/catalog/caller.ts'
import { viewOf } from '../host/src/server/catalog/view.ts'
import github from '../plugins/github/index.ts'
import slack from '../plugins/slack/index.ts'
import sqlite from '../plugins/sqlite/index.ts'
import web from '../plugins/web/index.ts'
import { activeRecord, snapshotOf } from '../tests/fixtures/projects/snapshots.ts'
import { githubOperations } from '../tests/fixtures/search/github-operations.ts'
import { QUESTIONS } from '../tests/fixtures/search/questions.ts'
import { record } from './lib/results.ts'
import { ROUNDS } from './lib/report.ts'

const plugins: readonly object[] = [github, slack, sqlite, web, githubOperations()]
const records = plugins.map((plugin) => activeRecord(plugin as ServicePlugin))
const caller = createCaller({ id: 'bench', tenant: undefined, permissions: ['*'], kind: 'local' })
const snapshot = snapshotOf(records, { tools: { search: true } })
const view = viewOf(snapshot, caller)
const begun = performance.now()
await view.search?.find('')
const indexed = performance.now() - begun

const times: number[] = []
const sizes: number[] = []
const missed: string[] = []
for (let round = 0; round < ROUNDS * 7; round++)
  for (const [query, ...names] of QUESTIONS) {
    const before = performance.now()
    const bounds = { maxBytes: 1_048_576, redact: (text: string) => text }
    const answer = await searchAnswer({ snapshot, caller, name: 'tools_search', args: { query } }, bounds)
    times.push(performance.now() - before)
    if (round > 0 || answer.kind !== 'result') continue
    const { tools } = answer.result.structuredContent as { readonly tools: readonly { readonly name: string }[] }
    sizes.push(JSON.stringify(tools).length)
    if (!tools.slice(0, 5).some(({ name }) => names.includes(name))) missed.push(query)
  }

const at = (values: readonly number[], part: number) => values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0
const whole = JSON.stringify(view.callable.map(({ wire }) => wire)).length
const share = (size: number) => `${((100 * size) / whole).toFixed(1)} %`
const found = QUESTIONS.length - missed.length
console.log(`### Search among ${view.callable.length} tools\n`)
console.log('| what | figure |\n| --- | ---: |')
console.log(`| a right tool within five | ${found} of ${QUESTIONS.length} (${Math.round((100 * found) / QUESTIONS.length)} %) |`)
console.log(`| an answer, p50 | ${at(times, 0.5).toFixed(2)} ms |`)
console.log(`| an answer, p95 | ${at(times, 0.95).toFixed(2)} ms |`)
console.log(`| an answer, share of the whole list in characters, median | ${share(at(sizes, 0.5))} |`)
console.log(`| the largest | ${share(at(sizes, 0.999))} |`)
console.log(`| the three tools that are listed | ${share(JSON.stringify(view.tools).length)} |`)
console.log(`| the index, made in small pieces | ${indexed.toFixed(0)} ms |\n`)
record({
  'search-found': (100 * found) / QUESTIONS.length,
  'search-ms': at(times, 0.5),
  'search-share': (100 * at(sizes, 0.5)) / whole,
})
for (const question of missed) console.log(`- no right tool within five: ${question}`)
