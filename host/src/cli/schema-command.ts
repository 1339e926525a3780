import { Command } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { configSchema } from '../config/schema/schema.ts'
import { isObject, type JsonObject } from '../data/json.ts'
import { EXIT, type Run } from './terminal/exit.ts'
import { printJson } from './terminal/print.ts'

/** What has a default may be left out, and an editor finds this schema by a key of its own. */
function asWritten(schema: unknown): JsonObject {
  const open = withoutDefaulted(JSON.parse(JSON.stringify(schema)))
  if (!isObject(open) || !isObject(open['properties'])) throw new Error('the config is no object')
  return { ...open, properties: { $schema: { type: 'string' }, ...open['properties'] } }
}

function withoutDefaulted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaulted)
  if (!isObject(value)) return value
  const copy = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutDefaulted(part)]))
  const { required, properties } = value
  if (!Array.isArray(required) || !isObject(properties)) return copy
  const { required: _, ...rest } = copy
  const needed = required.filter((key) => {
    const property = properties[String(key)]
    return !isObject(property) || property['default'] === undefined
  })
  return needed.length > 0 ? { ...rest, required: needed } : rest
}

/** `patchbay schema`: the JSON Schema of the config, for editors. */
export function schemaCommand(run: Run): Command {
  return new Command('schema').description('the JSON Schema of the config').action(() =>
    run(async () => {
      printJson({
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        title: `The config of mcp-patchbay ${packageJson.version}`,
        ...asWritten(configSchema),
      })
      return EXIT.done
    }),
  )
}
