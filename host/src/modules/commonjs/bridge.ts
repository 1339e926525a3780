import type Module from 'node:module'
import { hostError } from '../../errors.ts'
import { ownModule } from '../own-modules.ts'

/**
 * The way back from source text we generate into the graph that generated it. Generated modules import this file by its URL, which
 * is the only thing they can share with us that is not a global.
 */
export interface BridgedGraph {
  /** Runs a CommonJS module of an evaluation, once; its `module.exports`. */
  runCommonJs(evaluation: number, file: string): unknown
  /** `node:module` for code of that evaluation. */
  nodeModuleOf(evaluation: number): typeof Module
}

const graphs = new Map<string, BridgedGraph>()

/** Where generated source finds this module. */
export const bridgeUrl = ownModule('modules/commonjs/bridge')

/** Opens the way for the source that `graph` generates, until disposed. */
export function bridge(graph: string, target: BridgedGraph): Disposable {
  graphs.set(graph, target)
  return { [Symbol.dispose]: () => void graphs.delete(graph) }
}

/**
 * Called by generated source only: `module.exports` and its value under each name, undefined for what it turns out not to have.
 * @public
 */
export function importCommonJs(
  graph: string,
  evaluation: number,
  { file, names }: { readonly file: string; readonly names: readonly string[] },
): { exports: unknown; values: unknown[] } {
  const exports = bridged(graph, file).runCommonJs(evaluation, file)
  return { exports, values: names.map((name) => valueOf(exports, name)) }
}

/**
 * Called by generated source only.
 * @public
 */
export function nodeModuleOf(graph: string, evaluation: number): typeof Module {
  return bridged(graph, 'node:module').nodeModuleOf(evaluation)
}

function bridged(graph: string, module: string): BridgedGraph {
  const target = graphs.get(graph)
  if (!target) throw hostError('MODULE_RELEASED', { module })
  return target
}

/** As Node's own import of CommonJS: own properties only, and a getter that throws has no value. */
function valueOf(exports: unknown, name: string): unknown {
  const target: object = Object(exports)
  if (!Object.hasOwn(target, name)) return undefined
  try {
    return Reflect.get(target, name)
  } catch {
    return undefined
  }
}
