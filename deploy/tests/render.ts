import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseAllDocuments } from 'yaml'

/** What every Kubernetes object has. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec?: Readonly<Record<string, unknown>>
  /** Of a ConfigMap. */
  readonly data?: Readonly<Record<string, string>>
}

const KUBERNETES = join(import.meta.dirname, '../kubernetes')

/** What `kubectl kustomize` makes of a folder below deploy/kubernetes, with further files of a project in whose `deploy` they are. */
export function render(folder: string, files: Readonly<Record<string, string>> = {}): readonly Manifest[] {
  const project = mkdtempSync(join(tmpdir(), 'patchbay-kustomize-'))
  const copy = join(project, 'deploy/kubernetes')
  try {
    cpSync(KUBERNETES, copy, { recursive: true })
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(project, name)), { recursive: true })
      writeFileSync(join(project, name), text)
    }
    if (isOld()) for (const file of globSync('**/kustomization.yaml', { cwd: project })) rename(join(project, file))
    const text = execFileSync('kubectl', ['kustomize', join(copy, folder)], { encoding: 'utf8' })
    return parseAllDocuments(text).map((document) => {
      if (document.errors[0]) throw document.errors[0]
      return document.toJS() as Manifest
    })
  } finally {
    rmSync(project, { recursive: true })
  }
}

/** Debian 12 has a kubectl whose kustomize is older than version 3. */
function isOld(): boolean {
  const text = execFileSync('kubectl', ['version', '--client', '--output=json'], { encoding: 'utf8' })
  const { clientVersion } = JSON.parse(text) as { readonly clientVersion: { readonly minor: string } }
  return Number.parseInt(clientVersion.minor, 10) < 21
}

/** There, folders are not `resources`, and patches have another name. */
function rename(file: string): void {
  const text = readFileSync(file, 'utf8')
    .replace(/^resources: \[(\.\.\/[\w./]+)(?:, )?/m, 'bases: [$1]\nresources: [')
    .replace(/^patches: \[\{ path: (\S+) \}\]/m, 'patchesStrategicMerge: [$1]')
  writeFileSync(file, text)
}
