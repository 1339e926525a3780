import { hash } from 'node:crypto'
import {
  isBuiltin,
  registerHooks,
  type LoadFnOutput,
  type LoadHookContext,
  type LoadHookSync,
  type ResolveFnOutput,
  type ResolveHookContext,
  type ResolveHookSync,
} from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bridgeUrl } from './commonjs/bridge.ts'
import type { ExportNames } from './commonjs/commonjs-exports.ts'
import { tagOf, untagged, type Evaluation } from './evaluation.ts'
import type { Evaluations } from './evaluations.ts'
import { commonJsFacade, jsonFacade, nodeModuleFacade } from './generated.ts'
import { existingFile, isLocal, type Placement } from './placement.ts'
import type { ModuleRequirer } from './commonjs/require-module.ts'
import { digestOf } from './reading/source-digest.ts'
import { type SourceReader } from './source.ts'
import type { Admit } from './types.ts'

export interface HookOptions {
  readonly graph: string
  readonly evaluations: Evaluations
  readonly placement: Placement
  readonly readSource: SourceReader
  readonly modules: ModuleRequirer
  readonly exportNames: ExportNames
  readonly admit: Admit | undefined
}

/**
 * Puts the graph into Node's loader until disposed. Every module of the process passes here; one whose parent bears no tag of this
 * graph costs two substring searches and a look into a set.
 */
export function registerGraphHooks(options: HookOptions): Disposable {
  const { graph, evaluations, placement, readSource, modules, exportNames, admit } = options
  const tag = tagOf(graph)
  const nodeModule = `patchbay:module/${graph}.`

  const resolve: ResolveHookSync = (specifier, context, next) => {
    const { parentURL } = context
    if (parentURL?.includes(tag)) {
      const user = evaluations.of(parentURL)
      if (user) return resolveFor(user, parentURL, { specifier, context, next })
    }
    if (specifier.includes(tag)) return { url: modules.resolve(specifier) ?? specifier, shortCircuit: true }
    if (parentURL === undefined || !placement.isGuest(parentURL)) return next(specifier, context)
    const shared = placement.sharedUrl(specifier)
    if (shared) return { url: shared, shortCircuit: true }
    const found = next(specifier, context)
    placement.welcome(found.url, parentURL)
    return found
  }

  const resolveFor = (user: Evaluation, parentURL: string, { specifier, context, next }: ResolveRequest): ResolveFnOutput => {
    if (specifier === bridgeUrl) return next(specifier, context)
    if (isBuiltin(specifier)) return resolveBuiltin(specifier, user)
    const shared = placement.sharedUrl(specifier)
    if (shared) return { url: shared, shortCircuit: true }

    const local = isLocal(specifier) ? new URL(specifier, parentURL) : undefined
    const path = local && fileURLToPath(local)
    const file = path && existingFile(path, user)
    if (local && file) {
      const evaluation = placement.place(file, user)
      return evaluation ? { url: evaluation.url(file, untagged(local, graph)), shortCircuit: true } : next(specifier, context)
    }
    if (path) user.miss(path)
    else placement.check(specifier, fileURLToPath(parentURL), user)
    const found = next(specifier, context)
    if (!found.url.startsWith('file:')) return found
    const url = new URL(found.url)
    const evaluation = placement.place(fileURLToPath(url), user)
    return evaluation ? { url: evaluation.url(fileURLToPath(url), untagged(url, graph)), shortCircuit: true } : found
  }

  const resolveBuiltin = (specifier: string, user: Evaluation): ResolveFnOutput => {
    const url = specifier.startsWith('node:') ? specifier : `node:${specifier}`
    if (url !== 'node:module') return { url, format: 'builtin', shortCircuit: true }
    user.urls.add(nodeModule + user.id)
    return { url: nodeModule + user.id, format: 'module', shortCircuit: true }
  }

  const load: LoadHookSync = (url, context, next) => {
    if (!url.includes(tag)) {
      if (!url.startsWith(nodeModule))
        return placement.isGuest(url) && (admit || placement.isOwn(url)) ? loadGuest(url, context, next) : next(url, context)
      return generated(nodeModuleFacade({ graph, evaluation: Number(url.slice(nodeModule.length)) }))
    }
    const facade = modules.source(url)
    if (facade) return generated(facade)
    const evaluation = evaluations.of(url)
    return (evaluation && loadFor(evaluation, url, context)) ?? next(url, context)
  }

  /** Node loads it; what it read is what is judged. Of what it does not hand over, such as an addon, the file is. */
  const loadGuest = (url: string, context: LoadHookContext, next: Parameters<LoadHookSync>[2]): LoadFnOutput => {
    const loaded = next(url, context)
    const file = fileURLToPath(url)
    const { source } = loaded
    const digest = source === null || source === undefined ? digestOf(file) : hash('sha256', viewOf(source))
    const once = placement.read(url, digest)
    admit?.({ file, digest, once })
    return loaded
  }

  const loadFor = (evaluation: Evaluation, url: string, context: LoadHookContext): LoadFnOutput | undefined => {
    evaluation.urls.add(url)
    const file = fileURLToPath(url)
    const source = readSource(file, evaluation)
    const { format, code } = source
    // Left to Node where it is not what we know how to evaluate, or where the attributes do not fit: it says so best.
    if (context.importAttributes.type !== (format === 'json' ? 'json' : undefined)) return undefined
    if (format === 'module') return generated(`${code}\n//# sourceURL=${pathToFileURL(file).href}`)
    if (format === 'json') return generated(jsonFacade(code))
    if (format === 'other') return undefined
    if (!evaluation.modules[file]) evaluation.readAhead.set(file, source)
    return generated(commonJsFacade({ graph, evaluation: evaluation.id }, file, exportNames(file, code, evaluation)))
  }

  const hooks = registerHooks({ resolve, load })
  return { [Symbol.dispose]: () => hooks.deregister() }
}

interface ResolveRequest {
  readonly specifier: string
  readonly context: ResolveHookContext
  readonly next: Parameters<ResolveHookSync>[2]
}

function viewOf(source: NonNullable<LoadFnOutput['source']>): string | NodeJS.ArrayBufferView {
  return typeof source === 'string' || ArrayBuffer.isView(source) ? source : new Uint8Array(source)
}

function generated(source: string): LoadFnOutput {
  return { format: 'module', source, shortCircuit: true }
}
