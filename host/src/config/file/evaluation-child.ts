/**
 * Runs one config in a process of its own and reports, a line of JSON each on descriptor 3, the files it reads and then how it ended.
 * It loads nothing of the host but `plainData`, so that a config costs the start of Node and little more. Started by evaluate.ts.
 */
import { readFileSync, writeSync } from 'node:fs'
import { flushCompileCache, registerHooks, type LoadHookSync, type ResolveHookSync } from 'node:module'
import { extname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { plainData } from './plain.ts'

export type EvaluationReport =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'unresolved'; readonly specifier: string; readonly parent: string }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly problems: readonly string[] }
  | { readonly kind: 'threw'; readonly error: ThrownError }
  | { readonly kind: 'exit'; readonly code: string; readonly stack: string }

export interface ThrownError {
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly code: string
}

/** The descriptor of the reports: standard output is the config's own. */
const REPORTS = 3

/** The config, and what `mcp-patchbay` is there: the host's own `defineConfig`, so that a config needs nothing installed. */
const [, , configUrl = '', defineUrl = ''] = process.argv
const exit = process.exit.bind(process)
// Read when Node started; the config's environment is without it.
delete process.env['NODE_COMPILE_CACHE']

registerHooks({ resolve: resolveImport, load: reportFile })
process.exit = exitLoudly
process.on('uncaughtException', (error) => {
  report({ kind: 'threw', error: describe(error) })
  exit(1)
})
// A config that never ends is ended with the process that started it.
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) exit(1)
}, 1_000).unref()
// Not awaited here: for a config that never ends, Node would point at this line.
void evaluate().then((ending) => {
  // Before the report, which is the end of this process.
  flushCompileCache()
  report(ending)
})

async function evaluate(): Promise<EvaluationReport> {
  try {
    const module: Readonly<Record<string, unknown>> = await import(configUrl)
    const data = isExported(module) ? plainData(module['default']) : { problems: ['it has no default export'] }
    return 'value' in data ? { kind: 'value', value: data.value } : { kind: 'refused', problems: data.problems }
  } catch (error) {
    return { kind: 'threw', error: describe(error) }
  }
}

/** A file without import and export is CommonJS to Node, and then exports an empty object: half a config, and never what was meant. */
function isExported(module: Readonly<Record<string, unknown>>): boolean {
  const value = module['default']
  const isUntouched = 'module.exports' in module && typeof value === 'object' && value !== null && Object.keys(value).length === 0
  return 'default' in module && !isUntouched
}

function resolveImport(...[specifier, context, next]: Parameters<ResolveHookSync>): ReturnType<ResolveHookSync> {
  if (specifier === 'mcp-patchbay') return { url: defineUrl, shortCircuit: true }
  try {
    return next(specifier, context)
  } catch (error) {
    if (context.parentURL?.startsWith('file:')) reportUnresolved(specifier, context.parentURL)
    throw error
  }
}

function reportUnresolved(specifier: string, parentUrl: string): void {
  report({ kind: 'unresolved', specifier, parent: fileURLToPath(parentUrl) })
  // A relative file that is not there yet is worth watching: making it may be what is missing.
  if (/^\.{0,2}\//.test(specifier)) report({ kind: 'file', file: fileURLToPath(new URL(specifier, parentUrl)) })
}

function reportFile(...[url, context, next]: Parameters<LoadHookSync>): ReturnType<LoadHookSync> {
  if (!url.startsWith('file:') || url === defineUrl) return next(url, context)
  const file = fileURLToPath(url)
  report({ kind: 'file', file })
  const format = moduleFormat(file)
  return next(url, format ? { ...context, format } : context)
}

/** A module of the config says itself what it is: `npm init` writes `"type": "commonjs"`, which makes Node refuse its `export`. */
function moduleFormat(file: string): 'module' | 'module-typescript' | undefined {
  const extension = extname(file)
  if ((extension !== '.ts' && extension !== '.js') || file.includes(`${sep}node_modules${sep}`)) return undefined
  if (!/(?:^|[;}])\s*(?:export\b|import\b(?!\s*\())/m.test(readFileSync(file, 'utf8'))) return undefined
  return extension === '.ts' ? 'module-typescript' : 'module'
}

function exitLoudly(code?: number | string | null): never {
  report({ kind: 'exit', code: String(code ?? process.exitCode ?? 0), stack: new Error('exit').stack ?? '' })
  return exit(code)
}

/** Whatever was thrown: it may be anything, and its getters may throw again. */
function describe(thrown: unknown): ThrownError {
  const field = (name: string): string => {
    try {
      const value: unknown = thrown instanceof Error ? Reflect.get(thrown, name) : undefined
      return typeof value === 'string' ? value : ''
    } catch {
      return ''
    }
  }
  if (thrown instanceof Error)
    return { name: field('name'), message: field('message'), stack: field('stack'), code: field('code') }
  const text = typeof thrown === 'string' ? JSON.stringify(thrown) : typeof thrown
  return { name: '', message: `it threw ${text} and not an error`, stack: '', code: '' }
}

function report(message: EvaluationReport): void {
  const line = Buffer.from(`${JSON.stringify(message)}\n`)
  for (let written = 0; written < line.length;) written += writeSync(REPORTS, line, written)
}
