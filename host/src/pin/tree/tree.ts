import { hash } from 'node:crypto'
import { realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { hostError } from '../../errors.ts'
import { digestJson, type Digest } from '../digest.ts'
import { hashFile } from './hash-file.ts'
import { mapBounded } from './map-bounded.ts'
import { collectPackages, type PackageNode } from './package-graph.ts'

/** One file of a plugin or of a package it depends on. */
export interface TreeFile {
  /** '' for the plugin's own files, else `name@version`, with part of a digest behind it where two differ under that name. */
  readonly package: string
  /** Relative to the folder of the package, separated by `/`. */
  readonly path: string
  /** As Git writes it: a file, an executable file, a symbolic link inside the package. */
  readonly mode: '100644' | '100755' | '120000'
  /** 64 hex digits over the content; for a link, over the path it leads to. */
  readonly sha256: string
}

/** Every byte of a plugin that Node can load, and one digest for all of them. */
export interface Tree {
  readonly digest: Digest
  /** By package, then by path, in code unit order. */
  readonly files: readonly TreeFile[]
  /** Which package gets which, as JSON of `[from, name, to]`, in code unit order. */
  readonly dependencies: readonly string[]
  /** Where each package lies on this machine: no part of the digest. A package that lies in two places appears twice. */
  readonly roots: readonly { readonly package: string; readonly folder: string }[]
}

/**
 * The tree of the plugin at `entry`, a folder or a single file; a file is a tree of that file alone. The digest depends neither on
 * where the plugin lies, nor on which node_modules folder holds a dependency, nor on the umask: of the mode only the owner's executable
 * bit counts. docs/decisions/0010-what-a-pin-covers.md says what counts and why.
 *
 * Throws `PIN_SYMLINK`, `PIN_SPECIAL_FILE` or `PIN_UNREADABLE`: a tree is digested whole or not at all.
 */
export async function digestTree(entry: string, signal?: AbortSignal): Promise<Tree> {
  const packages = await findPackages(entry, signal)
  const hashed = await hashPackages(packages, signal)
  const labels = distinctLabels(hashed)
  const labelOf = (folder: string): string => labels.get(folder) ?? ''
  const files = hashed.flatMap(({ folder, rows }) => rows.map((row) => ({ package: labelOf(folder), ...row })))
  const edges = packages.flatMap(({ folder, dependencies }) =>
    Array.from(dependencies, ([name, target]) => [labelOf(folder), name, labelOf(target)]),
  )
  const distinct = unique(files.toSorted(byPackageAndPath))
  const dependencies = unique(edges)
    .map((edge) => JSON.stringify(edge))
    .toSorted()
  return Object.freeze({
    digest: treeDigest(distinct, dependencies),
    files: Object.freeze(distinct),
    dependencies: Object.freeze(dependencies),
    roots: Object.freeze(packages.map(({ folder }) => ({ package: labelOf(folder), folder }))),
  })
}

/** The digest of a tree of these parts, in their order. */
export function treeDigest(files: readonly TreeFile[], dependencies: readonly string[]): Digest {
  return digestJson({ files: files.map((file) => [file.package, file.path, file.mode, file.sha256]), dependencies })
}

/** The files of `tree` by where they lie on this machine, for a loader that runs nothing but what was digested. */
export function filesByLocation(tree: Tree): ReadonlyMap<string, TreeFile> {
  const folders = Map.groupBy(tree.roots, (root) => root.package)
  return new Map(
    tree.files.flatMap((file) => (folders.get(file.package) ?? []).map(({ folder }) => [path.join(folder, file.path), file])),
  )
}

/** The plugin itself first. */
async function findPackages(entry: string, signal: AbortSignal | undefined): Promise<readonly PackageNode[]> {
  const unreadable = (error: unknown) =>
    hostError(
      'PIN_UNREADABLE',
      { folder: entry, path: '.', problem: error instanceof Error ? error.message : String(error) },
      error,
    )
  const real = await realpath(entry).catch((error: unknown) => {
    throw unreadable(error)
  })
  const stats = await stat(real)
  if (stats.isDirectory()) return collectPackages(real, signal)
  const single = { files: [path.basename(real)], links: [], nested: [], linked: [], dependencies: new Map<string, string>() }
  return [{ folder: path.dirname(real), label: '', ...single }]
}

type Row = Omit<TreeFile, 'package'>

interface HashedPackage {
  readonly folder: string
  readonly label: string
  readonly rows: readonly Row[]
  readonly digest: Digest
}

async function hashPackages(packages: readonly PackageNode[], signal: AbortSignal | undefined): Promise<HashedPackage[]> {
  const jobs = packages.flatMap(({ folder, files }) => files.map((file) => ({ folder, file })))
  const hashed = await mapBounded(jobs, 8, async ({ folder, file }) => {
    signal?.throwIfAborted()
    const { executable, sha256 } = await hashFile(folder, file)
    return { folder, row: { path: file, mode: executable ? '100755' : '100644', sha256 } satisfies Row }
  })
  const byFolder = Map.groupBy(hashed, ({ folder }) => folder)
  return packages.map(({ folder, label, links }) => {
    const ofFiles = byFolder.get(folder)?.map(({ row }) => row) ?? []
    const ofLinks = links.map(
      ({ path: link, target }) => ({ path: link, mode: '120000', sha256: hash('sha256', target) }) satisfies Row,
    )
    const rows = [...ofFiles, ...ofLinks].toSorted(byPath)
    return { folder, label, rows, digest: digestJson(rows) }
  })
}

/** By folder: '' for the plugin; one label for equal copies of a package; different labels for copies that differ. */
function distinctLabels(packages: readonly HashedPackage[]): ReadonlyMap<string, string> {
  const [plugin, ...others] = packages
  const contents = Map.groupBy(others, ({ label }) => label)
  const labels = others.map(({ folder, label, digest }) => {
    const same = contents.get(label)?.every((other) => other.digest === digest)
    return [folder, same ? label : `${label}#${digest.slice('sha256-'.length, 'sha256-'.length + 16)}`] as const
  })
  return new Map([[plugin?.folder ?? '', ''], ...labels])
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : Number(a.path > b.path)
}

function byPackageAndPath(a: TreeFile, b: TreeFile): number {
  return a.package < b.package ? -1 : a.package > b.package ? 1 : byPath(a, b)
}

function unique<Item>(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()]
}
