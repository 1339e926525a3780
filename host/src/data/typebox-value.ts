import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Static, TSchema } from 'typebox'
import type * as Value from 'typebox/value'
import { sharedModule } from '../modules/own-modules.ts'

/** Whether a value fits, by TypeBox's own validator. That is read when first needed: 300 files, and most starts check nothing with it. */
export function fits<Schema extends TSchema>(schema: Schema, value: unknown): value is Static<Schema> {
  return load().Check(schema, value)
}

/** What is wrong with a value, also by TypeBox's validator. */
export function faultsOf(schema: TSchema, value: unknown): ReturnType<typeof Value.Errors> {
  return load().Errors(schema, value)
}

let loaded: typeof Value | undefined
function load(): typeof Value {
  return (loaded ??= createRequire(import.meta.url)(fileURLToPath(sharedModule('typebox/value'))) as typeof Value)
}
