import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runPatchbay, type Finished } from '../../tests/fixtures/projects/patchbay-process.ts'

const root = join(import.meta.dirname, '../..')

/** A copy of deploy/project, locked, with one API key. */
export interface DeployedProject extends Disposable {
  readonly folder: string
  readonly key: string
}

/** `install` lays node_modules; default: a link to the repository's. */
export async function deployedProject(
  install: (folder: string) => void | Promise<void> = (folder) =>
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules')),
): Promise<DeployedProject> {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-deploy-'))
  cpSync(join(root, 'deploy/project'), folder, { recursive: true })
  await install(folder)
  done(await runPatchbay(['lock', '--deployment', 'production'], { cwd: folder }))
  const created = done(await runPatchbay(['keys', 'create', '--id', 'me', '--json'], { cwd: folder }))
  const { key } = JSON.parse(created) as { readonly key: string }
  return { folder, key, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

function done({ code, stdout, stderr }: Finished): string {
  if (code !== 0) throw new Error(`It ended with ${code}: ${stderr}${stdout}`)
  return stdout
}
