import { createRequire } from 'node:module'
import type { Ajv } from 'ajv'
import type * as Draft7 from 'ajv'
import type { Ajv2020, ErrorObject, Options, ValidateFunction } from 'ajv/dist/2020.js'
import type * as Draft2020 from 'ajv/dist/2020.js'
import { RE2JS } from 're2js'
import { isObject, type JsonSchema } from './json.ts'

/** Checks one value against one schema: undefined when it fits, else what is wrong, each line for a person to act on. */
export type Validator = (value: unknown) => readonly string[] | undefined

/**
 * Makes validators from plugins' schemas, compiled on first use: Ajv takes 1.6 ms a schema and 13 ms or more for its first one.
 * Schemas must have passed `schemaFaults`. One of these serves a whole host.
 */
export interface Validators {
  /** The same validator for the same object, so that a new snapshot compiles nothing again. */
  validator(schema: JsonSchema): Validator
  /** Frees what a schema compiled to, for good: Ajv keeps every schema it has seen. */
  release(schema: JsonSchema): void
}

export function createValidators(): Validators {
  let modern: Ajv2020 | undefined
  let draft7: Ajv | undefined
  let released = 0
  const engineFor = (schema: JsonSchema) =>
    typeof schema['$schema'] === 'string' && schema['$schema'].includes('draft-07')
      ? (draft7 ??= withFormats(new (load<typeof Draft7>('ajv').Ajv)(options)))
      : (modern ??= withFormats(new (load<typeof Draft2020>('ajv/dist/2020.js').Ajv2020)(options)))

  const made = new WeakMap<JsonSchema, Validator>()
  const make = (schema: JsonSchema): Validator => {
    let check: ValidateFunction | undefined
    return (value) => {
      check ??= compile(engineFor(schema), schema)
      try {
        if (check(value)) return undefined
      } catch (error) {
        // A recursive schema over a value nested without end: the value is refused, the host goes on.
        if (error instanceof RangeError) return ['is nested too deeply to be checked']
        throw error
      }
      return (check.errors ?? []).map((problem) => explain(problem, value))
    }
  }

  return {
    validator(schema) {
      let validator = made.get(schema)
      if (!validator) made.set(schema, (validator = make(schema)))
      return validator
    },
    release(schema) {
      modern?.removeSchema(schema)
      draft7?.removeSchema(schema)
      if (++released < RELEASES) return
      // Validators that are in use keep the engine that made them.
      released = 0
      modern = undefined
      draft7 = undefined
    },
  }
}

/**
 * An engine is given up once it has forgotten so many schemas: of each it forgets all but 6 kB of what it compiled to (its scope of
 * values only grows), which a host that reloads all day would die of.
 */
const RELEASES = 64

/** `allErrors` is off: a hostile array of 100,000 wrong items would make 100,000 errors. */
const options: Options = {
  strict: true,
  strictTypes: false,
  strictRequired: false,
  strictTuples: false,
  allowUnionTypes: true,
  allErrors: false,
  verbose: true,
  validateFormats: true,
  ownProperties: true,
  code: { regExp: Object.assign((pattern: string) => linearRegExp(pattern), { code: 'linearRegExp' }) },
}

/** Linear in the length of the text, whatever the pattern: `^(a+)+$` cost V8's engine 1.6 s on 28 characters. */
function linearRegExp(pattern: string): RegExp {
  const compiled = RE2JS.compile(pattern)
  // Ajv shares patterns by their toString: without this one, every pattern would be the first one.
  return { test: (text: string) => compiled.test(text), toString: () => `/${pattern}/` } as RegExp
}

function withFormats<Engine extends Ajv>(engine: Engine): Engine {
  load<(target: Ajv) => void>('ajv-formats')(engine)
  return engine
}

/** Read when the first value is checked: Ajv is 90 files, and a host that starts lists tools first. */
const load = createRequire(import.meta.url) as <Module>(name: string) => Module

function compile(engine: Ajv, schema: JsonSchema): ValidateFunction {
  // `getKeyword` does not know of a keyword that has no rule.
  for (const keyword of annotationKeywords(schema)) if (!engine.RULES.keywords[keyword]) engine.addVocabulary([keyword])
  return engine.compile(schema)
}

/** Keywords of the `x-` kind say something to somebody, nothing to a validator. */
function annotationKeywords(schema: unknown): readonly string[] {
  if (Array.isArray(schema)) return schema.flatMap(annotationKeywords)
  if (!isObject(schema)) return []
  return Object.entries(schema).flatMap(([key, value]) => [...(key.startsWith('x-') ? [key] : []), ...annotationKeywords(value)])
}

function explain(error: ErrorObject, value: unknown): string {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const at = path.length ? `\`${path.join('.')}\`` : 'the input'
  const params = error.params as Readonly<Record<string, unknown>>
  switch (error.keyword) {
    case 'required':
      return `\`${[...path, String(params['missingProperty'])].join('.')}\` is missing`
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = String(params['additionalProperty'] ?? params['unevaluatedProperty'])
      const known = isObject(error.parentSchema?.['properties']) ? Object.keys(error.parentSchema['properties']) : []
      return `\`${[...path, name].join('.')}\` is not a known property${known.length ? `; known are ${known.join(', ')}` : ''}`
    }
    case 'enum':
      return `${at} must be one of ${(params['allowedValues'] as unknown[]).map((allowed) => JSON.stringify(allowed)).join(', ')}`
    case 'const':
      return `${at} must be ${JSON.stringify(params['allowedValue'])}`
    case 'type':
      return `${at} must be ${article(String(params['type']))}, not ${nameOf(valueAt(value, path))}`
    default:
      return `${at} ${error.message ?? 'is not valid'}`
  }
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
    value,
  )
}

function nameOf(value: unknown): string {
  if (value === null) return 'null'
  return article(Array.isArray(value) ? 'array' : typeof value)
}

function article(type: string): string {
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`
}
