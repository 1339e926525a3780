import { mkdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { fits } from '../../data/typebox-value.ts'
import type { JsonValue } from '../../data/json.ts'
import { replaceFile } from '../../data/replace-file.ts'
import { hostError } from '../../errors.ts'
import type { LockedPlugin } from '../lock/lock.ts'
import { digestTool, type WireDescriptor } from '../surface.ts'
import { treeDigest, type Tree } from '../tree/tree.ts'
import { Type } from '../../data/type.ts'

/** Where the text of an approved plugin is kept. */
export interface ApprovedPlace {
  readonly configDir: string
  readonly deployment: string
  /** The instance name. */
  readonly name: string
}

/** What the lock holds only digests of: it makes a diff say what changed, and decides nothing. */
export interface ApprovedDetails {
  /** All of the tree, or nothing of it. */
  readonly tree?: Pick<Tree, 'files' | 'dependencies'>
  readonly tools: Readonly<Record<string, WireDescriptor>>
}

/**
 * What was approved of a plugin, as far as it is known. Every part is compared with the digest in `locked`, so that nothing is shown as
 * approved that was not.
 */
export async function readApproved(place: ApprovedPlace, locked: LockedPlugin): Promise<ApprovedDetails> {
  const kept = await readKept(place)
  if (!kept) return { tools: {} }
  const tools = Object.entries(kept.tools).filter(
    ([name, descriptor]) => Object.hasOwn(locked.tools, name) && locked.tools[name]?.digest === digestTool(descriptor),
  )
  const files = kept.files.map(([of, file, mode, sha256]) => ({ package: of, path: file, mode, sha256 }))
  return {
    tools: Object.fromEntries(tools),
    ...(treeDigest(files, kept.dependencies) === locked.tree ? { tree: { files, dependencies: kept.dependencies } } : {}),
  }
}

/** Keeps the text of what is about to be approved. A crash leaves the file before, or this one. Throws `LOCK_WRITE_FAILED`. */
export async function keepApproved(place: ApprovedPlace, { tree, tools }: ApprovedDetails): Promise<void> {
  const file = approvedFile(place)
  const files = (tree?.files ?? []).map(({ package: of, path: at, mode, sha256 }) => [of, at, mode, sha256])
  const text = JSON.stringify({ tools, files, dependencies: tree?.dependencies ?? [] }, null, 1)
  try {
    await mkdir(path.dirname(file), { recursive: true })
    await replaceFile(file, `${text}\n`, { what: 'approved' })
  } catch (error) {
    throw hostError('LOCK_WRITE_FAILED', { path: file, problem: error instanceof Error ? error.message : String(error) }, error)
  }
}

/** Forgets a plugin that is no longer pinned. */
export async function forgetApproved(place: ApprovedPlace): Promise<void> {
  await rm(approvedFile(place), { force: true })
}

/** The file that keeps it. Names of deployments and instances are safe as file names: the lock's schema sees to it. */
export function approvedFile({ configDir, deployment, name }: ApprovedPlace): string {
  return path.join(configDir, '.patchbay', 'approved', deployment, `${name}.json`)
}

const keptSchema = Type.Object({
  tools: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unsafe<JsonValue>({}))),
  files: Type.Array(Type.Tuple([Type.String(), Type.String(), Type.Enum(['100644', '100755', '120000']), Type.String()])),
  dependencies: Type.Array(Type.String()),
})

/** Absent, torn or foreign, it says nothing. */
async function readKept(place: ApprovedPlace) {
  try {
    const value: unknown = JSON.parse(await readFile(approvedFile(place), 'utf8'))
    return fits(keptSchema, value) ? value : undefined
  } catch {
    return undefined
  }
}
