import { existsSync, readdirSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { hostError, type HostError } from '../../errors.ts'
import { isObject } from '../../data/json.ts'
import { isCode } from './surroundings.ts'
import { readManifest } from './plugin-manifest.ts'

/**
 * Why something in a folder of `pluginDirs` is not served, where its author may think that it is; undefined for what looks like no plugin:
 * a text, a test, an empty folder. `label` is how the operator would write the path.
 */
export function whyIgnored(path: string, label: string): HostError | undefined {
  const found = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? faultOfFolder(path, label) : faultOfFile(path)
  return found && hostError('PLUGIN_IGNORED', { path: label, ...found })
}

interface Fault {
  readonly problem: string
  readonly fix: readonly string[]
}

const LOOKED_FOR = 'package.json with "exports" or "main", then index.ts, .mts, .cts, .js, .mjs, .cjs'

function faultOfFolder(folder: string, label: string): Fault | undefined {
  const named = namedModule(folder)
  if (named) {
    const { scripts } = readManifest(folder)
    const build = isObject(scripts) && typeof scripts['build'] === 'string' ? `npm run build --prefix ${label}` : undefined
    return {
      problem: `its package.json names ${named}, which does not exist`,
      fix: [
        build ? `Build it: ${build}` : `Build it, so that ${named} exists`,
        'Or name a file that exists under "exports" in its package.json; TypeScript runs as it is: "exports": "./src/index.ts"',
      ],
    }
  }
  if (existsSync(join(folder, 'index.tsx')) || existsSync(join(folder, 'index.jsx'))) return NEEDS_COMPILER
  const source = [...MODULES].map((extension) => `src/index${extension}`).find((path) => existsSync(join(folder, path)))
  if (source)
    return {
      problem: `its module is ${source}, which nothing names (looked for ${LOOKED_FOR})`,
      fix: [
        `Write ${join(label, 'package.json')}: { "type": "module", "exports": "./${source}" }`,
        `Or move ${source} one folder up`,
      ],
    }
  const code = namesIn(folder).filter((name) => isCode(name) && extname(name) !== '.json')
  if (code.length === 0) return undefined
  return {
    problem: `it has no module to begin with (looked for ${LOOKED_FOR})`,
    fix: [`If it is a plugin, call its module index.ts`, `If it is not, move it out of the folder of pluginDirs`],
  }
}

function faultOfFile(file: string): Fault | undefined {
  return /\.[jt]sx$/.test(file) ? NEEDS_COMPILER : undefined
}

const MODULES = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'])
const NEEDS_COMPILER: Fault = {
  problem: 'it is TSX or JSX, which needs a compiler',
  fix: ['Rename it to .ts and write it without JSX', 'Or compile it and name the JavaScript under "exports" in its package.json'],
}

/** What package.json says is the module, where that does not exist. */
function namedModule(folder: string): string | undefined {
  const { exports, main } = readManifest(folder)
  const target = isObject(exports) && '.' in exports ? exports['.'] : exports
  const named = typeof target === 'string' ? target : isObject(target) ? Object.values(target).find(isText) : main
  return isText(named) && !existsSync(join(folder, named)) ? named : undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
