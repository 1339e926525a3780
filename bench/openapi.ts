/**
 * How long until GitHub's OpenAPI description, 13 MB and 1,200 operations, is a list of tools? From the spawn to the first `tools/list`, by
 * a host that has not seen it, and by one that keeps what it read; beside a host with no plugin. With `tools.search` the same tools are three
 * in the list.
 *
 *   node bench/openapi.ts
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { median, ROUNDS } from './lib/report.ts'
import { record } from './lib/results.ts'
import { requestOf, type Rpc } from './lib/wire.ts'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
copyFileSync(
  createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json'),
  join(folder, 'github.json'),
)
const github = { use: 'openapi:./github.json', as: 'github_api', config: { apiUrl: 'http://127.0.0.1:1' } }
const LIST: Rpc = { method: 'tools/list', params: {} }

console.log(`### GitHub's OpenAPI description, medians of ${ROUNDS} rounds\n`)
console.log('| host | first list, ms | beyond a host with no plugin | tools | list, KB | a list, ms |')
console.log(`| --- |${' ---: |'.repeat(5)}`)
const bare = await rounds('no plugin', [], {}, 'bare', false)
for (const search of [false, true]) {
  const name = search ? 'with tools.search' : 'all tools listed'
  const settings = search ? { tools: { search: true } } : {}
  const read = await rounds(`${name}, new`, [github], settings, 'github', false, bare)
  const kept = await rounds(`${name}, kept`, [github], settings, 'github', true, bare)
  if (!search) record({ 'openapi-new': read / 1_000, 'openapi-kept': kept / 1_000 })
}

/** A row of the table; the median of the first lists. A host that keeps nothing begins with an empty store each time. */
async function rounds(
  name: string,
  plugins: readonly object[],
  settings: object,
  store: string,
  isKept: boolean,
  beside?: number,
): Promise<number> {
  const starts: Started[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const file = join(folder, `${store}.db`)
    if (!isKept) for (const part of ['', '-wal', '-shm']) rmSync(file + part, { force: true })
    starts.push(await start({ plugins, ...settings, cache: { store: `sqlite:${file}` } }))
  }
  const of = (key: keyof Started) => median(starts.map((one) => one[key]))
  const first = of('firstMs')
  const beyond = beside === undefined ? '' : Math.round(first - beside)
  console.log(
    `| ${name} | ${Math.round(first)} | ${beyond} | ${of('tools')} | ${of('kb').toFixed(0)} | ${of('againMs').toFixed(1)} |`,
  )
  return first
}

interface Started {
  readonly firstMs: number
  readonly tools: number
  readonly kb: number
  readonly againMs: number
}

/** Starts the command, waits for the list that has what the config says, and ends it as an operator does. */
async function start(config: { readonly plugins: readonly object[]; readonly cache: object }): Promise<Started> {
  const file = join(folder, 'mcp.config.json')
  writeFileSync(file, JSON.stringify({ ...config, listen: { http: { port: 0 }, management: false } }))
  const startedAt = performance.now()
  const program = join(root, 'host/bin/patchbay.mjs')
  const child = spawn(process.execPath, [program, 'start', '--config', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  const listening = Promise.withResolvers<string>()
  const said: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line)
    const { event, url } = JSON.parse(line) as { event?: string; url?: string }
    if (event === 'listening' && url !== undefined) listening.resolve(url)
  })
  child.once('exit', () => listening.reject(new Error(`The host ended: ${said.join('\n')}`)))
  const url = await listening.promise
  const wanted = config.plugins.length > 0 ? 1 : 0
  let list = await listed(url)
  while (list.tools < wanted) {
    await new Promise((resolve) => setTimeout(resolve, 3))
    list = await listed(url)
  }
  const firstMs = performance.now() - startedAt
  const again: number[] = []
  for (let index = 0; index < 20; index++) again.push((await listed(url)).ms)
  child.kill('SIGTERM')
  await once(child, 'exit')
  return { firstMs, tools: list.tools, kb: list.bytes / 1_024, againMs: median(again) }
}

async function listed(url: string): Promise<{ readonly tools: number; readonly bytes: number; readonly ms: number }> {
  const before = performance.now()
  const { headers, body } = requestOf(LIST)
  const text = await (await fetch(url, { method: 'POST', headers, body })).text()
  return { tools: text.split('"inputSchema"').length - 1, bytes: text.length, ms: performance.now() - before }
}
