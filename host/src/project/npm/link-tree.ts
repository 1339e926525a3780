import { copyFile, link, mkdir, readdir, readlink, stat, symlink, utimes } from 'node:fs/promises'
import path from 'node:path'

/**
 * Makes `to` a second node_modules with the content of `from`: files as hard links, which takes no space and hardly any time. That is
 * safe because npm replaces a package by another folder and never writes into its files. The files directly in node_modules are npm's own,
 * and it writes into them: those are copied. Times are kept, because npm compares them.
 */
export async function linkTree(from: string, to: string): Promise<void> {
  await linkFolder(from, to, true)
}

async function linkFolder(from: string, to: string, copies: boolean): Promise<void> {
  await mkdir(to)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)]
    if (entry.isDirectory()) await linkFolder(source, target, false)
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
    else if (copies) await copy(source, target)
    // Where the file system has no hard links, or no more of this file.
    else if (entry.isFile()) await link(source, target).catch(() => copy(source, target))
  }
  await keepTimes(from, to)
}

async function copy(from: string, to: string): Promise<void> {
  await copyFile(from, to)
  await keepTimes(from, to)
}

async function keepTimes(from: string, to: string): Promise<void> {
  const { atime, mtime } = await stat(from)
  await utimes(to, atime, mtime)
}
