import { isError, textOf, valueOf } from '../thrown.ts'

/** An error with its stack and causes, five deep at most: a cause may point back. */
export function serializeError(error: unknown, depth = 0): unknown {
  if (!isError(error)) return error
  const code = valueOf(error, 'code')
  const cause = valueOf(error, 'cause')
  return {
    name: textOf(error, 'name'),
    message: textOf(error, 'message'),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    stack: textOf(error, 'stack'),
    ...(cause !== undefined && depth < 5 ? { cause: serializeError(cause, depth + 1) } : {}),
  }
}
