import Module, { createRequire, isBuiltin } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { compileFunction, constants } from 'node:vm'
import { requireResolver } from './commonjs-resolve.ts'
import type { Evaluation } from '../evaluation.ts'
import type { Evaluations } from '../evaluations.ts'
import { withoutWarningOf } from '../experimental.ts'
import { syntaxError } from '../location.ts'
import type { Placement } from '../placement.ts'
import type { ModuleRequirer } from './require-module.ts'
import { commonJsParameters, withoutHashbang, type SourceReader } from '../source.ts'
import { markedPosition } from '../typescript.ts'

/**
 * CommonJS for the graph. Node keeps one module per file name in `require.cache`, whatever the query of its URL, so two versions
 * cannot live beside each other there. Here every evaluation has a cache of its own; resolution, wrapper and `Module` are Node's.
 */
export interface CommonJs {
  /** Evaluates the file, once in each evaluation; its `module.exports`. */
  run(file: string, evaluation: Evaluation): unknown
  /** `node:module` for code of the evaluation: its `createRequire` requires that evaluation's files. */
  nodeModule(evaluation: Evaluation): typeof Module
}

export interface CommonJsOptions {
  readonly evaluations: Evaluations
  readonly placement: Placement
  readonly readSource: SourceReader
  readonly modules: ModuleRequirer
}

/** CommonJS for the graph whose parts these are. */
export function createCommonJs({ evaluations, placement, readSource, modules }: CommonJsOptions): CommonJs {
  const run = (file: string, evaluation: Evaluation, parent?: Module): unknown => {
    const cached = evaluation.modules[file]
    if (cached) return cached.exports
    evaluations.get(evaluation.id, file)
    const { format, code } = evaluation.readAhead.get(file) ?? readSource(file, evaluation)
    evaluation.readAhead.delete(file)
    const native = createRequire(file)
    if (format === 'other') return native(file)
    const module = new Module(file, parent)
    module.filename = file
    module.paths = native.resolve.paths('name') ?? []
    evaluation.modules[file] = module
    try {
      if (format === 'json') module.exports = JSON.parse(code)
      else if (format === 'module') module.exports = modules.require(file, evaluation, native)
      else execute(module, code, evaluation)
      module.loaded = true
    } catch (error) {
      delete evaluation.modules[file]
      throw error
    }
    return module.exports
  }

  const execute = (module: Module, code: string, evaluation: Evaluation): void => {
    const { filename } = module
    const body = compile(filename, code, evaluation)
    const require = createRequireFor(evaluation, filename, module)
    module.require = require
    Reflect.apply(body, module.exports, [module.exports, require, module, filename, dirname(filename)])
  }

  const createRequireFor = (evaluation: Evaluation, from: string, parent?: Module): NodeJS.Require => {
    const native = createRequire(from)
    const locate = requireResolver({ from, native, evaluation, placement })
    const require = (id: string): unknown => {
      if (isBuiltin(id)) return /^(?:node:)?module$/.test(id) ? nodeModule(evaluation) : native(id)
      const file = locate(id)
      const owner = placement.place(file, evaluation)
      return owner ? run(file, owner, parent) : native(file)
    }
    return Object.assign(require, {
      resolve: Object.assign(locate, { paths: (id: string) => native.resolve.paths(id) }),
      cache: evaluation.modules,
      extensions: native.extensions,
      main: native.main,
    })
  }

  const nodeModule = (evaluation: Evaluation): typeof Module => {
    const create = (from: string | URL): NodeJS.Require => {
      createRequire(from) // throws Node's own error when it is not an absolute path
      const path = typeof from === 'string' && isAbsolute(from) ? from : fileURLToPath(from)
      return createRequireFor(evaluation, /[/\\]$/.test(path) ? join(path, 'noop.js') : path)
    }
    return new Proxy(Module, {
      get: (target, key) => (key === 'createRequire' ? create : (Reflect.get(target, key) as unknown)),
    })
  }

  return { run, nodeModule }
}

/** Compiled under the tagged URL, so that an `import()` in it can be assigned to this version; errors and debuggers show the file. */
function compile(file: string, code: string, evaluation: Evaluation): Function {
  if (code.includes('import(')) allowDynamicImport()
  const source = `${withoutHashbang(code)}\n//# sourceURL=${pathToFileURL(file).href}`
  try {
    // Call sites say the file, by which packages such as bindings find what lies beside them; an `import()` needs to say whose it is.
    const filename = code.includes('import(') ? evaluation.url(file) : file
    return compileFunction(source, commonJsParameters, { filename, importModuleDynamically })
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const { message, stack = '' } = error
    throw syntaxError({ file, reason: message, position: markedPosition(stack), cause: error })
  }
}

const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER

/** Node warns at the first `import()` in a compiled function: here, in one of ours. */
function allowDynamicImport(): void {
  if (dynamicImportAllowed) return
  dynamicImportAllowed = true
  const probe = compileFunction(`import('node:vm')`, [], { importModuleDynamically })
  withoutWarningOf('vm.USE_MAIN_CONTEXT_DEFAULT_LOADER', () => Reflect.apply(probe, undefined, []) as unknown)
}

let dynamicImportAllowed = false
