import type { LogFields, Logger } from '@mcp-patchbay/plugin-api'
import { isError, messageOf } from '../thrown.ts'
import { serializeError } from './serialize-error.ts'

/**
 * The log as a plugin has it. Its events begin with `plugin.` and its fields are together under `fields`: whatever it writes, a line of
 * it cannot be taken for one of the host's, such as an audit line, and the names that the host gives a line are the host's.
 */
export function pluginLogger(log: Logger, bound: LogFields = {}): Logger {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (event: string, fields?: LogFields) => {
    const own = withBound(bound, fields)
    const name = `plugin.${eventText(event)}`.slice(0, LONGEST_EVENT)
    if (Object.keys(own).length > 0) log[level](name, { fields: withErrors(own) })
    else log[level](name)
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => pluginLogger(log, withBound(bound, fields)),
  }
}

/** The event of a line as text, whatever a plugin gave: a line is never worth a failed call. */
export function eventText(event: unknown): string {
  return typeof event === 'string' ? event : messageOf(event)
}

/**
 * The fields of a line. Those whose getters throw are the plugin's fault, and no reason for its call to fail. What has no fields, such
 * as an error or a text, is a field itself: its members are not what was meant, and a text has one for each character.
 */
export function withBound(bound: LogFields, fields: unknown): LogFields {
  if (fields === undefined || fields === null) return bound
  if (isError(fields)) return { ...bound, error: fields }
  if (typeof fields !== 'object' || Array.isArray(fields)) return { ...bound, value: fields }
  try {
    return { ...bound, ...fields }
  } catch (error) {
    return { ...bound, unreadable: messageOf(error) }
  }
}

const LONGEST_EVENT = 207

/** An error has no members that JSON would show. */
function withErrors(fields: LogFields): LogFields {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, isError(value) ? serializeError(value) : value]))
}
