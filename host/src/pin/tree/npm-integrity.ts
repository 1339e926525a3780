import { readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import { isObject } from '../../data/json.ts'

/**
 * The integrity that npm recorded for the package installed in `folder`: in `node_modules/.package-lock.json`, else in
 * `package-lock.json`. Undefined for what npm did not install from a tarball, and for other package managers.
 */
export async function npmIntegrity(folder: string): Promise<string | undefined> {
  const real = await realpath(folder)
  const at = real.indexOf(`${path.sep}node_modules${path.sep}`)
  if (at < 0) return undefined
  const project = real.slice(0, at)
  const key = path.relative(project, real).split(path.sep).join('/')
  for (const file of ['node_modules/.package-lock.json', 'package-lock.json']) {
    const integrity = await integrityIn(path.join(project, file), key)
    if (integrity !== undefined) return integrity
  }
  return undefined
}

/** A lock of npm's that cannot be read proves nothing, which is what undefined says. */
async function integrityIn(file: string, key: string): Promise<string | undefined> {
  try {
    const lock: unknown = JSON.parse(await readFile(file, 'utf8'))
    const packages = isObject(lock) ? lock['packages'] : undefined
    const found = isObject(packages) && Object.hasOwn(packages, key) ? packages[key] : undefined
    const integrity = isObject(found) ? found['integrity'] : undefined
    return typeof integrity === 'string' ? integrity : undefined
  } catch {
    return undefined
  }
}
