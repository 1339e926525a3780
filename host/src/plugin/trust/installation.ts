import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import packageJson from '../../../package.json' with { type: 'json' }

/** What package managers write at every installation, the nearest to what is really there first. */
const RECORDS = [
  'node_modules/.package-lock.json',
  'node_modules/.modules.yaml',
  'package-lock.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
]

/**
 * Names what plugins run on besides their own files: this host, this Node, and the packages that are installed for `folder` and the
 * folders above it, as package managers record them.
 */
export function installationDigest(folder: string): string {
  const hash = createHash('sha256').update(`${packageJson.version} ${process.version}`)
  for (let at = folder; ; at = dirname(at)) {
    for (const name of RECORDS) {
      const content = read(join(at, name))
      if (content) hash.update(`\0${name}\0`).update(content)
    }
    if (dirname(at) === at) return hash.digest('base64url')
  }
}

function read(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}
