import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { hostError } from '../errors.ts'
import { PACKAGE_NAME } from '../data/package.ts'

/** What `patchbay add` was asked for. */
export type Spec =
  | { readonly kind: 'registry'; readonly name: string; readonly range: string }
  | { readonly kind: 'file'; readonly file: string }

/**
 * A package of the registry (`@acme/mcp-jira`, `@acme/mcp-jira@2.3.1`, a range or tag behind the @), or the path of a folder or tarball.
 * Throws `INSTALL_SPEC` for anything else npm would take: what is behind a URL or a repository can be another thing tomorrow.
 */
export function parseSpec(text: string, cwd: string): Spec {
  const refuse = (why: string) => hostError('INSTALL_SPEC', { spec: text, why })
  if (/[\0\n]/.test(text) || text === '') throw refuse('it is no name')
  if (/^[a-z][a-z0-9+.-]*:/i.test(text) && !/^[a-z]:[\\/]/i.test(text)) throw refuse('it is a URL')
  if (/^(?:\.{1,2}(?:[\\/]|$)|[\\/]|[a-z]:[\\/])/i.test(text) || /\.(?:tgz|tar\.gz)$/.test(text)) {
    const file = path.resolve(cwd, text)
    if (!existsSync(file)) throw refuse(`there is no ${file}`)
    if (!statSync(file).isDirectory() && !/\.(?:tgz|tar\.gz)$/.test(file)) throw refuse('it is neither a folder nor a tarball')
    return { kind: 'file', file }
  }
  const at = text.indexOf('@', 1)
  const [name, range] = at < 0 ? [text, 'latest'] : [text.slice(0, at), text.slice(at + 1)]
  if (!PACKAGE_NAME.test(name)) throw refuse('it is neither a path nor the name of an npm package')
  if (!/^[\w.^~<>=|* +-]+$/.test(range)) throw refuse(`${JSON.stringify(range)} is no version, range or tag`)
  return { kind: 'registry', name, range }
}
