import { createHash } from 'node:crypto'

/** Something of a server that needs a name here: `key` tells it from all others of its kind, `name` is what the server calls it. */
export interface Named {
  readonly key: string
  readonly name: string
}

/**
 * A name in `snake_case` for each, of at most `longest` characters, by key. The order does not matter, and neither does what else there
 * is, unless two would have the same name: then each carries a digest of its key, but for one that the server itself calls so.
 */
export function localNames(items: readonly Named[], longest: number): ReadonlyMap<string, string> {
  const wanted = Map.groupBy(items, ({ name, key }) => snakeCase(name) || `unnamed_${digest(key)}`)
  return new Map(
    [...wanted].flatMap(([base, same]) =>
      same.map(({ key, name }) => {
        const isAlone = same.length === 1 || name === base
        return [key, isAlone && base.length <= longest ? base : withDigest(base, key, longest)] as const
      }),
    ),
  )
}

/** `getUserName`, `get-user-name` and `Get User Name` are all `get_user_name`. Letters of other scripts have no place in it. */
export function snakeCase(name: string): string {
  const words = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  return /^[0-9]/.test(words) ? `n${words}` : words
}

const DIGEST_LENGTH = 8

function withDigest(base: string, key: string, longest: number): string {
  const kept = base.slice(0, Math.max(1, longest - DIGEST_LENGTH - 1)).replace(/_+$/, '')
  return `${kept}_${digest(key)}`
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, DIGEST_LENGTH)
}
