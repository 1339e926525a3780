import { isObject, listOf, objectOf, type JsonObject } from '../json.ts'

/**
 * Throws where the operator has not said where the API is. The description does not decide that: the credential is sent there. The error
 * names the servers it gives.
 */
export function requireApiUrl(apiUrl: string | undefined, document: JsonObject): void {
  if (apiUrl !== undefined) return
  const servers = listOf(document['servers']).filter(isObject).map(addressOf).slice(0, 5)
  const named = servers.length > 0 ? `The description names ${servers.join(', ')}` : 'The description names no server'
  throw new Error(`apiUrl is not set: where the API begins, with its base path. ${named}`)
}

/** The address with the defaults of its variables. */
function addressOf({ url, variables }: JsonObject): string {
  return String(url)
    .slice(0, 500)
    .replaceAll(/\{([^{}]*)\}/g, (whole, name: string) => {
      const value = objectOf(objectOf(variables)[name])['default']
      return typeof value === 'string' ? value : whole
    })
}
