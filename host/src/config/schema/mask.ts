/** Names of config keys and of environment variables that hold secrets. */
export const SECRET_NAME = /token|secret|passw|credential|private|api_?key|auth_?key|access_?key/i

/**
 * Takes out of a text what must not be shown: the value of every variable whose name says that it is a secret, what is assigned to
 * such a name in source code, and the user part of a URL. For errors and output of a config, which runs with the whole environment.
 */
export function createMask(env: Readonly<Record<string, string | undefined>>): (text: string) => string {
  const values = Object.entries(env).flatMap(([name, value = '']) =>
    SECRET_NAME.test(name) && value.length >= SHORTEST ? [value] : [],
  )
  // The longest first: a secret may hold another one.
  const secrets = values.toSorted((a, b) => b.length - a.length)
  return (text) =>
    secrets
      .reduce((masked, secret) => masked.replaceAll(secret, '[secret]'), text)
      .replace(ASSIGNED, '$1[secret]')
      .replace(USER_PART, '//[secret]@')
}

/** Shorter ones would be found in ordinary words. */
const SHORTEST = 6

const ASSIGNED = new RegExp(`((?:${SECRET_NAME.source})\\w*["']?\\s*[:=]\\s*["'\`])[^"'\`\\n]+`, 'gi')
const USER_PART = /\/\/[^\s/@"'`]+@/g
