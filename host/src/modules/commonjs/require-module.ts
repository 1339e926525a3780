import { pathToFileURL } from 'node:url'
import { tagOf, type Evaluation } from '../evaluation.ts'
import { requireFacade } from '../generated.ts'
import { noteRace } from './require-race.ts'

/** `require` of an ES module of some evaluation. */
export interface ModuleRequirer {
  /** What Node's `require` of such a file returns. `native` is any `require` of Node's. */
  require(file: string, evaluation: Evaluation, native: NodeJS.Require): unknown
  /** For the resolve hook: the URL behind the specifier that is being required, if it is ours. */
  resolve(specifier: string): string | undefined
  /** For the load hook: the source behind such a URL. */
  source(url: string): string | undefined
}

/**
 * Node's `require` takes no URL, so it could not say which evaluation: it requires a generated module that imports the one we mean.
 */
export function createModuleRequirer(graph: string): ModuleRequirer {
  // Few specifiers, since Node keeps an entry for every one it saw, but one for each level of nesting: for the same one it would give
  // the module that is still being required. A URL of its own for each, since Node may keep those.
  const specifier = `${tagOf(graph)}required`
  const sources = new Map<string, string>()
  const current: string[] = []
  let last = 0

  const requireSource = (source: string, { file, evaluation, native }: Requested): Readonly<Record<string, unknown>> => {
    const path = `${file}.${evaluation.tag}-${++last}.mjs`
    const url = pathToFileURL(path).href
    const level = current.push(url)
    evaluation.urls.add(url)
    sources.set(url, source)
    try {
      return native(`${specifier}${level}`)
    } finally {
      current.pop()
      sources.delete(url)
      delete native.cache[path]
    }
  }

  return {
    require(file, evaluation, native) {
      const url = evaluation.url(file)
      const requested = { file, evaluation, native }
      const namespace = withRaceNoted(url, () => requireSource(requireFacade(url, { interop: false }), requested))
      if ('module.exports' in namespace) return namespace['module.exports']
      if (!('default' in namespace) || '__esModule' in namespace) return namespace
      return requireSource(requireFacade(url, { interop: true }), requested)
    },
    resolve: (requested) =>
      requested.startsWith(specifier) ? current[Number(requested.slice(specifier.length)) - 1] : undefined,
    source: (url) => sources.get(url),
  }
}

function withRaceNoted<Result>(url: string, action: () => Result): Result {
  try {
    return action()
  } catch (error) {
    noteRace(error, url)
    throw error
  }
}

interface Requested {
  readonly file: string
  readonly evaluation: Evaluation
  readonly native: NodeJS.Require
}
