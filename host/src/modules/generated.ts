import { bridgeUrl } from './commonjs/bridge.ts'

/** Says whose the generated source is: a graph and one of its evaluations. */
export interface Owner {
  readonly graph: string
  readonly evaluation: number
}

/**
 * Generated modules stand where Node's loader would use a cache we cannot empty: its CommonJS and JSON translators keep every URL
 * they ever saw, and `require` keys modules by file name, whatever the query.
 */

/** An ES module that runs a CommonJS file when it is evaluated, with the exports Node would give it. */
export function commonJsFacade({ graph, evaluation }: Owner, file: string, names: readonly string[]): string {
  const named = names.filter((name) => name !== 'default' && name !== 'module.exports' && name.isWellFormed())
  return [
    `import { importCommonJs } from ${JSON.stringify(bridgeUrl)}`,
    `const { exports, values } = importCommonJs(${JSON.stringify(graph)}, ${evaluation}, ${JSON.stringify({ file, names: named })})`,
    `export { exports as default, exports as 'module.exports' }`,
    ...named.map((name, index) => `const _${index} = values[${index}]; export { _${index} as ${JSON.stringify(name)} }`),
    '//# sourceURL=patchbay:commonjs',
  ].join('\n')
}

/** An ES module whose default export is the JSON. A literal would not do: `__proto__` is a key in JSON and syntax in JavaScript. */
export function jsonFacade(json: string): string {
  return `export default JSON.parse(${JSON.stringify(json)})\n//# sourceURL=patchbay:json`
}

/** `node:module` whose `createRequire` requires the files of its own evaluation. */
export function nodeModuleFacade({ graph, evaluation }: Owner): string {
  return [
    `import { nodeModuleOf } from ${JSON.stringify(bridgeUrl)}`,
    `export * from 'node:module'`,
    `const module = nodeModuleOf(${JSON.stringify(graph)}, ${evaluation})`,
    `export const { createRequire } = module`,
    `export { module as default, module as 'module.exports' }`,
    '//# sourceURL=patchbay:module',
  ].join('\n')
}

/**
 * An ES module to `require` in the place of the one at `url`: `require` cannot take a URL, so it could not say which evaluation.
 * With `interop` it has the `__esModule` mark that Node adds to a module with a default export.
 */
export function requireFacade(url: string, { interop }: { readonly interop: boolean }): string {
  const from = JSON.stringify(url)
  return interop
    ? `export * from ${from}; export { default } from ${from}; export const __esModule = true`
    : `import * as namespace from ${from}; export { namespace as 'module.exports' }`
}
