import { isObject, type JsonObject } from '../json.ts'
import { LeftOut } from './left-out.ts'

const MAX_HOPS = 32

/** What `#/a/b` points to. Throws `LeftOut` for a reference that leaves the document or leads nowhere. */
export function pointed(document: JsonObject, reference: string): unknown {
  const shown = JSON.stringify(reference.slice(0, 200))
  if (!reference.startsWith('#'))
    throw new LeftOut(`it refers to ${shown}, outside of the description. Bundle the description into one file`)
  let at: unknown = document
  for (const step of reference.slice(1).split('/').slice(1)) {
    const key = decoded(step).replaceAll('~1', '/').replaceAll('~0', '~')
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined
  }
  if (at === undefined || reference === '#') throw new LeftOut(`it refers to ${shown}, which is not in the description`)
  return at
}

/** The object itself, or the one it refers to. What stands beside a `$ref` is not looked at. Throws `LeftOut`. */
export function followed(document: JsonObject, value: unknown): JsonObject {
  let at = value
  for (let hops = 0; isObject(at) && typeof at['$ref'] === 'string'; hops++) {
    if (hops === MAX_HOPS) throw new LeftOut(`its reference ${JSON.stringify(at['$ref'].slice(0, 200))} leads in a circle`)
    at = pointed(document, at['$ref'])
  }
  return isObject(at) ? at : {}
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}
