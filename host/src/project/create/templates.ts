import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import packageJson from '../../../package.json' with { type: 'json' }
import { hostError } from '../../errors.ts'

/** Files of the package that a new project or plugin begins with, by where they come to be. */
const PROJECT: Readonly<Record<string, string>> = {
  'package.json': 'project/package.json.txt',
  'mcp.config.ts': 'project/mcp.config.ts',
  'tsconfig.json': 'project/tsconfig.json',
  Dockerfile: 'project/Dockerfile',
  // Under their own names npm would not ship these.
  '.gitignore': 'project/gitignore',
  '.dockerignore': 'project/dockerignore',
  '.env.example': 'project/env.example',
  '.vscode/mcp.json': 'project/vscode/mcp.json',
  '.vscode/launch.json': 'project/vscode/launch.json',
  'plugins/hello/index.ts': 'plugin/index.ts',
  'plugins/hello/index.test.ts': 'plugin/index.test.ts',
}
const PLUGIN: Readonly<Record<string, string>> = { 'index.ts': 'plugin/index.ts', 'index.test.ts': 'plugin/index.test.ts' }

/**
 * Writes a project into `folder`, which may exist, and gives the files in the order they were written. Throws `PROJECT_EXISTS`, and
 * writes nothing, where one of them is there already.
 */
export function createProject(folder: string): readonly string[] {
  const project = packageName(basename(resolve(folder)))
  return write(folder, PROJECT, (text) => text.replaceAll('{{project}}', project).replaceAll('{{version}}', packageJson.version))
}

/** Writes a plugin with a test into `folder`. Throws `PROJECT_NAME` for a name that is none of a plugin, and `PROJECT_EXISTS`. */
export function createPlugin(folder: string, name: string): readonly string[] {
  checkPluginName(name)
  const variables = name.toUpperCase()
  return write(folder, PLUGIN, (text) =>
    text.replaceAll('hello_', `${name}_`).replaceAll("'hello'", `'${name}'`).replaceAll('HELLO_', `${variables}_`),
  )
}

/** Throws `PROJECT_NAME` for a name that is none of a plugin. */
export function checkPluginName(name: string): void {
  if (!/^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/.test(name) || name.length > 32)
    throw hostError('PROJECT_NAME', { name, proposal: pluginName(name) })
}

function write(folder: string, files: Readonly<Record<string, string>>, fill: (text: string) => string): readonly string[] {
  const paths = Object.keys(files).map((file) => join(resolve(folder), file))
  const taken = paths.filter((path) => existsSync(path))
  if (taken.length > 0) throw hostError('PROJECT_EXISTS', { folder: resolve(folder), taken })
  const templates = new URL('templates/', import.meta.resolve('mcp-patchbay/package.json'))
  Object.values(files).forEach((template, index) => {
    const path = paths[index] ?? ''
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, fill(readFileSync(fileURLToPath(new URL(template, templates)), 'utf8')), { flag: 'wx' })
  })
  return paths
}

/** The name of a folder as a name that npm takes. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._~-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '')
  return name || 'mcp-server'
}

function pluginName(text: string): string | undefined {
  const name = text
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[_0-9]+|_+$/g, '')
    .slice(0, 32)
  return name || undefined
}
