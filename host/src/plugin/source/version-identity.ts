import { createHash, randomUUID } from 'node:crypto'
import { relative } from 'node:path'

export interface VersionParts {
  /** The real path of the plugin's folder or file; undefined for a plugin that an embedder made in memory. */
  readonly root: string | undefined
  /** Of every file it has read so far, by real path. */
  readonly digests: () => ReadonlyMap<string, string>
  readonly config: Readonly<Record<string, unknown>>
  readonly secrets: ReadonlyMap<string, string>
  /** Of the tenants that have settings of their own. */
  readonly tenants?: ReadonlyMap<string, Pick<VersionParts, 'config' | 'secrets'>>
}

/**
 * Names what the answers of one version come from: its code, config and credentials, with which the same plugin on another machine has
 * the same name. The name changes when the version imports more. Code that is in memory has a new name each time.
 */
export function versionIdentity({ root, digests, config, secrets, tenants = new Map() }: VersionParts): () => string {
  const settings = JSON.stringify([
    config,
    [...secrets].toSorted(byKey),
    ...[...tenants].map(([tenant, of]) => [tenant, of.config, [...of.secrets].toSorted(byKey)]),
  ])
  let known: { readonly files: number; readonly identity: string } | undefined
  if (root === undefined) {
    const identity = randomUUID()
    return () => identity
  }
  return () => {
    const files = digests()
    if (known?.files !== files.size) {
      const code = [...files].map(([file, digest]) => [relative(root, file), digest] as const).toSorted(byKey)
      const identity = createHash('sha256')
        .update(JSON.stringify([settings, code]))
        .digest('base64url')
      known = { files: files.size, identity }
    }
    return known.identity
  }
}

function byKey([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : Number(a > b)
}
