/**
 * Makes one small change of meaning after the other in a copy of the repository, and runs the tests that must notice it.
 *
 *   npm run mutants                        all of them
 *   npm run mutants -- --check             whether each text is still found, once, in its file, and its tests exist; in a second
 *   npm run mutants -- --area visibility   those of some areas (several with commas)
 *   npm run mutants -- --only 'tenant'     those whose file or meaning has this text
 *   npm run mutants -- --sample 12         so many of them, chosen by the commit that is checked out
 *
 * Exits 1 for a mutant that nothing notices, one whose text is not found exactly once, or one that does not even run.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { areas } from './areas.ts'
import type { Mutant } from './mutant.ts'
import { createWorkingCopy, type WorkingCopy } from './working-copy.ts'

const root = join(import.meta.dirname, '../..')
const { values } = parseArgs({
  options: { check: { type: 'boolean' }, area: { type: 'string' }, only: { type: 'string' }, sample: { type: 'string' } },
})

const wanted = areas.filter(isWanted)
const stale = wanted.flatMap(problems)
for (const problem of stale) console.error(problem)
if (stale.length > 0) process.exit(1)
const chosen = sampled(
  wanted.filter(({ equivalent }) => equivalent === undefined),
  values.sample,
)
if (chosen.length === 0) throw new Error('No mutant is chosen')
console.log(`${areas.length} mutants, ${wanted.length} of them looked up in the code; ${chosen.length} chosen`)
if (!values.check) {
  using copy = createWorkingCopy(root)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      copy[Symbol.dispose]()
      process.exit(1)
    })
  await checkUnchanged(copy)
  const startedAt = performance.now()
  const survivors: Mutant[] = []
  for (const [index, mutant] of chosen.entries()) {
    const verdict = await judge(copy, mutant)
    if (verdict !== 'noticed') survivors.push(mutant)
    console.log(`${index + 1}/${chosen.length} ${verdict}: ${mutant.file}: ${mutant.means}`)
  }
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  console.log(`${chosen.length - survivors.length} of ${chosen.length} noticed in ${seconds} s`)
  for (const { file, means, text, replacement, noticedBy } of survivors)
    console.error(`\nNot noticed: ${means}\n  ${file}\n  - ${text}\n  + ${replacement}\n  by ${noticedBy.join(', ')}`)
  if (survivors.length > 0) process.exitCode = 1
}

function isWanted({ area, file, means }: Mutant): boolean {
  if (values.area !== undefined && !values.area.split(',').includes(area)) return false
  return values.only === undefined || file.includes(values.only) || means.includes(values.only)
}

/** Others with each commit, so that all have their turn; the same for the same commit. */
function sampled(mutants: readonly Mutant[], count: string | undefined): readonly Mutant[] {
  if (count === undefined) return mutants
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  const drawn = ({ file, means }: Mutant) => createHash('sha256').update(`${commit}\0${file}\0${means}`).digest('hex')
  return mutants
    .map((mutant) => ({ mutant, order: drawn(mutant) }))
    .toSorted((a, b) => (a.order < b.order ? -1 : 1))
    .slice(0, Number(count))
    .map(({ mutant }) => mutant)
}

function problems({ file, means, text, replacement, noticedBy }: Mutant): readonly string[] {
  const path = join(root, file)
  if (!existsSync(path)) return [`${file}: no such file (${means})`]
  const count = readFileSync(path, 'utf8').split(text).length - 1
  return [
    ...(count === 1 ? [] : [`${file}: found ${count} times (${means}): ${JSON.stringify(text)}`]),
    ...(text === replacement ? [`${file}: changes nothing (${means})`] : []),
    ...noticedBy.filter((test) => !existsSync(join(root, test))).map((test) => `${test}: no such file (${means})`),
  ]
}

/** A test that fails without a mutant notices all of them. */
async function checkUnchanged(copy: WorkingCopy): Promise<void> {
  const files = [...new Set(chosen.flatMap(({ noticedBy }) => noticedBy))]
  const { passed, output } = await copy.test(files)
  if (!passed) throw new Error(`Tests fail without any mutant:\n${failuresIn(output)}`)
}

async function judge(copy: WorkingCopy, { file, text, replacement, noticedBy }: Mutant): Promise<string> {
  const path = copy.path(file)
  const before = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    before.replace(text, () => replacement),
  )
  try {
    const { passed, output } = await copy.test(noticedBy)
    if (passed) return 'NOT NOTICED'
    // It would be noticed by anything: the list is at fault, not the tests.
    return /\b(?:SyntaxError|ReferenceError)\b/.test(output) ? `DOES NOT RUN (${failuresIn(output).slice(0, 300)})` : 'noticed'
  } finally {
    writeFileSync(path, before)
  }
}

function failuresIn(output: string): string {
  return output
    .split('\n')
    .filter((line) => /^\s*not ok|^(?!\s*ok|# Subtest).*Error/.test(line))
    .slice(0, 20)
    .join('\n')
}
