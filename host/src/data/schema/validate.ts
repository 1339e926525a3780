import { createRequire } from 'node:module'
import type { Ajv2020, Options, ValidateFunction } from 'ajv/dist/2020.js'
import type * as Draft2020 from 'ajv/dist/2020.js'
import { beyondBounds } from '../json-cost.ts'
import type { JsonSchema } from '../json.ts'
import { beginCheck, linearPattern, MOST_STEPS, TooCostly } from './check-cost.ts'
import { defaultsOf } from './fill-defaults.ts'
import { formats } from './formats.ts'
import { nullsAt, problemsIn, valueAt } from './problems.ts'
import { costOf } from './schema-references.ts'
import { isUnique, oneOf } from './same-json.ts'
import { OWN_KEYWORDS, validationSchema } from './validation-schema.ts'

/** Checks one value against one schema: undefined when it fits, else what is wrong, each line for a person to act on. */
export type Validator = (value: unknown) => readonly string[] | undefined

/**
 * Makes validators from plugins' schemas, compiled on first use: Ajv takes 1.6 ms a schema and 13 ms or more for its first one.
 * Schemas must have passed `schemaFaults`, and every schema that has compiles. One of these serves a whole host.
 */
export interface Validators {
  /** The same validator for the same object, so that a new snapshot compiles nothing again. */
  validator(schema: JsonSchema): Validator
  /**
   * For what a client gives, which it completes in place: defaults are filled in, and a null where none is allowed counts as not given,
   * since models write it for an argument that they leave out.
   */
  completing(schema: JsonSchema): Validator
  /** Reads Ajv, and has it compile something, which takes as long as dozens of schemas after it: in pieces that do nothing the second time. */
  readonly prepare: readonly (() => void)[]
  /** Frees what a schema compiled to, for good: Ajv keeps every schema it has seen. */
  release(schema: JsonSchema): void
}

export function createValidators(): Validators {
  const quick = createEngine({ allErrors: false })
  const thorough = createEngine({ allErrors: true })
  const made = { validator: new WeakMap<JsonSchema, Validator>(), completing: new WeakMap<JsonSchema, Validator>() }
  const once = (kind: keyof typeof made, schema: JsonSchema, make: () => Validator) => {
    let validator = made[kind].get(schema)
    if (!validator) made[kind].set(schema, (validator = make()))
    return validator
  }

  /** Every problem, unless looking for all of them costs too much: then the first. */
  function problemsOf(schema: JsonSchema, value: unknown): readonly string[] {
    const check = (beyondBounds(value, THOROUGH) === undefined ? thorough : quick).compiled(schema)
    beginCheck()
    return check(value) ? [] : problemsIn(check.errors ?? [], value)
  }

  function checker(schema: JsonSchema): (value: unknown) => boolean {
    let check: ValidateFunction | undefined
    let most = Infinity
    return (value) => {
      if (!check) {
        check = quick.compiled(schema)
        const cost = costOf(schema)
        // Bodies are bounded, so what costs little for each value needs no count of them.
        if (cost > CHEAP) most = MOST_STEPS / cost
      }
      beginCheck()
      if (most !== Infinity && beyondBounds(value, { depth: Infinity, values: most }) !== undefined)
        throw new TooCostly('is too large to be checked against its schema')
      return check(value)
    }
  }

  return {
    validator: (schema) =>
      once('validator', schema, () => {
        const fits = checker(schema)
        return guarded((value) => (fits(value) ? undefined : problemsOf(schema, value)))
      }),

    completing: (schema) =>
      once('completing', schema, () => {
        const fits = checker(schema)
        const fill = defaultsOf(schema)
        return guarded((value) => {
          beginCheck()
          fill?.(value)
          if (fits(value)) return undefined
          const problems = problemsOf(schema, value)
          if (!dropNulls(thorough.compiled(schema), value)) return problems
          fill?.(value)
          return fits(value) ? undefined : told(problems, problemsOf(schema, value))
        })
      }),

    prepare: [...AJV_PARTS.map((part) => () => void load(part)), () => void draft2020(), () => quick.prepare()],

    release(schema) {
      quick.release(schema)
      thorough.release(schema)
    },
  }
}

