/**
 * The message of whatever was thrown: it may be no error at all, and reading it may throw in turn. A plugin's last word must not
 * become the host's.
 */
export function messageOf(thrown: unknown): string {
  if (isError(thrown)) return textOf(thrown, 'message') ?? 'an error that cannot be read'
  try {
    return String(thrown)
  } catch {
    return 'something that is no error'
  }
}

/** A text of an error; undefined where there is none, or reading it throws. */
export function textOf(error: object, key: 'name' | 'message' | 'stack'): string | undefined {
  const value = valueOf(error, key)
  return typeof value === 'string' ? value : undefined
}

/** Any property of an error; undefined where reading it throws. */
export function valueOf(error: object, key: string): unknown {
  try {
    return Reflect.get(error, key)
  } catch {
    return undefined
  }
}

/** Whether something is an error. Never throws, whatever it is. */
export function isError(thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error
  } catch {
    return false
  }
}
