import type { StandardSchemaV1 } from '@modelcontextprotocol/server'
import { isObject } from '../../data/json.ts'

/**
 * The parameters our handlers read, checked in the form the SDK takes. Its own two-argument registration answers a parameter of the
 * wrong type with -32603 and raw zod issues; this way it is -32602 and a sentence.
 */
export const params = {
  /** Of a list that is always given whole: there is no page behind a first one. */
  list: schema((value) => {
    const cursor = value['cursor']
    if (cursor !== undefined && cursor !== null && cursor !== '')
      throw new Error('cursor is not one that this server gave: its lists have one page')
    return {}
  }),
  /** Of the list that goes on behind its first page. */
  pages: schema((value) => {
    const cursor = value['cursor']
    if (cursor !== undefined && cursor !== null && typeof cursor !== 'string') throw new Error('cursor is not a text')
    return { cursor: cursor || undefined }
  }),
  initialize: schema((value) => {
    const clientInfo = object(value, 'clientInfo')
    return {
      protocolVersion: text(value, 'protocolVersion'),
      capabilities: object(value, 'capabilities'),
      clientInfo: { name: text(clientInfo, 'name'), version: text(clientInfo, 'version') },
    }
  }),
  call: schema((value) => ({ name: text(value, 'name'), arguments: optionalObject(value, 'arguments') })),
  uri: schema((value) => ({ uri: text(value, 'uri') })),
  prompt: schema((value) => ({ name: text(value, 'name'), arguments: optionalStrings(value, 'arguments') })),
  completion: schema((value) => {
    const ref = object(value, 'ref')
    const argument = object(value, 'argument')
    return {
      ref: ref['type'] === 'ref/prompt' ? { prompt: text(ref, 'name') } : { template: text(ref, 'uri') },
      argument: {
        name: text(argument, 'name'),
        value: text(argument, 'value'),
        others: optionalStrings(optionalObject(value, 'context'), 'arguments'),
      },
    }
  }),
  level: schema((value) => ({ level: oneOf(value, 'level', LOG_LEVELS) })),
}

/** RFC 5424, least severe first. */
export const LOG_LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

function schema<Output>(read: (value: Fields) => Output): StandardSchemaV1<unknown, Output> {
  return {
    '~standard': {
      version: 1,
      vendor: 'mcp-patchbay',
      validate(value) {
        try {
          return { value: read(isObject(value) ? value : {}) }
        } catch (error) {
          return { issues: [{ message: error instanceof Error ? error.message : String(error) }] }
        }
      },
    },
  }
}

type Fields = Readonly<Record<string, unknown>>

function text(fields: Fields, key: string): string {
  const value = fields[key]
  if (typeof value !== 'string') throw new Error(`${key} must be a string`)
  return value
}

function object(fields: Fields, key: string): Fields {
  const value = fields[key]
  if (!isObject(value)) throw new Error(`${key} must be an object`)
  return value
}

function optionalObject(fields: Fields, key: string): Fields {
  return fields[key] === undefined || fields[key] === null ? {} : object(fields, key)
}

function optionalStrings(fields: Fields, key: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(optionalObject(fields, key)).map(([name, value]) => [name, text({ [name]: value }, name)]),
  )
}

function oneOf<Value extends string>(fields: Fields, key: string, values: readonly Value[]): Value {
  const value = values.find((candidate) => candidate === fields[key])
  if (value === undefined) throw new Error(`${key} must be one of ${values.join(', ')}`)
  return value
}
