import { isObject } from '../../data/json.ts'

/** Whether the message, or one of a batch, asks for an answer. */
export function isRequest(message: unknown): boolean {
  return Array.isArray(message)
    ? message.some(isRequest)
    : isObject(message) && message['method'] !== undefined && message['id'] !== undefined
}

/** The id to answer with; null where there is none that an answer could have. */
export function idOf(message: unknown): string | number | null {
  const id = isObject(message) && message['method'] !== undefined ? message['id'] : undefined
  return typeof id === 'string' || typeof id === 'number' ? id : null
}
