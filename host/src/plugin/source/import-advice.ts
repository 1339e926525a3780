import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, relative, sep } from 'node:path'
import { isError, messageOf, valueOf } from '../../observability/thrown.ts'
import { readManifest } from './plugin-manifest.ts'
import { PACKAGE_NAME } from '../../data/package.ts'

/** What to do about an import that failed as Node says it failed; undefined where no more is known than that. */
export function importAdvice(error: unknown): readonly string[] | undefined {
  if (!isError(error)) return undefined
  const message = messageOf(error)
  const code = String(valueOf(error, 'code'))
  if (code === 'ERR_ACCESS_DENIED') return accessFixes(valueOf(error, 'resource'))
  if (/^(?:ERR_)?MODULE_NOT_FOUND$/.test(code)) return missingFixes(message)
  if (code === 'ERR_UNSUPPORTED_DIR_IMPORT') return missingFixes(message)
  if (code === 'ERR_IMPORT_ATTRIBUTE_MISSING')
    return [`Say that it is JSON: import data from './${nameIn(message) || 'data.json'}' with { type: 'json' }`]
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' || code === 'ERR_IMPORT_ATTRIBUTE_UNSUPPORTED') return kindFixes(message)
  if (code === 'ERR_PACKAGE_IMPORT_NOT_DEFINED') return privateFixes(message)
  if (code === 'ERR_REQUIRE_ASYNC_MODULE')
    return ['It awaits at its top level: load it with await import(…) instead of require(…)']
  if (code === 'ERR_DLOPEN_FAILED' && message.includes('NODE_MODULE_VERSION'))
    return ['The addon was compiled for another Node: npm rebuild, with the Node that runs the host']
  if (error instanceof ReferenceError) return scopeFixes(message, String(valueOf(error, 'stack')))
  return undefined
}

/** In its own process a plugin reads its own folder and the packages it declares. */
function accessFixes(resource: unknown): readonly string[] {
  const granted = typeof resource === 'string' && resource !== '' ? `capabilities: { fs: { read: ['${resource}'] } }` : undefined
  return [
    'If it is a package that the plugin imports, declare it in the dependencies of its package.json',
    ...(granted ? [`If the plugin may read that, add to its entry in the config file: ${granted}`] : []),
    "If you trust the plugin with everything the host may do: isolation: 'inline'",
  ]
}

const ENDINGS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json', '.tsx', '.jsx']

function missingFixes(message: string): readonly string[] {
  const [, name = '', importer = ''] = /'([^']+)'(?:.*imported from (\S+))?/.exec(message) ?? []
  if (/^[./\\]|^[A-Z]:/i.test(name)) return [pathFix(name, importer)]
  const specifier = specifierIn(importer, name)
  if (/^[~$]|^@(?:\/|$)/.test(specifier) || !PACKAGE_NAME.test(packageOf(specifier))) return aliasFixes(specifier, importer)
  if (aliasOf(specifier, importer)) return aliasFixes(specifier, importer)
  const installed = packageOf(name)
  return [`Install ${installed} where the plugin is: npm install --save-exact ${installed}`]
}

function pathFix(path: string, importer: string): string {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  const found = [
    ...ENDINGS.map((ending) => `${path}${ending}`),
    ...(isFolder ? ENDINGS.map((ending) => join(path, `index${ending}`)) : []),
  ].find((candidate) => existsSync(candidate))
  if (!found) return 'Correct the path of the import; it needs its extension, .ts included'
  const written = importer ? relative(dirname(importer), found) : basename(found)
  return `Write the whole name, as Node guesses none: './${written.split(sep).join('/').replace(/^\.\//, '')}'`.replace(
    "'./../",
    "'../",
  )
}

/** What Node does with a file by its ending. */
function kindFixes(message: string): readonly string[] {
  const name = nameIn(message)
  const ending = extname(name)
  if (ending === '.tsx' || ending === '.jsx')
    return [
      `JSX needs a compiler: write ${name} without it, as .ts`,
      'Or compile the plugin and name its JavaScript in package.json',
    ]
  if (ending === '.json') return [`Say that it is JSON: import data from './${name}' with { type: 'json' }`]
  return [
    `Read it as a file: readFileSync(new URL('./${name || 'file.md'}', import.meta.url), 'utf8')`,
    `To have it watched, name it in the plugin: watch: ['${name || '*.md'}']`,
  ]
}

