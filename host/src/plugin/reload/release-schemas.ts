import type { Validators } from '../../data/schema/validate.ts'
import type { PluginRecord } from '../run/plugin-record.ts'

/** Ajv keeps every schema that it compiled until it is told that no version needs it. */
export function releaseSchemas({ surface }: PluginRecord, validators: Pick<Validators, 'release'>): void {
  const { tools = [], prompts = [] } = surface ?? {}
  for (const { wire } of tools) {
    validators.release(wire.inputSchema)
    if (wire.outputSchema) validators.release(wire.outputSchema)
  }
  for (const { schema } of prompts) validators.release(schema)
}
