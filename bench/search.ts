// How long a search takes among GitHub's operations and the tools that we ship, and what it costs a model: `node bench/search.ts`.
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
let right = 0
for (let round = 0; round < 20; round++)
  for (const [query, ...names] of QUESTIONS) {
    const before = performance.now()
    const bounds = { maxBytes: 1_048_576, redact: (text: string) => text }
    const answer = await searchAnswer({ snapshot, caller, name: 'tools_search', args: { query } }, bounds)
    times.push(performance.now() - before)
    if (round > 0 || answer.kind !== 'result') continue
    const { tools } = answer.result.structuredContent as { readonly tools: readonly { readonly name: string }[] }
    sizes.push(JSON.stringify(tools).length)
    if (tools.slice(0, 5).some(({ name }) => names.includes(name))) right++
  }
const at = (values: readonly number[], part: number) => values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0
const whole = JSON.stringify(view.callable.map(({ wire }) => wire)).length
console.log(`${view.callable.length} tools, indexed in ${indexed.toFixed(0)} ms of small pieces`)
console.log(`a right tool within five: ${right} of ${QUESTIONS.length}`)
console.log(`p50 ${at(times, 0.5).toFixed(2)} ms, p95 ${at(times, 0.95).toFixed(2)} ms`)
console.log(
  `an answer has ${((100 * at(sizes, 0.5)) / whole).toFixed(1)} % of the characters of the whole list, at most ${((100 * at(sizes, 0.999)) / whole).toFixed(1)} %`,
)
