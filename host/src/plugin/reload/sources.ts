import type { Activation } from '../activation.ts'
import type { WatchedGlobs } from '../source/surroundings.ts'
import type { Link } from './follow-links.ts'

/** The files and folders that versions of plugins were built from. */
export interface Sources {
  readonly files: ReadonlySet<string>
  /** What values of their configs were read from. */
  readonly configFiles: ReadonlySet<string>
  /** The folders of the plugins. */
  readonly roots: ReadonlySet<string>
  /** The same folders of those that run in this process, with the name of the plugin. */
  readonly owners: ReadonlyMap<string, string>
  /** Those of plugins that failed, where any change may fix them. */
  readonly open: ReadonlySet<string>
  /** Paths that lead to plugins, or to their files, through a link. */
  readonly links: ReadonlyMap<string, Link>
  /** Folders in which a new file of code may be one of a plugin. */
  readonly folders: ReadonlySet<string>
  /** Folders in which any new file may be. */
  readonly listed: ReadonlySet<string>
  /** What plugins and entries name under `watch`. */
  readonly globs: readonly WatchedGlobs[]
}

export function sourcesOf(newest: readonly Activation[]): Sources {
  return {
    files: new Set(newest.flatMap(({ digests }) => [...digests.keys()])),
    configFiles: new Set(newest.flatMap(({ configFiles }) => [...configFiles.keys()])),
    roots: rootsOf(newest),
    owners: new Map(
      newest.flatMap(({ root, record }) =>
        root !== undefined && record.entry.isolation === 'inline' ? [[root, record.instance] as const] : [],
      ),
    ),
    open: rootsOf(newest.filter(({ record }) => record.state === 'failed')),
    links: new Map(
      newest.flatMap((of) => Array.from(of.surroundings.links, ([path, led]): [string, Link] => [path, { led, of }])),
    ),
    folders: new Set(newest.flatMap(({ surroundings }) => [...surroundings.folders.keys()])),
    listed: new Set(newest.flatMap(({ surroundings }) => [...surroundings.listed.keys()])),
    globs: newest.flatMap(({ surroundings }) => surroundings.globs ?? []),
  }
}

function rootsOf(activations: readonly Activation[]): ReadonlySet<string> {
  return new Set(activations.flatMap(({ root }) => root ?? []))
}
