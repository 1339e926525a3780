import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { findCompiler } from './find-compiler.ts'
import { runCompiler } from './run-compiler.ts'
import type { TypeFault } from './type-faults.ts'

/** What the compiler says of the files that were saved. */
export interface TypeReport {
  readonly errors: readonly TypeFault[]
  /** How many errors are in other files. */
  readonly elsewhere: number
  readonly ms: number
}

/** Checks types beside the host, which never waits for it. */
export interface TypeChecker extends Disposable {
  /** These files were saved. A check that runs is begun again. */
  saved(files: Iterable<string>): void
}

export interface TypeCheckerOptions {
  /** Where TypeScript is looked for, and what files are named from. */
  readonly configDir: string
  /** Told when saved files have errors, and once when they have none any more. */
  readonly onReport: (report: TypeReport) => void
  readonly now: () => number
}

/** Undefined where the project has no TypeScript: then nothing is checked, and nothing said. */
export function createTypeChecker({ configDir, onReport, now }: TypeCheckerOptions): TypeChecker | undefined {
  const found = findCompiler(configDir)
  if (found === undefined) return undefined
  const compiler = found
  /** Saved since the last check that came to its end, by the tsconfig.json they belong to. */
  const waiting = new Map<string, Set<string>>()
  /** Files that had errors when they were last checked. */
  const wrong = new Set<string>()
  let running: AbortController | undefined

  async function checkAll(signal: AbortSignal): Promise<void> {
    for (const [project, files] of waiting) {
      const startedAt = now()
      const buildInfo = join(compiler.cacheDir, `types-${hash('sha256', project).slice(0, 8)}.tsbuildinfo`)
      const faults = await runCompiler({ script: compiler.script, project, buildInfo, signal })
      if (signal.aborted || faults === undefined) return
      waiting.delete(project)
      const looked = new Set([...files, ...wrong])
      const named = (file: string) => relative(configDir, file).split(sep).join('/')
      const errors = faults.filter(({ file }) => looked.has(file)).map((fault) => ({ ...fault, file: named(fault.file) }))
      const wasWrong = wrong.size > 0
      for (const file of looked) wrong.delete(file)
      for (const { file } of faults) if (looked.has(file)) wrong.add(file)
      if (errors.length > 0 || wasWrong) onReport({ errors, elsewhere: faults.length - errors.length, ms: now() - startedAt })
    }
  }

  return {
    saved(files) {
      let isNew = false
      for (const file of files) {
        const project = /\.[cm]?tsx?$/.test(file) ? projectOf(file, configDir) : undefined
        if (project === undefined) continue
        isNew = true
        waiting.set(project, (waiting.get(project) ?? new Set()).add(file))
      }
      if (!isNew) return
      running?.abort()
      running = new AbortController()
      void checkAll(running.signal)
    },
    [Symbol.dispose]: () => running?.abort(),
  }
}

/** The tsconfig.json that a file belongs to: the nearest one, from its folder up to that of the config. */
function projectOf(file: string, configDir: string): string | undefined {
  for (let folder = dirname(file); folder === configDir || folder.startsWith(`${configDir}${sep}`); folder = dirname(folder)) {
    if (folder.split(sep).includes('node_modules')) return undefined
    const project = join(folder, 'tsconfig.json')
    if (existsSync(project)) return project
  }
  return undefined
}
