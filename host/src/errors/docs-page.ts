import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

let folder: string | undefined

/** Where `page` of the docs, `errors.md#internal` for example, is on this machine: they ship in the package, beside the code. */
export function docsPage(page: string): string {
  folder ??= docsFolder()
  return `${folder}${page}`
}

/** In this repository they are beside the package; a copy that was made for packing is not the one to read. */
function docsFolder(): string {
  const packageUrl = import.meta.resolve('mcp-patchbay/package.json')
  const inRepository = fileURLToPath(new URL('../docs/', packageUrl))
  return existsSync(new URL('src/', packageUrl)) ? inRepository : fileURLToPath(new URL('docs/', packageUrl))
}
