import { isObject, listOf, objectOf, type JsonObject } from '../json.ts'

/**
 * Throws where the operator has not said where the API is. The description does not decide that: the credential is sent there. The error
 * names the servers it gives.
 */
export function requireApiUrl(apiUrl: string | undefined, document: JsonObject): void {
  if (apiUrl !== undefined) return
  const servers = serversOf(document).slice(0, 5)
  const named = servers.length > 0 ? `The description names ${servers.join(', ')}` : 'The description names no server'
  throw new Error(`apiUrl is not set: where the API begins, with its base path. ${named}`)
}

/**
 * Whether an operation is at the servers of its API, and so at `apiUrl`: one with servers of its own only where they are among those.
 * A description that names none as a whole has those of its paths, if all have the same.
 */
export function createIsAtApi(document: JsonObject, apiUrl: string | undefined): (...own: readonly unknown[]) => boolean {
  const ofPaths = new Set(
    Object.values(objectOf(document['paths'])).flatMap((item) => {
      const servers = objectOf(item)['servers']
      return servers === undefined ? [] : [JSON.stringify(addressesOf(servers))]
    }),
  )
  const servers = serversOf(document)
  const common = servers.length === 0 && ofPaths.size === 1 ? (JSON.parse([...ofPaths][0] ?? '[]') as readonly string[]) : []
  const known = new Set([...servers, ...common, ...(apiUrl === undefined ? [] : [plain(apiUrl)])])
  return (...own) => own.every((one) => one === undefined || addressesOf(one).some((address) => known.has(address)))
}

function serversOf(document: JsonObject): readonly string[] {
  return addressesOf(document['servers'])
}

function addressesOf(servers: unknown): readonly string[] {
  return listOf(servers).filter(isObject).map(addressOf)
}

/** The address with the defaults of its variables. */
function addressOf({ url, variables }: JsonObject): string {
  const written = String(url)
    .slice(0, 500)
    .replaceAll(/\{([^{}]*)\}/g, (whole, name: string) => {
      const value = objectOf(objectOf(variables)[name])['default']
      return typeof value === 'string' ? value : whole
    })
  return plain(written)
}

function plain(address: string): string {
  return address.replace(/\/+$/, '')
}
