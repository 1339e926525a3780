import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { HostError, hostError } from '../errors.ts'
import type { Evaluation } from './evaluation.ts'
import { withInspector } from './inspector.ts'
import { syntaxError, type Position } from './location.ts'
import { markedPosition, stripTypes } from './typescript.ts'

/**
 * What to say of an import that failed: the error it failed with, or, where that error lost its place (Node prints it on stderr and
 * drops it), one that has it.
 */
export function explainLoadError(error: unknown, evaluation: Evaluation): unknown {
  if (!(error instanceof Error) || error instanceof HostError) return error
  if ('code' in error && error.code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') {
    const named = /"([^"]+)"/.exec(error.message)?.[1] ?? ''
    return hostError('MODULE_TYPESCRIPT_IN_PACKAGE', { file: pathOf(named) }, error)
  }
  return (error instanceof SyntaxError && explainSyntaxError(error, evaluation)) || withoutTags(error, evaluation)
}

function explainSyntaxError(error: SyntaxError, evaluation: Evaluation): HostError | undefined {
  const { message, stack = '' } = error
  const fault = { reason: message, cause: error }
  const placed = /^(file:\/\/[^\n]+|\/[^\n]+|[A-Z]:\\[^\n]+):\d+\n/.exec(stack)?.[1]
  if (placed) {
    const code = message.includes('does not provide an export named') ? 'MODULE_EXPORT_MISSING' : 'MODULE_SYNTAX'
    return syntaxError({
      ...fault,
      file: pathOf(placed),
      position: markedPosition(stack),
      code,
    })
  }
  // Thrown by code, such as JSON.parse, rather than for it: then a stack frame of that code comes first.
  if (!/^[^\n]*\n\s+at [^\n]*\(?node:internal\/modules\//.test(stack)) return undefined
  const file = lastRead(evaluation)
  if (!file) return undefined
  const position = compilePosition(error)
  if (position && isDecorator(file, position)) {
    return syntaxError({ ...fault, file, position, reason: 'decorators are not erasable', code: 'MODULE_TYPESCRIPT_SYNTAX' })
  }
  if (position) return syntaxError({ ...fault, file, position })
  return complaintOfStripper(file) ?? hostError('MODULE_SYNTAX', { at: file, reason: message }, error)
}

/** V8 keeps the place of a syntax error on the error, where only the inspector can read it. */
function compilePosition(error: SyntaxError): Position | undefined {
  return withInspector((session) => {
    const { exceptionDetails: details } = session.ask('Runtime.getExceptionDetails', { errorObjectId: session.idOf(error) })
    return details.lineNumber < 0 ? undefined : { line: details.lineNumber + 1, column: details.columnNumber + 1 }
  })
}

/** Erasing types leaves decorators in place, and V8 only says that `@` is no token. */
function isDecorator(file: string, { line, column }: Position): boolean {
  return readFileSync(file, 'utf8').split('\n')[line - 1]?.[column - 1] === '@'
}

/** Without an inspector, the parser that strips types knows most faults, and their place. */
function complaintOfStripper(file: string): HostError | undefined {
  try {
    stripTypes(readFileSync(file, 'utf8'), file)
    return undefined
  } catch (error) {
    return error instanceof HostError ? error : undefined
  }
}

/** Node compiles each module right after it read it, so the last one read for an evaluation is the one that did not compile. */
function lastRead(evaluation: Evaluation): string | undefined {
  const reads = [...evaluation.reachable()].flatMap(({ lastRead: read }) => read ?? [])
  return reads.toSorted((a, b) => b.order - a.order)[0]?.file
}

/** Takes our tags out of what a person will read. */
function withoutTags(error: Error, { tag }: Evaluation): Error {
  const pattern = new RegExp(`[?&]${tag.replace(/\d+$/, '').replaceAll('.', '\\.')}\\d+`, 'g')
  const { message, stack } = error
  if (message.includes('patchbay=')) error.message = message.replace(pattern, '')
  if (stack?.includes('patchbay=')) error.stack = stack.replace(pattern, '')
  return error
}

function pathOf(pathOrUrl: string): string {
  return pathOrUrl.startsWith('file:') ? fileURLToPath(pathOrUrl) : pathOrUrl
}
