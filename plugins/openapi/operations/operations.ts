import { followed } from '../document/references.ts'
import { LeftOut } from '../document/left-out.ts'
import { isObject, listOf, objectOf, type JsonObject } from '../json.ts'

/** One operation of a description. */
export interface Operation {
  readonly method: string
  readonly path: string
  /** `METHOD /path`: how people and patterns name it. */
  readonly label: string
  readonly operationId: string | undefined
  readonly tags: readonly string[]
  readonly pathItem: JsonObject
  readonly said: JsonObject
}

/** An operation that is not served, and why. */
export interface Refused {
  readonly operation: string
  readonly reason: string
}

/** Every operation of the description, in its order, and the paths that cannot be read. */
export function listOperations(document: JsonObject): {
  readonly operations: readonly Operation[]
  readonly refused: readonly Refused[]
} {
  const operations: Operation[] = []
  const refused: Refused[] = []
  for (const [path, item] of Object.entries(objectOf(document['paths']))) {
    if (path.startsWith('x-')) continue
    try {
      const pathItem = followed(document, item)
      for (const method of METHODS) {
        const said = pathItem[method]
        if (isObject(said)) operations.push(operationOf(method.toUpperCase(), path, pathItem, said))
      }
    } catch (error) {
      if (!(error instanceof LeftOut)) throw error
      refused.push({ operation: path, reason: error.message })
    }
  }
  return { operations, refused }
}

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace', 'query']

function operationOf(method: string, path: string, pathItem: JsonObject, said: JsonObject): Operation {
  const { operationId, tags } = said
  return {
    method,
    path,
    label: `${method} ${path}`,
    operationId: typeof operationId === 'string' && operationId !== '' ? operationId : undefined,
    tags: listOf(tags).filter((tag) => typeof tag === 'string'),
    pathItem,
    said,
  }
}
