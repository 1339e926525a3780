import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'

/**
 * What is wrong with `value` by `schema`, one line each, as the host sees it: the schema as plain JSON, so that what TypeBox alone
 * knows (`Refine`, `Codec`) does not count.
 */
export function mismatches(schema: TSchema, value: unknown): readonly string[] {
  const plain = plainJson<TSchema>(schema)
  if (Value.Check(plain, value)) return []
  return Value.Errors(plain, value)
    .filter(({ keyword }) => keyword !== 'boolean') // comes along with additionalProperties and says less
    .map(({ instancePath, message, params }) => {
      const at = instancePath === '' ? 'the value' : `\`${instancePath.slice(1).replaceAll('/', '.')}\``
      const extra = 'additionalProperties' in params ? `: ${params.additionalProperties.join(', ')}` : ''
      return `${at} ${message}${extra}`
    })
}

/** `value` after a JSON round trip: what reaches the other side. Throws a TypeError for what JSON cannot hold. */
export function plainJson<Value = unknown>(value: unknown): Value {
  const json: string | undefined = JSON.stringify(value)
  if (json === undefined) throw new TypeError(`JSON cannot hold a value of type ${typeof value}`)
  return JSON.parse(json) as Value
}
