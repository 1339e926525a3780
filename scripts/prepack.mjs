// Runs before `npm pack` in a package of this repository: what the package ships is built, and what belongs to every package, or stands
// above it, is laid beside its code. Everything written here is in .gitignore.
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = process.cwd()

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

/** The declarations that an import of `file` reads: the host's code is in its bundle, so that the others serve nobody. */
function reached(file, seen = new Set()) {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g))
    reached(join(dirname(file), specifier.replace(/\.(?:ts|js)$/, '.d.ts')), seen)
  return seen
}
