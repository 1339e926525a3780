import { pathToFileURL } from 'node:url'

/**
 * The ES module that a `require` found half-way imported: another plugin is importing it at the same time, or failed and left it so.
 * Undefined for any other error.
 */
export function urlOfRace(error: unknown): string | undefined {
  if (!isRace(error)) return undefined
  const file = /require\(\) ES Module (.+?) because it is not yet fully loaded/.exec(error.message)?.[1]
  return known.get(error) ?? (file === undefined ? undefined : pathToFileURL(file).href)
}

/** Says which module of ours is behind the generated one that the error names. */
export function noteRace(error: unknown, url: string): void {
  if (isRace(error)) known.set(error, url)
}

const known = new WeakMap<Error, string>()

function isRace(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'ERR_REQUIRE_ESM_RACE_CONDITION'
}
