import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { isObject } from '../data/json.ts'
import type { Tree } from '../pin/tree/tree.ts'

/** What of a package would run, or be loaded, outside of what a plugin's own code does. */
export interface Risk {
  readonly kind: 'script' | 'native' | 'command'
  /** '' for the plugin itself. */
  readonly package: string
  readonly what: string
}

const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall']

/** The install scripts, compiled code and commands of a plugin and everything it depends on. npm was told to run no script. */
export async function findRisks(tree: Tree): Promise<readonly Risk[]> {
  const ofFiles = tree.files
    .filter(({ path: file }) => /\.node$|(?:^|\/)binding\.gyp$/.test(file))
    .map(({ package: of, path: what }): Risk => ({ kind: 'native', package: of, what }))
  const ofPackages = await Promise.all(tree.roots.map(({ package: of, folder }) => risksOf(of, folder)))
  return [...ofFiles, ...ofPackages.flat()]
}

/** Whether it needs `--allow-native`: compiled code, or scripts without which the package may not work. */
export function needsConsent({ kind }: Risk): boolean {
  return kind !== 'command'
}

async function risksOf(of: string, folder: string): Promise<readonly Risk[]> {
  const manifest = await readManifest(folder)
  const scripts = isObject(manifest['scripts']) ? manifest['scripts'] : {}
  const bin = manifest['bin']
  return [
    ...INSTALL_SCRIPTS.flatMap((name): Risk[] =>
      typeof scripts[name] === 'string' ? [{ kind: 'script', package: of, what: `${name}: ${scripts[name]}` }] : [],
    ),
    ...(manifest['gypfile'] === true ? [{ kind: 'native', package: of, what: 'gypfile' } as const] : []),
    ...(bin === undefined ? [] : [{ kind: 'command', package: of, what: commandNames(bin, manifest['name']) } as const]),
  ]
}

function commandNames(bin: unknown, name: unknown): string {
  return isObject(bin) ? Object.keys(bin).join(', ') : String(name)
}

async function readManifest(folder: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(path.join(folder, 'package.json'), 'utf8').catch(() => '{}')
  const manifest: unknown = JSON.parse(text)
  return isObject(manifest) ? manifest : {}
}
