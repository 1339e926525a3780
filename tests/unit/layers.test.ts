import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { test } from 'node:test'

/** From the top down: a file may import its own layer and those after it. */
const LAYERS = [
  'main',
  'cli',
  'project',
  'index',
  'host',
  'transport',
  'server',
  'plugin',
  'pin',
  'auth',
  'config',
  'network',
  'data',
  'cache',
  'modules',
  'observability',
  'errors',
]
const SDK_LAYERS = new Set(['transport', 'server'])

const root = join(import.meta.dirname, '../../host/src')
const files = globSync('**/*.ts', { cwd: root }).toSorted()

test('host has files in it, so that the checks below check something', () => {
  assert.ok(files.length > 50)
})

test('every file of the host belongs to a layer', () => {
  assert.deepEqual(
    files.filter((file) => !LAYERS.includes(layerOf(file))),
    [],
  )
})

test('imports of the host point down', () => {
  const upward = files.flatMap((file) =>
    importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => relative(root, join(root, dirname(file), specifier)))
      .filter((target) => !target.startsWith('..') && LAYERS.indexOf(layerOf(target)) < LAYERS.indexOf(layerOf(file)))
      .map((target) => `${file} -> ${target}`),
  )
  assert.deepEqual(upward, [])
})

test('only transport and server know the MCP SDK', () => {
  const strangers = files.filter(
    (file) => !SDK_LAYERS.has(layerOf(file)) && importsOf(file).some((name) => name.startsWith('@modelcontextprotocol/')),
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

/** The files at the top of host/src are layers of their own, but for those that are part of `host`. */
function layerOf(file: string): string {
  const [first = ''] = file.split(sep)
  if (!first.endsWith('.ts')) return first
  const name = first.slice(0, -3)
  return LAYERS.includes(name) ? name : 'host'
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
