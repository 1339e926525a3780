/**
 * How large is what a stranger installs? The packed host and plugin-api with all that npm installs beside them, from the registry.
 *
 *   node bench/install.ts
 */
import { execFile } from 'node:child_process'
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packedRegistry } from '../tests/fixtures/projects/packed-registry.ts'
import { record } from './lib/results.ts'

const NAMES = ['mcp-patchbay', '@mcp-patchbay/plugin-api']
const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
const registry = await packedRegistry()
try {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const env = { ...process.env, npm_config_registry: registry.origin, npm_config_prefer_offline: 'true' }
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', ...NAMES], { cwd: folder, env })
  const modules = join(folder, 'node_modules')
  const { packages } = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')) as { readonly packages: object }
  const figures = { 'install-mb': bytesOf(modules) / 1e6, 'install-packages': Object.keys(packages).length }
  console.log(`### npm install ${NAMES.join(' ')}\n\n| MB | packages |\n| ---: | ---: |`)
  console.log(`| ${figures['install-mb'].toFixed(1)} | ${figures['install-packages']} |\n`)
  record(figures)
} finally {
  registry.close()
  rmSync(folder, { recursive: true })
}

function bytesOf(path: string): number {
  const found = lstatSync(path)
  if (!found.isDirectory()) return found.size
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0)
}
