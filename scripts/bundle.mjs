// Writes the host into few files, host/bundle, for a start that reads some 60 of them in place of 1,000, and for a package that brings few others.
// Runs as `prepare` after an install, on any Node from 20 on, and as part of `build`. The command takes the bundle for as long as nothing
// it was made of has changed (host/bin/bundle.mjs), so an edit of host/src is run as it stands. Never fails an install that can work.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inAscii } from './in-ascii.mjs'
import { withoutFacades } from './without-facades.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const host = join(root, 'host')
const folder = join(host, 'bundle')

/** By what the host calls them (host/src/modules/own-modules.ts): what is started or imported, and what plugins share with the host. */
const entryPoints = {
  main: 'host/src/main.ts',
  index: 'host/src/index.ts',
  'config/file/define': 'host/src/config/file/define.ts',
  'config/file/evaluation-child': 'host/src/config/file/evaluation-child.ts',
  'modules/commonjs/bridge': 'host/src/modules/commonjs/bridge.ts',
  'plugin/isolate/child/child': 'host/src/plugin/isolate/child/child.ts',
  'shared/@mcp-patchbay/plugin-api': 'plugin-api/src/index.ts',
  'shared/@mcp-patchbay/plugin-api/testing': 'plugin-api/src/testing.ts',
  'shared/typebox': 'node_modules/typebox/build/index.mjs',
  'shared/typebox/value': 'node_modules/typebox/build/value/index.mjs',
}

const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(host, 'package.json'), 'utf8'))
/** Plugins and their authors have these by their own names; the host has a copy that plugins share. */
const SHARED = ['@mcp-patchbay/plugin-api', 'typebox']
/** What npm installs beside the host; every other package is inside. */
const outside = new Set(Object.keys({ ...dependencies, ...peerDependencies }).filter((name) => !SHARED.includes(name)))

/** What is read together, and by what: each file that a process reads takes it a quarter of a millisecond. The first that fits. */
const READ_TOGETHER = {
  'plugin-process': ['host/src/plugin/isolate/child/child.ts'],
  start: [
    'host/src/main.ts',
    'host/src/cli/start.ts',
    'host/src/from-file.ts',
    'host/src/host.ts',
    'host/src/plugin/activate.ts',
  ],
}
/**
 * The MCP SDK, in pieces: read in one, it holds the event loop for 40 ms while clients wait. Each imports those before it, and is one of the
 * names in host/src/server/mcp/sdk-pieces.ts. The names of the SDK's own files end with a digest.
 */
const READ_IN_PIECES = {
  'sdk-zod': /\/zod\//,
  'sdk-schemas': /\/@modelcontextprotocol\/core\//,
  'sdk-server-checks': /\/@modelcontextprotocol\/server\/dist\/(?:ajvProvider|dialects|chunk)-/,
  'sdk-server-protocol': /\/@modelcontextprotocol\/server\/dist\/src-/,
  'sdk-server': /\/@modelcontextprotocol\/server\//,
  'sdk-client-checks': /\/@modelcontextprotocol\/client\/dist\/(?:ajvProvider|dialects|chunk)-/,
  'sdk-client-protocol': /\/@modelcontextprotocol\/client\/dist\/src-/,
}
/** What the process of a config reads, and plugins, without the rest. */
const READ_ALONE = [
  'host/src/config/file/define.ts',
  'host/src/config/file/evaluation-child.ts',
  'plugin-api/src/index.ts',
  'plugin-api/src/testing.ts',
]
/** They do something when they are read. */
const PROGRAMS = ['host/src/main.ts', 'host/src/config/file/evaluation-child.ts', 'host/src/plugin/isolate/child/child.ts']
/** By module, what it imports at once. */
const imports = new Map()
const programs = new Set(PROGRAMS.map((file) => join(root, file)))
let groups
let alone

