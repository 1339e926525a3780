import { nestsDeeper } from '../../data/json-bounds.ts'
import { isObject } from '../../data/json.ts'
import { hostError, type HostError } from '../../errors.ts'
import { codeFrame, type TextPlace } from './code-frame.ts'
import { literalKeys } from './locate.ts'
import { MAX_DEPTH, plainData } from './plain.ts'
import type { ConfigSource } from './types.ts'

/**
 * The value of a config that is JSON or YAML. Throws `CONFIG_FAILED` with the place of what does not parse, for a key that stands
 * twice in one object, and for YAML whose aliases stand for more than a config can hold.
 */
export async function parseData(source: ConfigSource, kind: 'json' | 'yaml', mask: (text: string) => string): Promise<unknown> {
  if (source.text.trim() === '') throw hostError('CONFIG_FAILED', { file: source.file, problem: 'it is empty' })
  const data = plainData(kind === 'json' ? parseJson(source, mask) : await parseYaml(source, mask))
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
  // Every later look at it takes time by its depth: 20,000 levels, 40 kB, took 17 s.
  if (nestsDeeper(text, MAX_DEPTH)) throw hostError('CONFIG_FAILED', { file, problem: `it is nested deeper than ${MAX_DEPTH}` })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    // V8 quotes the text around the fault, which may be a secret.
    const reason = String(error)
      .replace(/^SyntaxError: /, '')
      .replace(/, (?:\.\.\.)?".*$/s, '')
      .replace(/ (?:in|after) JSON(?: at .*)?$/s, '')
    throw failure({ file, text }, { reason, place: placeAt(text, faultOffset(text)), mask })
  }
  const seen = new Set<string>()
  for (const { name, path, line } of literalKeys(text)) {
    if (name !== '' && seen.has(path))
      throw failure(
        { file, text },
        { reason: `the key ${JSON.stringify(name)} stands here a second time`, place: { line }, mask },
      )
    seen.add(path)
  }
  return value
}

/** V8 leaves the place out of half of its messages. The longest beginning that is only cut off ends where the fault is. */
function faultOffset(text: string): number {
  let [good, bad] = [0, text.length + 1]
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1
    if (isCutOff(text.slice(0, middle))) good = middle
    else bad = middle
  }
  return good
}

function isCutOff(beginning: string): boolean {
  try {
    JSON.parse(beginning)
    return true
  } catch (error) {
    const message = String(error)
    return /Unexpected end|Unterminated/.test(message) || message.includes(` at position ${beginning.length} `)
  }
}

async function parseYaml({ file, text }: ConfigSource, mask: (text: string) => string): Promise<unknown> {
  const { defaultLoaders } = await import('cosmiconfig')
  try {
    const value: unknown = defaultLoaders['.yaml'](file, text)
    return value
  } catch (error) {
    // js-yaml says what and where apart from its message, which quotes the line.
    const { reason, mark } = isObject(error) ? error : {}
    const place = isObject(mark) ? { line: Number(mark['line']) + 1, column: Number(mark['column']) + 1 } : undefined
    throw failure({ file, text }, { reason: typeof reason === 'string' ? reason : 'it is not YAML', place, mask })
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
