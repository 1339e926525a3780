import { parseJsonText } from '../../data/json-text.ts'
import { isObject } from '../../data/json.ts'
import { hostError, type HostError } from '../../errors.ts'
import { codeFrame, type TextPlace } from './code-frame.ts'
import { parseYamlText } from '../source/written-yaml.ts'
import { MAX_DEPTH, plainData } from './plain.ts'
import type { ConfigSource } from './types.ts'

/**
 * The value of a config that is JSON or YAML. Throws `CONFIG_FAILED` with the place of what does not parse, for a key that stands
 * twice in one object, and for YAML whose aliases stand for more than a config can hold.
 */
export function parseData(source: ConfigSource, kind: 'json' | 'yaml', mask: (text: string) => string): unknown {
  if (source.text.trim() === '') throw hostError('CONFIG_FAILED', { file: source.file, problem: 'it is empty' })
  const data = plainData(kind === 'json' ? parseJson(source, mask) : parseYaml(source, mask))
  if ('problems' in data) throw hostError('CONFIG_FAILED', { file: source.file, problem: data.problems.join('; ') })
  return withoutSchema(data.value)
}

/** `$schema` is for the editor: `patchbay schema` prints what it may name. */
function withoutSchema(value: unknown): unknown {
  if (!isObject(value) || typeof value['$schema'] !== 'string') return value
  const { $schema: _, ...config } = value
  return config
}

function parseJson({ file, text }: ConfigSource, mask: (text: string) => string): unknown {
  const source = parseJsonText(text, { maxDepth: MAX_DEPTH })
  if (!source.ok) throw failure({ file, text }, { reason: source.problem, place: source.position, mask })
  return source.value
}

function parseYaml({ file, text }: ConfigSource, mask: (text: string) => string): unknown {
  const document = parseYamlText(text)
  // A tag that is not known would be passed over with a warning.
  const [fault] = [...document.errors, ...document.warnings]
  if (fault) {
    const reason = fault.code === 'RESOURCE_EXHAUSTION' ? `it is nested deeper than ${MAX_DEPTH}` : fault.message
    throw failure({ file, text }, { reason, place: placeAt(text, fault.pos[0]), mask })
  }
  try {
    const value: unknown = document.toJS()
    return value
  } catch (error) {
    // An alias without its anchor, or aliases of aliases that unfold to millions of values.
    const message = error instanceof Error ? error.message : String(error)
    const reason = message.startsWith('Excessive') ? 'its aliases stand for more values than a config may have' : message
    throw failure({ file, text }, { reason, place: undefined, mask })
  }
}

function failure({ file, text }: ConfigSource, { reason, place, mask }: Fault): HostError {
  const at = place ? `${file}:${place.line}${place.column === undefined ? '' : `:${place.column}`}` : file
  return hostError('CONFIG_FAILED', { file: at, problem: mask(reason), frame: place && mask(codeFrame(text, place)) })
}

interface Fault {
  readonly reason: string
  readonly place: TextPlace | undefined
  readonly mask: (text: string) => string
}

function placeAt(text: string, offset: number): TextPlace {
  const before = text.slice(0, offset)
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') }
}
