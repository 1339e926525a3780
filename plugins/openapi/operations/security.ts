import { LeftOut } from '../document/left-out.ts'
import { followed } from '../document/references.ts'
import { isObject, listOf, objectOf, type JsonObject } from '../json.ts'

/**
 * Throws `LeftOut` where every way to authenticate that the operation names is one the host cannot take: it puts one credential on a
 * request, as `Authorization: Bearer`, `Authorization: Basic` or `X-API-Key`.
 */
export function requireAuthenticable(document: JsonObject, said: JsonObject): void {
  const ways = said['security'] ?? document['security']
  if (!Array.isArray(ways) || ways.length === 0) return
  const schemes = objectOf(objectOf(document['components'])['securitySchemes'])
  const problems = ways.map((way) => problemOf(Object.keys(objectOf(way)), document, schemes))
  if (problems.some((problem) => problem === undefined)) return
  throw new LeftOut(`it wants a credential that the host cannot send: ${[...new Set(problems)].join('; or ')}`)
}

function problemOf(names: readonly string[], document: JsonObject, schemes: JsonObject): string | undefined {
  const problems = listOf(names).flatMap((name) => {
    const scheme = schemes[String(name)]
    const problem = isObject(scheme) ? schemeProblem(followed(document, scheme)) : 'is not described'
    return problem === undefined ? [] : [`${JSON.stringify(name)} ${problem}`]
  })
  if (problems.length > 0) return problems.join(' and ')
  return names.length > 1 ? `${names.map((name) => JSON.stringify(name)).join(' and ')} at once` : undefined
}

function schemeProblem({ type, scheme, in: place, name }: JsonObject): string | undefined {
  if (type === 'oauth2' || type === 'openIdConnect') return undefined
  if (type === 'http') return /^(?:bearer|basic)$/i.test(String(scheme)) ? undefined : `is HTTP ${String(scheme)}`
  if (type !== 'apiKey') return `is of type ${String(type)}`
  if (place === 'header' && /^(?:x-api-key|authorization)$/i.test(String(name))) return undefined
  return `is the ${String(place)} parameter ${JSON.stringify(name)}`
}
