import type { TArray, TObject, TProperties, TString } from 'typebox'
import { Type } from '../../data/type.ts'

/**
 * An object of the config. It may be left out whole: then it holds the defaults of its keys. A key without a default is either
 * optional or has to be given wherever its object is. Unknown keys are refused.
 */
export function section<Properties extends TProperties>(description: string, properties: Properties): TObject<Properties> {
  return Type.Object(properties, { description, additionalProperties: false, default: {} })
}

/** A list of globs over tool names, or over tags. Other characters could never match and are refused: a `deny` with a slip denies nothing. */
export function globs(description: string, byDefault: readonly string[] = []): TArray<TString> {
  return Type.Array(glob, { description, default: byDefault })
}

/** A list of strings, empty by default. */
export function names(description: string): TArray<TString> {
  return Type.Array(Type.String({ minLength: 1 }), { description, default: [] })
}

/** Milliseconds. */
export function milliseconds(description: string, byDefault: number): ReturnType<typeof Type.Integer> {
  return Type.Integer({ description, default: byDefault, minimum: 1, maximum: 2_147_483_647 })
}

const glob = Type.String({
  pattern: '^(?:[a-z0-9_*?]+|tag:[A-Za-z0-9_.*?-]+)$',
  maxLength: 128,
  title: 'a glob over tool names, of a to z, 0 to 9, _, * and ?, or tag: and a tag',
})
