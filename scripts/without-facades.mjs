/**
 * Takes Node's own modules as they are. An import of one makes a list of all that it exports, and asks every getter on the way: node:http
 * reads undici for one of them, node:fs its streams, a fifth of a start. No line becomes two, so that the source map stays right.
 */
export function withoutFacades(code) {
  const taken = code.replaceAll(/^import (.+) from "(node:[\w/]+)";$/gm, (_, clause, from) => {
    const [, whole, list] = /^([\w$]+|\* as [\w$]+)?(?:, )?(\{.+\})?$/.exec(clause) ?? []
    if (!whole && !list) throw new Error(`An import of ${from} in no known form: ${clause}`)
    const names = (list ?? '').split(/[{},]/).flatMap((name) => (name.trim() ? [name.trim().split(' as ')] : []))
    // The default of one is the module itself.
    const [own, others] = [true, false].map((is) => names.filter(([name]) => (name === 'default') === is))
    const modules = [...(whole ? [whole.replace('* as ', '')] : []), ...own.map(([, local]) => local)]
    const parts = [...modules, ...(others.length > 0 ? [`{ ${others.map((name) => name.join(': ')).join(', ')} }`] : [])]
    return `const ${parts.map((part) => `${part} = globalThis.process.getBuiltinModule("${from}")`).join(', ')};`
  })
  return { code: taken, map: null }
}