/** What would have to be looked at besides: a recursive schema over a value nested without end, or one that is too costly. */
function guarded(check: Validator): Validator {
  return (value) => {
    try {
      return check(value)
    } catch (error) {
      if (error instanceof TooCostly) return [`the value ${error.message}`]
      if (error instanceof RangeError) return ['the value is nested too deeply to be checked']
      throw error
    }
  }
}

/** Takes out every null that does not belong where it is, of those that all problems are told of. Says whether there was one. */
function dropNulls(check: ValidateFunction, value: unknown): boolean {
  if (beyondBounds(value, THOROUGH) !== undefined) return false
  beginCheck()
  check(value)
  const nulls = nullsAt(check.errors ?? [], value)
  for (const path of nulls) {
    const parent = valueAt(value, path.slice(0, -1))
    if (typeof parent === 'object' && parent !== null) Reflect.deleteProperty(parent, path.at(-1) ?? '')
  }
  return nulls.length > 0
}

/** A null that had to be something is told as what it was: that it is missing as well says nothing more. */
function told(before: readonly string[], after: readonly string[]): readonly string[] {
  const missing = after.filter((line) => line.endsWith(' is missing'))
  const wrong = before.filter((line) => missing.some((one) => line.startsWith(`${one.slice(0, -' is missing'.length)} `)))
  return [
    ...wrong,
    ...after.filter((line) => !missing.includes(line) || !wrong.some((one) => one.startsWith(line.slice(0, -11)))),
  ]
}

/** A value with more is told of its first problem only: 100,000 wrong items would be reported one by one. */
const THOROUGH = { depth: 64, values: 2_000 }
/** So many subschemas for each value cost less than counting the values. */
const CHEAP = 25

/**
 * An engine is given up once it has forgotten so many schemas: of each it forgets all but 6 kB of what it compiled to (its scope of
 * values only grows), which a host that reloads all day would die of.
 */
const RELEASES = 64

interface Engine {
  compiled(schema: JsonSchema): ValidateFunction
  release(schema: JsonSchema): void
  prepare(): void
}

function createEngine(more: Options): Engine {
  let ajv: Ajv2020 | undefined
  let released = 0
  const compiled = new Map<JsonSchema, { readonly check: ValidateFunction; readonly written: JsonSchema }>()
  return {
    compiled(schema) {
      const known = compiled.get(schema)
      if (known) return known.check
      ajv ??= createAjv(more)
      const written = validationSchema(schema, formats().names)
      const check = ajv.compile(written)
      compiled.set(schema, { check, written })
      return check
    },
    prepare() {
      if (ajv) return
      ajv = createAjv(more)
      ajv.compile({ type: 'object', properties: { text: { type: 'string' } }, required: ['text'] })
    },
    release(schema) {
      const known = compiled.get(schema)
      if (!known) return
      compiled.delete(schema)
      ajv?.removeSchema(known.written)
      if (++released < RELEASES) return
      // Validators that are in use keep the engine that made them.
      released = 0
      ajv = undefined
    },
  }
}

/** Everything that a schema may hold was decided before: nothing is strict here. */
const options: Options = {
  strict: false,
  validateSchema: false,
  logger: false,
  verbose: true,
  validateFormats: true,
  ownProperties: true,
  code: { regExp: Object.assign((pattern: string) => linearPattern(pattern), { code: 'linearPattern' }) },
}

/** Formats mean the same everywhere: what ajv-formats says of them. */
function createAjv(more: Options): Ajv2020 {
  const ajv = new (draft2020().Ajv2020)({ ...options, ...more })
  for (const name of formats().names)
    ajv.addFormat(name, { type: 'string', validate: (text: string) => formats().fits(name, text) })
  ajv.addKeyword({ keyword: OWN_KEYWORDS.enum, schemaType: 'array', compile: oneOf })
  ajv.addKeyword({ keyword: OWN_KEYWORDS.uniqueItems, type: 'array', schemaType: 'boolean', compile: () => isUnique })
  return ajv
}

/** Read when the first value is checked: Ajv is 90 files, and a host that starts lists tools first. */
const AJV_PARTS = ['ajv/dist/core.js', 'ajv/dist/vocabularies/draft2020.js']
const draft2020 = () => load<typeof Draft2020>('ajv/dist/2020.js')
const load = createRequire(import.meta.url) as <Module>(name: string) => Module
