import { realpathSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Evaluation } from './evaluation.ts'
import type { Evaluations } from './evaluations.ts'
import { createOwnPackages } from './own-packages.ts'
import { assertResolvesAsOnDisk, packageName } from './package-scope.ts'
import { isInPackages } from './source.ts'

/** Which evaluation loads a file for another; what both `import` and `require` ask. */
export interface Placement {
  /** The evaluation that loads `file` for `user`, or undefined when it is Node's to load: a package outside the root, or the host's. */
  place(file: string, user: Evaluation): Evaluation | undefined
  /** Whether the module at this URL is a guest: of a package that files of a root, or other guests, import, and that Node loads. */
  isGuest(url: string): boolean
  /** Makes it one, as `parent` is. Guests, too, get the host's copy of what it shares. */
  welcome(url: string, parent: string): void
  /** Notes what Node read for a guest; whether it holds that for the whole process, rather than for one plugin. */
  read(url: string, digest: string): boolean
  /** Whether Node loads it from the packages of one plugin. */
  isOwn(url: string): boolean
  /** The host's copy of a package, as a file URL, when the specifier names one it shares. */
  sharedUrl(specifier: string): string | undefined
  /** Compares what Node will use to resolve a bare or `#private` specifier with the disk; throws `MODULE_RESTART_REQUIRED`. */
  check(specifier: string, from: string, user: Evaluation): void
}

/** `shared` maps specifiers to file URLs; a subpath of one is found in the same package. */
export function createPlacement(evaluations: Evaluations, shared: Readonly<Record<string, string>>): Placement {
  const sharedUrls = new Map(Object.entries(shared))
  const sharedFiles = new Set([...sharedUrls.values()].map((url) => fileURLToPath(url)))
  /** The root whose own package it is; undefined for one outside of every root. */
  const guests = new Map<string, string | undefined>()
  const packages = createOwnPackages(evaluations)

  return {
    place(file, user) {
      if (user.ownsPackageOf(file)) {
        const evaluation = packages.of(user)
        if (evaluation) evaluation.files.add(file)
        else guests.set(pathToFileURL(file).href, user.root)
        return evaluation
      }
      if (user.covers(file)) {
        user.files.add(file)
        return user
      }
      if (sharedFiles.has(file)) return undefined
      if (!isInPackages(file)) return evaluations.share(file, user)
      guests.set(pathToFileURL(file).href, undefined)
      return undefined
    },
    isGuest: (url) => guests.has(url),
    isOwn: (url) => guests.get(url) !== undefined,
    welcome(url, parent) {
      if (!url.includes('/node_modules/') || guests.has(url)) return
      const root = guests.get(parent)
      guests.set(url, root !== undefined && fileURLToPath(url).startsWith(root) ? root : undefined)
    },
    read(url, digest) {
      const root = guests.get(url)
      if (root !== undefined) packages.read(root, fileURLToPath(url), digest)
      return root === undefined
    },
    sharedUrl(specifier) {
      const url = sharedUrls.get(specifier)
      if (url) return url
      const home = sharedUrls.get(packageName(specifier) ?? '')
      if (!home) return undefined
      const found = pathToFileURL(createRequire(home).resolve(specifier)).href
      sharedUrls.set(specifier, found)
      return found
    },
    check(specifier, from, user) {
      const folder = dirname(from)
      const key = `${packageName(specifier) ?? '#'} from ${folder}`
      if (user.checkedSpecifiers.has(key)) return
      for (const file of assertResolvesAsOnDisk(specifier, folder)) user.files.add(file)
      user.checkedSpecifiers.add(key)
    },
  }
}

/** Whether the specifier is a path or file URL, resolved against the importing file alone. */
export function isLocal(specifier: string): boolean {
  return /^(?:\.{0,2}\/|file:)/.test(specifier)
}

/**
 * The real path of a file that is there, or of the TypeScript file that its JavaScript name stands for. Ours rather than Node's
 * because Node remembers where a link pointed. A link is noted for who asks.
 */
export function existingFile(path: string, user: Evaluation): string | undefined {
  for (const candidate of [path, typescriptName(path)])
    if (candidate && statSync(candidate, { throwIfNoEntry: false })?.isFile()) {
      const real = realpathSync.native(candidate)
      if (real !== candidate) user.links.set(candidate, real)
      return real
    }
  // Gone since: a call of the version that had it may still ask for it.
  return [path, typescriptName(path)].find((candidate) => candidate !== undefined && user.kept.has(candidate))
}

/** `x.ts` for `x.js`, as compilers write imports. */
function typescriptName(path: string): string | undefined {
  const extension = extname(path)
  return /^\.[cm]?js$/.test(extension) ? `${path.slice(0, -2)}ts` : undefined
}
