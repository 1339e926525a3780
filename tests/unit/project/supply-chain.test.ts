import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../../..')
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, { hasInstallScript?: boolean; integrity?: string; link?: boolean; version?: string }>
}
/** Packages that may run code when they are installed, by name. */
const INSTALL_SCRIPTS_ALLOWED: readonly string[] = []

test('no dependency runs a script when it is installed, but for those on the list', () => {
  const scripted = Object.entries(lock.packages)
    .filter(([path, { hasInstallScript }]) => path.includes('node_modules/') && hasInstallScript)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 13))
  assert.deepEqual(scripted, INSTALL_SCRIPTS_ALLOWED)
})

test('every installed package is pinned by its content', () => {
  const unpinned = Object.entries(lock.packages).filter(
    ([path, { integrity, link }]) => path.includes('node_modules/') && !link && !integrity?.startsWith('sha512-'),
  )
  assert.deepEqual(unpinned, [])
})

test('the compromised release of keyv and everything before 6.1.0 stays out', () => {
  const versions = Object.entries(lock.packages)
    .filter(([path]) => path.endsWith('node_modules/keyv'))
    .map(([, { version }]) => version ?? '')
  assert.ok(versions.length > 0)
  for (const version of versions) {
    const [major = 0, minor = 0] = version.split('.').map(Number)
    assert.ok(major > 6 || (major === 6 && minor >= 1), `keyv ${version}`)
  }
})

test('dependencies of every package are exact versions', () => {
  const loose = ['package.json', ...globSync('{host,plugin-api,plugins/*}/package.json', { cwd: root })].flatMap((file) => {
    const {
      dependencies = {},
      devDependencies = {},
      optionalDependencies = {},
    } = JSON.parse(readFileSync(join(root, file), 'utf8')) as Record<string, Record<string, string>>
    return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
      .filter(([, range]) => !/^(?:npm:.+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(range))
      .map(([name, range]) => `${file}: ${name}@${range}`)
  })
  assert.deepEqual(loose, [])
})