function privateFixes(message: string): readonly string[] {
  const [, specifier = '#name', file = 'the package.json of the plugin'] =
    /specifier "([^"]+)" is not defined(?: in package (\S+))?/.exec(message) ?? []
  return [`Add it to ${file}: "imports": { "${specifier}": "./path/to/its/file.ts" }`]
}

/** CommonJS words in an ES module. */
function scopeFixes(message: string, stack: string): readonly string[] | undefined {
  const word = /^(require|module|exports|__dirname|__filename) is not defined/.exec(message)?.[1]
  if (word === '__dirname' || word === '__filename') return [`Write import.meta.${word.slice(2)} instead of ${word}`]
  if (word === 'require')
    return [
      'Write import … from … instead',
      "Or make a require: import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
    ]
  if (!word) return undefined
  const file = /file:\/\/([^\s?]+?)(?:\?\S*?)?:\d+:\d+/.exec(stack)?.[1]
  const manifest = file && nearestManifest(dirname(file))
  const why = manifest && readManifest(dirname(manifest))['type'] === 'module' ? `: ${manifest} says "type": "module"` : ''
  return [
    `${file ? basename(file) : 'The file'} is an ES module${why}: write export default instead of ${word === 'module' ? 'module.exports' : 'exports'}`,
    'Or give it the ending .cjs',
  ]
}

/** How an alias of a bundler or of tsconfig.json is written for Node. */
function aliasFixes(specifier: string, importer: string): readonly string[] {
  const manifest = (importer && nearestManifest(dirname(importer))) || 'the package.json of the plugin'
  const alias = aliasOf(specifier, importer)
  const prefix = alias?.prefix ?? /^[^/]*\//.exec(`${specifier}/`)?.[0] ?? ''
  const target = alias?.target ?? './*'
  const rest = specifier.startsWith(prefix) ? specifier.slice(prefix.length) : 'lib'
  const written = `#${rest || 'lib'}${extname(rest) ? '' : '.ts'}`
  return [
    `${alias ? 'Node does not read "paths" of tsconfig.json' : `Node knows no alias ${prefix}`}: add to ${manifest}: "imports": { "#*": "${target}" }, and write '${written}'`,
    'Or write a path that begins with ./ or ../, with its extension',
  ]
}

interface Alias {
  /** What specifiers begin with: `@/`. */
  readonly prefix: string
  /** Where they are, relative to package.json: `./src/*`. */
  readonly target: string
}

const MOST_TEXT = 100_000

/** The entry of `paths` that would resolve the specifier, in the nearest tsconfig.json. */
function aliasOf(specifier: string, importer: string): Alias | undefined {
  const file = importer ? nearest('tsconfig.json', dirname(importer)) : undefined
  const text = file ? textOf(file) : ''
  const [, paths = ''] = /"paths"\s*:\s*\{([^{}]*)\}/.exec(text) ?? []
  const base = /"baseUrl"\s*:\s*"([^"]*)"/.exec(text)?.[1] ?? '.'
  for (const [, pattern = '', first = ''] of paths.matchAll(/"([^"]+)"\s*:\s*\[\s*"([^"]+)"/g)) {
    const prefix = pattern.replace(/\*$/, '')
    if (!specifier.startsWith(prefix) && specifier !== prefix.replace(/\/$/, '')) continue
    const from = dirname((file && nearestManifest(dirname(file))) ?? file ?? '')
    const target = relative(from, join(dirname(file ?? ''), base, first))
      .split(sep)
      .join('/')
    return { prefix, target: target.startsWith('..') ? target : `./${target}` }
  }
  return undefined
}

/** The specifier as the file has it: Node's message has only its first part. */
function specifierIn(importer: string, name: string): string {
  const text = importer ? textOf(importer) : ''
  for (const [, specifier = ''] of text.matchAll(/['"]([^'"\n]+)['"]/g))
    if (specifier === name || specifier.startsWith(`${name}/`)) return specifier
  return name
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}

/** The last name of a path or URL in the message. */
function nameIn(message: string): string {
  const [path = ''] = /(?:file:\/\/)?\/[^"'\s]+/.exec(message) ?? []
  return basename(path)
}

function nearestManifest(folder: string): string | undefined {
  return nearest('package.json', folder)
}

function nearest(name: string, folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, name))) return join(at, name)
    if (at === dirname(at)) return undefined
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(0, MOST_TEXT)
  } catch {
    return ''
  }
}
