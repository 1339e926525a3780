import { isMap } from 'node:util/types'
import { withInspector, type Inspector, type RemoteProperty } from '../inspector.ts'

/** A map of Node's loader keyed by URL. */
export interface LoaderCache {
  delete(url: string): void
}

/**
 * The two maps for which Node never forgets an ES module: modules by URL, and resolutions by the URL of the importing module. They
 * hang on the loader that `import.meta.resolve` closes over, where the inspector protocol can see them. Undefined when they are not
 * where they were: in another Node, or where the inspector is denied.
 */
export function findLoaderCaches(): readonly LoaderCache[] | undefined {
  return withInspector((inspector) => {
    inspector.ask('Debugger.enable') // only then are scopes and private fields shown
    try {
      const loader = findLoader(inspector)
      const { result, privateProperties = [] } = inspector.ask('Runtime.getProperties', { objectId: loader, ownProperties: true })
      const loadCache = idOf(result, 'loadCache')
      const resolveCache = idOf(privateProperties, '#resolveCache')
      return [loadCache, resolveCache].map((id) => asCache(inspector.valueOf(id)))
    } finally {
      inspector.ask('Debugger.disable')
    }
  })
}

function findLoader({ ask, idOf: handleOf }: Inspector): string {
  const { internalProperties = [] } = ask('Runtime.getProperties', { objectId: handleOf(Reflect.get(import.meta, 'resolve')) })
  const { result: scopes } = ask('Runtime.getProperties', {
    objectId: idOf(internalProperties, '[[Scopes]]'),
    ownProperties: true,
  })
  for (const { value: scope } of scopes) {
    if (!scope?.objectId || scope.description?.startsWith('Global')) continue
    const { result } = ask('Runtime.getProperties', { objectId: scope.objectId, ownProperties: true })
    const loader = result.find(({ name, value }) => name === 'loader' && value?.className === 'ModuleLoader')
    if (loader?.value?.objectId) return loader.value.objectId
  }
  throw new Error('import.meta.resolve closes over no loader')
}

function idOf(properties: readonly RemoteProperty[], name: string): string {
  const id = properties.find((property) => property.name === name)?.value?.objectId
  if (!id) throw new Error(`The loader has no ${name}`)
  return id
}

/** Node overrides `delete` to forget one import type of a URL; the one of Map forgets the URL. */
function asCache(value: unknown): LoaderCache {
  if (!isMap(value)) throw new TypeError('The loader keeps no Map')
  return { delete: (url) => void Map.prototype.delete.call(value, url) }
}
