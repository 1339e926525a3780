// Runs before `npm pack` in a package of this repository: what the package ships is built, and what belongs to every package, or stands
// above it, is laid beside its code. Everything written here is in .gitignore.
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = process.cwd()
const { dependencies: installed } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

if (existsSync(join(folder, 'tsconfig.json')))
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', folder], { stdio: 'inherit' })
copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
if (basename(folder) === 'host') {
  execFileSync(process.execPath, [join(root, 'scripts/bundle.mjs')], { stdio: 'inherit' })
  copyFileSync(join(root, 'README.md'), join(folder, 'README.md'))
  // Errors name these pages by their place on the machine.
  rmSync(join(folder, 'docs'), { recursive: true, force: true })
  cpSync(join(root, 'docs'), join(folder, 'docs'), { recursive: true })
  rmSync(join(folder, 'types'), { recursive: true, force: true })
  for (const file of reached(join(folder, 'dist/index.d.ts'))) {
    const to = join(folder, 'types', relative(join(folder, 'dist'), file))
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(file, to)
  }
  if (!existsSync(join(folder, 'bundle/main.js'))) throw new Error(`${folder} has no bundle`)
}
if (!existsSync(join(folder, 'README.md'))) throw new Error(`${folder} has no README.md`)

/** The declarations that an import of `file` reads. Those of bundled libraries are not installed, so that no file here may name one. */
function reached(file, seen = new Set()) {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)) {
    if (specifier.startsWith('.')) reached(join(dirname(file), specifier.replace(/\.(?:ts|js)$/, '.d.ts')), seen)
    else if (!specifier.startsWith('node:') && !(/^(?:@[^/]+\/)?[^/]+/.exec(specifier)[0] in installed))
      throw new Error(`${file} is part of the public types and names ${specifier}, which is bundled: write the type without it`)
  }
  return seen
}
