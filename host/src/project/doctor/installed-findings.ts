import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import packageJson from '../../../package.json' with { type: 'json' }
import { isObject } from '../../data/json.ts'
import type { Finding } from './finding.ts'

/** What npm has put into the project that does not go with the host that runs. */
export function installedFindings(
  configDir: string,
  host: { readonly version: string; readonly dependencies: Readonly<Record<string, string>> } = packageJson,
): readonly Finding[] {
  const expected: readonly (readonly [name: string, version: string | undefined])[] = [
    ['mcp-patchbay', host.version],
    ['@mcp-patchbay/plugin-api', host.dependencies['@mcp-patchbay/plugin-api']],
  ]
  return [
    ...expected.flatMap(([name, version]): readonly Finding[] => {
      const installed = installedVersion(name, configDir)
      if (installed === undefined || installed === version) return []
      return [
        {
          about: 'release',
          problem: `The project has ${name} ${installed}, and the host that runs here wants ${version ?? 'none'}`,
          cause: 'another host than that of the project was started, or only one of the two was updated',
          fix: [
            `npm install mcp-patchbay@${host.version} @mcp-patchbay/plugin-api@${expected[1]?.[1] ?? host.version}`,
            'Start the host of the project: npx mcp-patchbay',
          ],
        },
      ]
    }),
    ...nodeOf(configDir),
  ]
}

function installedVersion(name: string, configDir: string): string | undefined {
  try {
    const file = createRequire(join(configDir, 'package.json')).resolve(`${name}/package.json`)
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return isObject(manifest) && typeof manifest['version'] === 'string' ? manifest['version'] : undefined
  } catch {
    return undefined
  }
}

/** Node as an npm package is linked against a library that small images lack; without it no script of the project starts. */
function nodeOf(configDir: string): readonly Finding[] {
  const node = join(configDir, 'node_modules/.bin/node')
  if (!existsSync(node)) return []
  const { status, stderr, error } = spawnSync(node, ['--version'], { encoding: 'utf8', timeout: 5_000 })
  if (status === 0) return []
  const [, library] = /(\S+\.so[.\d]*): cannot open shared object file/.exec(stderr) ?? []
  return [
    {
      about: 'node',
      problem: `The Node of the project does not start: ${node}`,
      cause:
        library === undefined ? stderr.trim() || (error?.message ?? `it ended with ${status}`) : `the machine has no ${library}`,
      fix: library?.startsWith('libatomic')
        ? ['apt-get install libatomic1, or apk add libatomic']
        : ['Install the library, or install the packages again: npm ci'],
    },
  ]
}
