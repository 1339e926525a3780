/**
 * The message of whatever was thrown: it may be no error at all, and reading it may throw in turn. A plugin's last word must not
 * become the host's.
 */
export function messageOf(thrown: unknown): string {
  if (isError(thrown)) return textOf(thrown, 'message') ?? 'an error that cannot be read'
  try {
    return String(thrown).slice(0, MAX_READ)
  } catch {
    return 'something that is no error'
  }
}

/** The most characters that are read of one text of an error, before it is searched for secrets and copied. */
const MAX_READ = 65_536
/** The most that is shown. What lies between may end in half a secret, which no search would find. */
const MAX_SHOWN = 32_768

/** An error's text as it may leave the host: shortened after secrets were taken out of it, and marked. */
export function shown(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}… (shortened)` : text
}

/** A text of an error, its first 65,536 characters; undefined where there is none, or reading it throws. */
export function textOf(error: object, key: 'name' | 'message' | 'stack'): string | undefined {
  const value = valueOf(error, key)
  return typeof value === 'string' ? value.slice(0, MAX_READ) : undefined
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
