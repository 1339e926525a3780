import type { TreeFile } from '../tree/tree.ts'

/** One file that is not as it was. `mode`: same bytes, but the executable bit, or file against link, differs. */
export interface TreeChange {
  readonly change: 'added' | 'removed' | 'changed' | 'mode'
  /** '' for the plugin's own files, else the package. */
  readonly package: string
  readonly path: string
}

/** What changed from `before` to `after`, by package and path. Equal lists give none. */
export function compareTrees(before: readonly TreeFile[], after: readonly TreeFile[]): TreeChange[] {
  const old = new Map(before.map((file) => [keyOf(file), file]))
  const now = new Map(after.map((file) => [keyOf(file), file]))
  const keys = [...new Set([...old.keys(), ...now.keys()])].toSorted()
  return keys.flatMap((key) => {
    const [was, is] = [old.get(key), now.get(key)]
    const { package: of, path } = was ?? is ?? { package: '', path: '' }
    const change = kindOf(was, is)
    return change === undefined ? [] : [{ change, package: of, path }]
  })
}

function kindOf(was: TreeFile | undefined, is: TreeFile | undefined): TreeChange['change'] | undefined {
  if (was === undefined) return 'added'
  if (is === undefined) return 'removed'
  if (was.sha256 !== is.sha256) return 'changed'
  return was.mode === is.mode ? undefined : 'mode'
}

function keyOf(file: TreeFile): string {
  return `${file.package}\0${file.path}`
}
