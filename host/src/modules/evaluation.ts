import { sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type Module from 'node:module'
import type { PackageScope } from './package-scope.ts'
import type { Source } from './types.ts'

/**
 * One evaluation of some files: everything under a plugin's root, evaluated together for one load, or one file outside every root
 * that several of them share. Its number travels in the URL of each module (`?patchbay=<graph>.<number>`), so the parent of an
 * import says which evaluation is asking, now and in any lazy import later.
 */
export class Evaluation {
  readonly id: number
  /** The query that marks a module's URL as of this evaluation. */
  readonly tag: string
  /** The file it was begun for. */
  readonly entry: string
  /** Real paths: what it evaluated, the package.json that decided how, and files it looked for in vain. */
  readonly files = new Set<string>()
  /** Of those it read, what was in them then: SHA-256, hex. Empty for one that was missing. */
  readonly digests = new Map<string, string>()
  /** Links among the paths it asked for, and where each led. */
  readonly links = new Map<string, string>()
  /** Every URL that Node may hold for it. */
  readonly urls = new Set<string>()
  /** Files outside its root, and the evaluation of each that it keeps for as long as it lives. */
  readonly uses = new Map<string, Evaluation>()
  /** Its `require.cache`. */
  readonly modules: Record<string, Module | undefined> = Object.create(null)
  /** CommonJS source that was read for the module that will run it. This text runs, even if the file has changed since. */
  readonly readAhead = new Map<string, Source>()
  /** What it knows of the package.json of each folder, and which bare specifiers it has checked against Node's caches. */
  readonly packageScopes = new Map<string, PackageScope>()
  readonly checkedSpecifiers = new Set<string>()
  /** What was in files below its root that it has not imported; empty where nothing is kept. */
  readonly kept = new Map<string, Buffer>()
  /** Some of its code may import or require when it is called. */
  importsLater = false
  /** How often it looked for a file in vain. */
  misses = 0
  /** Characters of source it evaluated. */
  sourceLength = 0
  /** Of the last file read for it; the later of two evaluations has the larger number. */
  lastRead: { readonly file: string; readonly order: number } | undefined
  /** The folder that it covers, with a separator behind it; undefined for one of a single file. */
  readonly root: string | undefined
  readonly #packagesOnly: boolean

  constructor({ id, graph, entry, root, packagesOnly = false }: EvaluationOptions) {
    this.id = id
    this.tag = `${tagOf(graph)}${id}`
    this.entry = entry
    this.root = root?.endsWith(sep) ? root : root && root + sep
    this.#packagesOnly = packagesOnly
  }

  /** Whether the file is evaluated by this evaluation, rather than shared with others. */
  covers(file: string): boolean {
    return file === this.entry || (this.#isBelow(file) && this.#packagesOnly === this.#isInPackages(file))
  }

  /** Whether the file is of a package that was installed for this root alone. */
  ownsPackageOf(file: string): boolean {
    return !this.#packagesOnly && this.#isBelow(file) && this.#isInPackages(file)
  }

  #isBelow(file: string): boolean {
    return this.root !== undefined && file.startsWith(this.root)
  }

  #isInPackages(file: string): boolean {
    return `${sep}${file.slice(this.root?.length)}`.includes(`${sep}node_modules${sep}`)
  }

  /** Notes a file it looked for in vain. */
  miss(file: string): void {
    this.misses++
    this.files.add(file)
    this.digests.set(file, '')
  }

  /** The URL under which this evaluation loads `file`; a query or fragment of the plugin's own stays. */
  url(file: string, { search = '', hash = '' }: { search?: string; hash?: string } = {}): string {
    return `${pathToFileURL(file).href}${search ? `${search}&` : '?'}${this.tag}${hash}`
  }

  /** This evaluation and every shared one it reaches. */
  reachable(): Set<Evaluation> {
    const found = new Set<Evaluation>([this])
    for (const evaluation of found) for (const used of evaluation.uses.values()) found.add(used)
    return found
  }
}

export interface EvaluationOptions {
  readonly id: number
  readonly graph: string
  readonly entry: string
  readonly root: string | undefined
  /** Of what is below the root, the files in node_modules, instead of all others. */
  readonly packagesOnly?: boolean
}

/** What every tagged URL of `graph` contains, and no other URL does. */
export function tagOf(graph: string): string {
  return `patchbay=${graph}.`
}

/** The query and fragment of a URL without any tag of `graph`: the plugin's own. */
export function untagged({ search, hash }: URL, graph: string): { search: string; hash: string } {
  const at = search.lastIndexOf(tagOf(graph))
  return { search: at < 0 ? search : search.slice(0, at - 1), hash }
}
