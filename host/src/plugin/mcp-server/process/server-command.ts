import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join, resolve, sep } from 'node:path'
import { SecretValue } from '@mcp-patchbay/plugin-api/host'
import type { PluginEntry } from '../../../config/schema/schema.ts'
import { variableName } from '../../../config/plugin/variables.ts'
import type { Capabilities } from '../../../pin/capabilities.ts'
import type { ServerCommand } from './server-process.ts'

export interface CommandOptions {
  readonly instance: string
  readonly entry: PluginEntry
  /** With the secrets of `env` in it. */
  readonly config: Readonly<Record<string, unknown>>
  readonly capabilities: Capabilities
  readonly configDir: string
  /** The host's own. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly heapMb: number
}

/** Where an npm server is: all that it may read without a grant, and the file that is run. */
export interface ServerFiles {
  readonly folder: string
  readonly entryFile: string
}

/**
 * How an npm server is started: by this Node under its permission model. It reads its own tree and what is granted, writes what is granted,
 * starts nothing, and has the network only where the entry names hosts: Node knows no more than all of it or none.
 */
export function npmCommand({ folder, entryFile }: ServerFiles, options: CommandOptions): ServerCommand {
  const { entry, capabilities, configDir, heapMb } = options
  const { fs, hosts, native } = capabilities
  const absolute = (paths: readonly string[]) => paths.map((path) => resolve(configDir, path))
  const flags = [
    '--permission',
    ...[folder, ...absolute(fs.read)].map((path) => `--allow-fs-read=${path}`),
    ...absolute(fs.write).map((path) => `--allow-fs-write=${path}`),
    ...(hosts.length > 0 && LIMITS_NETWORK ? ['--allow-net'] : []),
    native ? '--allow-addons' : '--no-addons',
    // Opens any file, permission or not.
    '--no-experimental-sqlite',
    '--disable-sigusr1',
    '--disable-warning=SecurityWarning',
    `--max-old-space-size=${heapMb}`,
  ]
  const variables = environmentOf(options)
  return {
    file: process.execPath,
    args: [...flags, entryFile, ...withVariables(entry.args, variables)],
    cwd: configDir,
    env: variables,
  }
}

const LIMITS_NETWORK = process.allowedNodeEnvironmentFlags.has('--allow-net')

/**
 * How a command is started: nothing confines it. It gets PATH, without which few programs find what they are made of, and no other variable
 * of the host's.
 */
export function execCommand(options: CommandOptions): ServerCommand {
  const { entry, configDir, env } = options
  const [program = '', ...args] = entry.command ?? []
  const path = env['PATH']
  const variables = environmentOf(options)
  return {
    file: findProgram(program, path, configDir),
    args: withVariables([...args, ...(entry.args ?? [])], variables),
    cwd: configDir,
    env: { ...(path !== undefined && { PATH: path }), ...variables },
  }
}

/** `${NAME}` in an argument is what the entry's `env` gives the server as NAME: no config has to hold a secret for a server without variables. */
function withVariables(args: readonly string[] = [], variables: Readonly<Record<string, string>>): readonly string[] {
  return args.map((arg) =>
    arg.replace(/\$\{([A-Za-z_]\w*)\}/g, (written, name: string) =>
      Object.hasOwn(variables, name) ? (variables[name] ?? written) : written,
    ),
  )
}

/** The key of the config that holds the value of a secret variable: that of TAVILY_API_KEY is read from TAVILY_API_KEY by `tavily`. */
export function secretKey(instance: string, name: string): string {
  const prefix = variableName(instance, '')
  return (name.startsWith(prefix) && name !== prefix ? name.slice(prefix.length) : name).toLowerCase()
}

/** The names of the variables that are secrets. */
export function secretNames({ env = {} }: Pick<PluginEntry, 'env'>): readonly string[] {
  return Object.entries(env).flatMap(([name, value]) => (typeof value === 'string' ? [] : [name]))
}

function environmentOf({ instance, entry, config, capabilities, env }: CommandOptions): Readonly<Record<string, string>> {
  const granted = capabilities.env.map((name) => [name, env[name]] as const)
  const mapped = Object.entries(entry.env ?? {}).map(
    ([name, value]) => [name, typeof value === 'string' ? value : revealed(config[secretKey(instance, name)])] as const,
  )
  return Object.fromEntries([...granted, ...mapped].filter((one): one is [string, string] => typeof one[1] === 'string'))
}

function revealed(value: unknown): string | undefined {
  return value instanceof SecretValue ? value.reveal() : undefined
}

/** As a shell finds it: a name in PATH, anything with a slash as it is. Node looks in the PATH of the child, which an entry may set. */
function findProgram(program: string, path: string | undefined, configDir: string): string {
  if (isAbsolute(program)) return program
  if (program.includes('/') || program.includes(sep)) return resolve(configDir, program)
  const places = (path ?? '').split(delimiter).filter((place) => place !== '')
  return places.map((place) => join(place, program)).find(isProgram) ?? program
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
