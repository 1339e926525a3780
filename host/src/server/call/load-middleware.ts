import { pathToFileURL } from 'node:url'
import { isObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'
import { resolvePlugin } from '../../plugin/source/resolve-entry.ts'
import type { Middleware } from './types.ts'

const PARTS = ['http', 'tool', 'resource', 'prompt'] as const

/**
 * Imports the middleware that a config names: a file or folder under its own folder, or an installed package, whose default export it
 * is. It is the operator's own code, as the config is: no lock covers it, and it is read once. Throws `MIDDLEWARE_INVALID`.
 */
export async function loadMiddleware(specifiers: readonly string[], configDir: string): Promise<readonly Middleware[]> {
  const loaded: Middleware[] = []
  for (const [index, use] of specifiers.entries()) {
    const place = `middleware[${index}]`
    const exported = await importDefault(use, { place, configDir })
    const problem = faultOf(exported)
    if (problem !== undefined) throw hostError('MIDDLEWARE_INVALID', { place, use, problem })
    loaded.push(exported as Middleware)
  }
  return loaded
}

async function importDefault(use: string, { place, configDir }: { place: string; configDir: string }): Promise<unknown> {
  try {
    const { file } = resolvePlugin({ use, instance: place }, configDir)
    const module: unknown = await import(pathToFileURL(file).href)
    return isObject(module) ? module['default'] : undefined
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw hostError('MIDDLEWARE_INVALID', { place, use, problem }, error)
  }
}

function faultOf(exported: unknown): string | undefined {
  if (!isObject(exported)) return 'its default export is no object'
  if (typeof exported['name'] !== 'string' || exported['name'] === '') return 'its default export has no name'
  const parts = PARTS.filter((part) => exported[part] !== undefined)
  if (parts.length === 0) return `its default export has none of ${PARTS.join(', ')}`
  const wrong = parts.find((part) => typeof exported[part] !== 'function')
  return wrong === undefined ? undefined : `its ${wrong} is no function`
}
