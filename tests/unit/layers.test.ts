import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { test } from 'node:test'

/** From the top down: a file may import its own room and those after it. A folder that is not named belongs to the one it is in. */
const ROOMS = [
  'main',
  'cli',
  'project',
  'index',
  'host',
  'transport',
  'transport/streamable',
  'transport/stdio',
  'transport/admin',
  'transport/fast-path',
  'transport/http',
  'server',
  'server/mcp',
  'server/call',
  'server/catalog',
  'plugin/reload',
  'plugin/lazy',
  'plugin',
  'plugin/mcp-server',
  'plugin/mcp-server/install',
  'plugin/isolate',
  'plugin/isolate/child',
  'plugin/isolate/channel',
  'plugin/run',
  'plugin/trust',
  'plugin/settings',
  'plugin/source',
  'pin',
  'auth',
  'auth/accounts',
  'auth/inbound',
  'auth/outbound',
  'config',
  'config/file',
  'config/plugin',
  'config/source',
  'config/schema',
  'network',
  'data',
  'cache',
  'modules',
  'observability',
  'errors',
]
/** Rooms that speak MCP, and so know its SDK. */
const SDK_ROOMS = /^(?:transport|server|plugin\/mcp-server)(?:\/|$)/

const root = join(import.meta.dirname, '../../host/src')
const files = globSync('**/*.ts', { cwd: root }).toSorted()

test('host has files in it, so that the checks below check something', () => {
  assert.ok(files.length > 50)
})

test('every file of the host belongs to a room', () => {
  assert.deepEqual(
    files.filter((file) => !ROOMS.includes(roomOf(file))),
    [],
  )
})

test('imports of the host point down', () => {
  const upward = files.flatMap((file) =>
    importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => relative(root, join(root, dirname(file), specifier)))
      .filter((target) => !target.startsWith('..') && ROOMS.indexOf(roomOf(target)) < ROOMS.indexOf(roomOf(file)))
      .map((target) => `${file} -> ${target}`),
  )
  assert.deepEqual(upward, [])
})

test('no files of the host import each other in a circle, nor their types', () => {
  const imports = new Map(
    files.map((file) => [
      file,
      importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => join(dirname(file), specifier)),
    ]),
  )
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
    if (path.includes(file) || done.has(file)) return
    for (const next of imports.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  assert.deepEqual(circles, [])
})

test('a room holds at most sixteen files, and a file name stands once in the host', () => {
  const inFolder = Map.groupBy(files, (file) => dirname(file))
  const full = [...inFolder].filter(([, own]) => own.length > 16).map(([folder, own]) => `${folder}: ${own.length}`)
  assert.deepEqual(full, [])
  const named = Map.groupBy(
    files.filter((file) => basename(file) !== 'types.ts'),
    (file) => basename(file),
  )
  assert.deepEqual(
    [...named].filter(([, own]) => own.length > 1).map(([name, own]) => `${name}: ${own.join(', ')}`),
    [],
  )
})

test('only what serves MCP, and what runs MCP servers, knows its SDK', () => {
  const strangers = files.filter(
    (file) => !SDK_ROOMS.test(roomOf(file)) && importsOf(file).some((name) => name.startsWith('@modelcontextprotocol/')),
  )
  assert.deepEqual(strangers, [])
})

test('plugins import the contract, their packages and Node, never the host', () => {
  const plugins = join(import.meta.dirname, '../../plugins')
  const outside = globSync('*/**/*.ts', {
    cwd: plugins,
    exclude: (name) => name === 'node_modules' || name === 'tests' || name === 'dist',
  }).flatMap((file) =>
    importsOf(file, plugins)
      .filter((name) => name.startsWith('mcp-patchbay') || (name.startsWith('.') && leavesPlugin(file, name)))
      .map((name) => `${file} -> ${name}`),
  )
  assert.deepEqual(outside, [])
})

test('the contract imports typebox and nothing else', () => {
  const contract = join(import.meta.dirname, '../../plugin-api/src')
  const foreign = globSync('**/*.ts', { cwd: contract }).flatMap((file) =>
    importsOf(file, contract).filter(
      (name) => !name.startsWith('.') && !/^typebox(?:\/|$)/.test(name) && !isTestKitImport(file, name),
    ),
  )
  assert.deepEqual(foreign, [])
})

test('the host reads TypeBox only for plugins that import it', () => {
  const readers = files.filter((file) =>
    /^(?:import|export)\s(?!type\b)[^'"]*?\sfrom\s['"](?:@mcp-patchbay\/plugin-api|typebox(?:\/\w+)?)['"]/m.test(
      readFileSync(join(root, file), 'utf8'),
    ),
  )
  assert.deepEqual(readers, [])
})

/** The files at the top of host/src are rooms of their own, but for those that are part of `host`. */
function roomOf(file: string): string {
  const folders = file.split(sep).slice(0, -1)
  if (folders.length === 0) {
    const name = file.slice(0, -3)
    return ROOMS.includes(name) ? name : 'host'
  }
  while (folders.length > 1 && !ROOMS.includes(folders.join('/'))) folders.pop()
  return folders.join('/')
}

function importsOf(file: string, folder = root): readonly string[] {
  const text = readFileSync(join(folder, file), 'utf8')
  return [
    ...text.matchAll(/^(?:import|export)\s(?:[^'"]*?\sfrom\s)?['"]([^'"]+)['"]/gm),
    ...text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g),
  ].map(([, specifier]) => specifier ?? '')
}

function leavesPlugin(file: string, specifier: string): boolean {
  return join(dirname(file), specifier).split(sep)[0] !== file.split(sep)[0]
}

/** The test kit runs under node:test. */
function isTestKitImport(file: string, name: string): boolean {
  return file.startsWith('testing') && name.startsWith('node:')
}
