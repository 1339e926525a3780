/**
 * What does a reload keep of the heap? A plugin is reloaded 500 times in a whole host, with its tools listed and called; after the first 64,
 * which fill bounded tables. `npm run soak:memory` does the same 2,000 times.
 *
 *   node bench/reload-heap.ts
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { record } from './lib/results.ts'

const program = join(import.meta.dirname, '../tests/fixtures/plugins/collect-host.ts')
// Optimised code keeps what it was made of, for as long as it is hot: that is no growth, but hides it.
const argv = ['--conditions=@mcp-patchbay/source', '--expose-gc', '--no-opt', '--no-maglev', '--no-sparkplug', program, '500']
const { reloads, collected, bytesPerReload } = JSON.parse(execFileSync(process.execPath, argv, { encoding: 'utf8' })) as {
  readonly reloads: number
  readonly collected: number
  readonly bytesPerReload: number
}
console.log('### What reloads keep\n\n| reloads | versions collected | bytes of heap for each |\n| ---: | ---: | ---: |')
console.log(`| ${reloads} | ${collected} | ${bytesPerReload} |\n`)
record({ 'reload-heap': bytesPerReload / 1_024 })
