// Writes for each package that is published a list of what it brings, CycloneDX 1.5: `node scripts/sbom.mjs FOLDER`. It has what the bundle
// of the host has inside as well (its devDependencies), which nobody who installs it finds in node_modules, and `npm audit` does not see.
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [, , into] = process.argv
if (!into) throw new Error('Usage: node scripts/sbom.mjs FOLDER')
const root = join(import.meta.dirname, '..')
mkdirSync(into, { recursive: true })

for (const file of globSync(['*/package.json', 'plugins/*/package.json'], { cwd: root })) {
  const manifest = JSON.parse(readFileSync(join(root, file), 'utf8'))
  if (!manifest.publishConfig) continue
  writeFileSync(
    join(into, `${manifest.name.replace(/^@/, '').replace('/', '-')}.cdx.json`),
    `${JSON.stringify(listOf(manifest), undefined, 2)}\n`,
  )
}

function listOf({ name, version, peerDependencies = {} }) {
  const omit = name === 'mcp-patchbay' ? [] : ['--omit', 'dev']
  const options = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'library', '--package-lock-only', ...omit, '-w', name]
  const list = JSON.parse(execFileSync('npm', options, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 }))
  const ref = `${name}@${version}`
  const edges = new Map(list.dependencies.map((edge) => [edge.ref, edge.dependsOn]))
  const isPeer = (other) => Object.keys(peerDependencies).some((peer) => other.startsWith(`${peer}@`))
  edges.set(
    ref,
    (edges.get(ref) ?? []).filter((other) => !isPeer(other)),
  )
  const kept = new Set([ref])
  for (const one of kept) for (const other of edges.get(one) ?? []) kept.add(other)
  const component = list.components.find((one) => one['bom-ref'] === ref)
  if (!component) throw new Error(`npm sbom does not list ${ref}`)
  return {
    ...list,
    metadata: { ...list.metadata, component: { ...component, name } },
    components: list.components.filter((one) => one !== component && kept.has(one['bom-ref'])),
    dependencies: [...kept].map((one) => ({ ref: one, dependsOn: edges.get(one) ?? [] })),
  }
}
