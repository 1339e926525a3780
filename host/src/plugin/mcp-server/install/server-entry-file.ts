import { open, realpath } from 'node:fs/promises'
import { basename, extname, join, sep } from 'node:path'
import { isObject } from '../../../data/json.ts'
import { hostError } from '../../../errors.ts'
import { readManifest } from '../../source/plugin-manifest.ts'

/**
 * The file behind the command of an installed package: the one that `npx NAME` would start. Throws `SERVER_COMMAND` where there is no
 * such command, where it is not clear which one is meant, and for a command that Node cannot run.
 */
export async function serverEntryFile(folder: string, { name, version }: { name: string; version: string }): Promise<string> {
  const refuse = (problem: string, cause?: unknown) => hostError('SERVER_COMMAND', { name, version, problem }, cause)
  const commands = commandsOf(readManifest(folder)['bin'], name)
  const target = chosen(commands, name)
  if (target === undefined)
    throw refuse(
      commands.size === 0
        ? 'its package.json names no command (bin)'
        : `it has several commands, and none is called ${unscoped(name)}: ${[...commands.keys()].join(', ')}`,
    )
  const file = await realpath(join(folder, target)).catch((error: unknown) => {
    throw refuse(`its command ${JSON.stringify(target)} does not exist`, error)
  })
  if (!file.startsWith((await realpath(folder)) + sep))
    throw refuse(`its command ${JSON.stringify(target)} leads out of the package`)
  if (!(await isJavaScript(file))) throw refuse(`its command ${JSON.stringify(target)} is not a JavaScript file`)
  return file
}

function commandsOf(bin: unknown, name: string): ReadonlyMap<string, string> {
  if (typeof bin === 'string') return new Map([[unscoped(name), bin]])
  if (!isObject(bin)) return new Map()
  return new Map(Object.entries(bin).flatMap(([command, file]) => (typeof file === 'string' ? [[command, file] as const] : [])))
}

/** As `npx` chooses: the only file there is, else the command with the name of the package. */
function chosen(commands: ReadonlyMap<string, string>, name: string): string | undefined {
  const files = new Set(commands.values())
  return files.size === 1 ? [...files][0] : commands.get(unscoped(name))
}

function unscoped(name: string): string {
  return basename(name)
}

/** A file without an extension is one where its first line says so. */
async function isJavaScript(file: string): Promise<boolean> {
  const extension = extname(file)
  if (extension !== '') return ['.js', '.mjs', '.cjs'].includes(extension)
  await using handle = await open(file, 'r')
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(128), 0, 128, 0)
  return /^#!.*\bnode\b/.test(buffer.toString('utf8', 0, bytesRead))
}