rmSync(folder, { recursive: true, force: true })
try {
  const { build } = await import('rolldown')
  const { output } = await build({
    cwd: root,
    input: entryPoints,
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    checks: { ineffectiveDynamicImport: false },
    plugins: [
      { name: 'start', renderChunk: withoutFacades, moduleParsed: ({ id, importedIds }) => void imports.set(id, importedIds) },
    ],
    external: (id) => !/^[./]/.test(id) && !isAbsolute(id) && outside.has(/^(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? ''),
    resolve: { conditionNames: ['@mcp-patchbay/source', 'node', 'import', 'default'] },
    output: {
      dir: folder,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: ({ name }) => (name in READ_IN_PIECES ? 'chunks/[name].js' : 'chunks/[name]-[hash].js'),
      codeSplitting: { groups: [{ name: togetherIn, debugName: 'together' }], includeDependenciesRecursively: false },
      // They are a fifth of the text, which a process keeps in memory; licences are in a file of their own.
      comments: { legal: true, annotation: false, jsdoc: false },
      sourcemap: true,
    },
  })
  for (const { type, fileName } of output) {
    const file = join(folder, fileName)
    if (type === 'chunk') writeFileSync(file, inAscii(readFileSync(file, 'utf8')))
  }
  const files = output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds.filter((id) => isAbsolute(id)) : []))
  // What is installed changes with an install, which bundles again.
  const [own, installed] = [false, true].map((is) => files.filter((file) => file.includes(`${sep}node_modules${sep}`) === is))
  const madeOf = own.map((file) => {
    const { mtimeMs, size } = statSync(file)
    return [relative(host, file).replaceAll(sep, '/'), mtimeMs, size]
  })
  writeFileSync(join(folder, 'build.txt'), `${digestOf(output)}\n`)
  writeFileSync(join(folder, 'licenses.txt'), licenses(installed))
  writeFileSync(join(folder, 'made-of.json'), JSON.stringify(madeOf))
} catch (error) {
  rmSync(folder, { recursive: true, force: true })
  // Without it the host runs from its source.
  console.error(`patchbay: not bundled, so it starts more slowly: ${String(error)}`)
}

/**
 * Of the code and nothing else, so the same on every machine that builds one commit with its lock:
 * find . -name '*.js' | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-16
 */
function digestOf(output) {
  const sha256 = (content) => createHash('sha256').update(content).digest('hex')
  const files = output.map(({ fileName }) => fileName).filter((name) => name.endsWith('.js'))
  const lines = files
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((name) => `${sha256(readFileSync(join(folder, name)))}  ./${name}\n`)
  return sha256(lines.join('')).slice(0, 16)
}

/** The name of the chunk of a module; none for a program, and for what is read alone. */
function togetherIn(id) {
  groups ??= Object.entries(READ_TOGETHER).map(([name, from]) => [name, reachedFrom(from)])
  alone ??= reachedFrom(READ_ALONE)
  if (alone.has(id) || programs.has(id)) return null
  const posix = id.replaceAll(sep, '/')
  const piece = Object.keys(READ_IN_PIECES).find((name) => READ_IN_PIECES[name].test(posix))
  if (piece !== undefined) return piece
  return groups.find(([, modules]) => modules.has(id))?.[0] ?? null
}

/** All that is imported at once by these, and themselves. */
function reachedFrom(files) {
  const reached = new Set(files.map((file) => join(root, file)))
  for (const file of reached) for (const imported of imports.get(file) ?? []) reached.add(imported)
  return reached
}

/** The packages inside, each with its licence: what their licences ask of a copy. */
function licenses(files) {
  const folders = new Set(files.map((file) => /^.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+/.exec(file)[0]))
  const texts = [...folders]
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((path) => {
      const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
      const file = readdirSync(path).find((entry) => /^licen[cs]e(?:\.(?:md|txt))?$/i.test(entry))
      return [`${name} ${version} (${license})`, ...(file ? [readFileSync(join(path, file), 'utf8').trim()] : [])].join('\n\n')
    })
  return `${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}
