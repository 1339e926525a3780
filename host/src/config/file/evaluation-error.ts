import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { hostError, type HostError } from '../../errors.ts'
import { locationOf } from '../../modules/location.ts'
import { stripTypes } from '../../modules/typescript.ts'
import { codeFrame, type TextPlace } from './code-frame.ts'
import type { EvaluationReport, ThrownError } from './evaluation-child.ts'
import type { ConfigSource } from './types.ts'

/** How an evaluation gave no config. */
export type Failure =
  | Exclude<EvaluationReport, { kind: 'file' | 'unresolved' | 'value' | 'threw' }>
  | { readonly kind: 'threw'; readonly error: ThrownError; readonly unresolved: Unresolved | undefined }
  | { readonly kind: 'timeout'; readonly ms: number }
  /** The process ended without a word, by `signal` when something ended it. */
  | { readonly kind: 'silent'; readonly signal: NodeJS.Signals | null }
  | { readonly kind: 'unstarted'; readonly problem: string }

interface Unresolved {
  readonly specifier: string
  readonly parent: string
}

interface Evaluation {
  /** What it read, in order. */
  readonly files: readonly string[]
  readonly mask: (text: string) => string
}

/** The `CONFIG_FAILED` for a failure: what happened, where as far as it is known, and what to do. Secrets are taken out. */
export function evaluationError({ file, text }: ConfigSource, failure: Failure, { files, mask }: Evaluation): HostError {
  const { problem, place, fix } = explain(failure, { file, files })
  const at = place && `${place.file}:${place.line}${place.column === undefined ? '' : `:${place.column}`}`
  const frame = place && codeFrame(place.file === file ? text : contentOf(place.file), place)
  return hostError('CONFIG_FAILED', {
    file: place?.file === file && at ? at : file,
    problem: mask(place && place.file !== file ? `${problem} (at ${at})` : problem),
    frame: frame && mask(frame),
    ...(fix ? { fix } : {}),
  })
}

interface Explanation {
  readonly problem: string
  readonly place?: Place | undefined
  readonly fix?: readonly string[]
}

interface Place extends TextPlace {
  readonly file: string
}

function explain(failure: Failure, { file, files }: { file: string; files: readonly string[] }): Explanation {
  switch (failure.kind) {
    case 'timeout':
      return {
        problem: `it did not finish within ${failure.ms} ms`,
        fix: ['Look for a loop without end, or a top-level await that never resolves', 'Read slow things before, into a file'],
      }
    case 'silent':
      return explainSilence(failure.signal)
    case 'unstarted':
      return { problem: `no process could be started for it: ${failure.problem}`, fix: ['Let the host start processes'] }
    case 'exit':
      return {
        problem: `it called process.exit(${failure.code})`,
        place: placeIn(failure.stack, files),
        fix: ['Throw an error instead, which says what is wrong: throw new Error("…")'],
      }
    case 'refused': {
      const missing = failure.problems.includes('it has no default export')
      return {
        problem: failure.problems.join('; '),
        fix: missing
          ? ['Write: export default defineConfig({ … })']
          : ['Let the config hold strings, numbers, booleans, lists and objects'],
      }
    }
    default:
      return explainThrown(failure, { file, files })
  }
}

function explainSilence(signal: NodeJS.Signals | null): Explanation {
  if (signal === 'SIGABRT')
    return { problem: 'it used up its memory, or crashed Node', fix: ['Look for a loop that collects without end'] }
  if (signal !== null) return { problem: `its process was ended by ${signal}` }
  return {
    problem: 'its process ended before its default export was ready',
    fix: ['Look for a top-level await that never resolves'],
  }
}

function explainThrown(
  { error, unresolved }: Extract<Failure, { kind: 'threw' }>,
  { file, files }: { file: string; files: readonly string[] },
): Explanation {
  const { name, message, stack, code } = error
  const problem = [name, message].filter((part) => part !== '').join(': ')
  if (code === 'ERR_MODULE_NOT_FOUND' && unresolved)
    return {
      problem: `it imports ${JSON.stringify(unresolved.specifier)}, which is not there`,
      place: placeOfImport(unresolved),
      fix: [
        /^[./]/.test(unresolved.specifier)
          ? 'Correct the path; it needs its extension, .ts included'
          : 'Install the package beside the config',
      ],
    }
  const place =
    placeAtHead(stack, files) ??
    placeIn(stack, files) ??
    (name === 'SyntaxError' ? placeOfSyntax(files.length ? files : [file]) : undefined)
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return {
      problem,
      place,
      fix: [
        'Node only removes types: write an object instead of an enum or namespace, and fields instead of parameter properties',
      ],
    }
  return { problem, place }
}

/** Node puts the place of what does not parse or link in front of the stack: `file:line`, the line, and perhaps marks below it. */
function placeAtHead(stack: string, files: readonly string[]): Place | undefined {
  const [, path = '', line, marks] = /^(.+):(\d+)\n[^\n]*\n([ \t]*\^)?/.exec(stack) ?? []
  const file = pathOf(path)
  return files.includes(file) ? { file, line: Number(line), column: marks?.length } : undefined
}

/** The topmost frame of a stack in one of the files. */
function placeIn(stack: string, files: readonly string[]): Place | undefined {
  for (const [, path = '', line, column] of stack.matchAll(/(?:\(|\bat )(?:async )?([^()\n]+?):(\d+):(\d+)\)?$/gm)) {
    const file = pathOf(path)
    if (files.includes(file)) return { file, line: Number(line), column: Number(column) }
  }
  return undefined
}

/** Node does not say where JavaScript does not parse. The parser of its type stripping does; the file read last comes first. */
function placeOfSyntax(files: readonly string[]): Place | undefined {
  for (const file of files.toReversed()) {
    try {
      stripTypes(contentOf(file), file)
    } catch (error) {
      const location = locationOf(error, new Set([file]))
      if (location) return { file, line: location.line, column: location.column }
    }
  }
  return undefined
}

function placeOfImport({ specifier, parent }: Unresolved): Place | undefined {
  const lines = contentOf(parent).split('\n')
  const index = lines.findIndex((line) => line.includes(`'${specifier}'`) || line.includes(`"${specifier}"`))
  return index < 0 ? undefined : { file: parent, line: index + 1, column: (lines[index] ?? '').indexOf(specifier) }
}

function pathOf(location: string): string {
  try {
    return location.startsWith('file:') ? fileURLToPath(location) : location
  } catch {
    return ''
  }
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
