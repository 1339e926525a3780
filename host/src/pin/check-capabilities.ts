import { lstat, realpath } from 'node:fs/promises'
import path from 'node:path'
import { hostError } from '../errors.ts'
import { runningEntry, runningPart } from './running-paths.ts'
import { noCapabilities, normalCapabilities, type Capabilities } from './capabilities.ts'

/** Where a manifest comes from and what its paths are relative to. */
export interface ManifestOrigin {
  /** The instance name, for the error. */
  readonly plugin: string
  /** The folder of mcp.config.ts, absolute. */
  readonly base: string
  /** The home folder of the user who runs the host: a grant that contains it is too wide. */
  readonly home: string | undefined
  /** What must not be written by any plugin. Asked for only where something is to be written. */
  readonly kept?: (() => readonly KeptPath[]) | undefined
}

/** A file or folder that is the host's, absolute. */
export interface KeptPath {
  readonly path: string
  /** Such as `mcp.lock.json`, for the error. */
  readonly what: string
  /** A folder below it that is the plugin's own all the same. */
  readonly except?: string | undefined
}

/**
 * The capabilities that a manifest asks for, complete, sorted and with normal paths; what it leaves out is not granted.
 * Throws `CAPABILITY_INVALID` with every fault at once: unknown keys, wrong types, patterns, variables, paths that are too wide or
 * lead through a symbolic link.
 */
export async function checkCapabilities(manifest: unknown, origin: ManifestOrigin): Promise<Capabilities> {
  const faults: string[] = []
  const base = await realpath(origin.base)
  const asked = readManifest(manifest, (value) => faultOfPath(value, [base, origin.base], origin.home), faults)
  const kept = asked.fs.write.length > 0 ? (origin.kept?.() ?? []) : []
  for (const value of asked.fs.write) {
    const reached = keptAt(
      [base, origin.base].map((folder) => path.resolve(folder, value)),
      kept,
    )
    const full = path.resolve(base, value)
    // Where the project itself is, is not the plugin's choice.
    const part = runningPart(contains(base, full) ? path.relative(base, full) : full) ?? (await runningEntry(full))
    const what = reached?.what ?? (part && `${part}, which decides what runs on the machine of a developer`)
    if (what !== undefined) faults.push(`fs.write ${JSON.stringify(value)} reaches ${what}, which no plugin may write`)
  }
  for (const [key, values] of Object.entries(asked.fs)) {
    for (const value of values) {
      const fault = await faultOfLinks(path.resolve(base, value))
      if (fault !== undefined) faults.push(`fs.${key} ${JSON.stringify(value)} ${fault}`)
    }
  }
  if (faults.length > 0) throw hostError('CAPABILITY_INVALID', { plugin: origin.plugin, faults })
  return asked
}

type FaultOf = (value: string) => string | undefined

function readManifest(manifest: unknown, faultOfFolder: FaultOf, faults: string[]): Capabilities {
  if (manifest === undefined) return noCapabilities
  const fields = readObject(manifest, 'capabilities', ['hosts', 'env', 'fs', 'credentials', 'native'], faults)
  const fs = readObject(fields['fs'] ?? {}, 'fs', ['read', 'write'], faults)
  const { credentials = 'brokered', native = false } = fields
  if (credentials !== 'brokered' && credentials !== 'raw') faults.push(`credentials must be "brokered" or "raw"`)
  if (typeof native !== 'boolean') faults.push('native must be true or false')
  return normalCapabilities({
    hosts: readList(fields['hosts'], 'hosts', faultOfHost, faults),
    env: readList(fields['env'], 'env', faultOfVariable, faults),
    fs: {
      read: readList(fs['read'], 'fs.read', faultOfFolder, faults).map(normalPath),
      write: readList(fs['write'], 'fs.write', faultOfFolder, faults).map(normalPath),
    },
    credentials: credentials === 'raw' ? 'raw' : 'brokered',
    native: native === true,
  })
}

function readObject(value: unknown, where: string, known: readonly string[], faults: string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    faults.push(`${where} must be an object with ${known.join(', ')}`)
    return {}
  }
  const unknown = Object.keys(value).filter((key) => !known.includes(key))
  faults.push(...unknown.map((key) => `${where} has an unknown key ${JSON.stringify(key)}; known are ${known.join(', ')}`))
  return Object.fromEntries(Object.entries(value))
}

function readList(value: unknown, where: string, faultOf: FaultOf, faults: string[]): string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    faults.push(`${where} must be a list of strings`)
    return []
  }
  return value.filter((item: unknown): item is string => {
    const found = typeof item === 'string' ? faultOf(item) : 'must be a string'
    if (found !== undefined) faults.push(`${where} ${JSON.stringify(item) ?? String(item)} ${found}`)
    return found === undefined
  })
}

function faultOfHost(value: string): string | undefined {
  if (value === 'public') return undefined
  if (value.includes('*')) return 'is a pattern; name each origin, or write "public" for any public address'
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol)) return 'is no origin; write it like https://api.example.com'
  return url.origin === value ? undefined : `is more than an origin, or not in its normal form; write ${url.origin}`
}

/** Variables that decide how the child process itself starts: granting one would undo its permission flags. */
const processVariables = /^(NODE_OPTIONS|NODE_PATH|NODE_REPL_EXTERNAL_MODULE|LD_.*|DYLD_.*|PATCHBAY_.*)$/

function faultOfVariable(value: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(value)) return 'is no name of a variable; name each one, patterns are not accepted'
  // Windows reads variables without regard to case.
  return processVariables.test(value.toUpperCase()) ? 'steers the process itself and cannot be granted' : undefined
}

function faultOfPath(value: string, bases: readonly [string, string], home: string | undefined): string | undefined {
  if (value === '') return 'is empty'
  if (value.includes('\0') || value.includes('\\')) return 'holds a backslash or NUL; separate folders with /'
  if (/[*?[\]{}!]/.test(value)) return 'is a pattern; name the folder or file itself'
  if (/[$%]/.test(value)) return 'holds a variable, and variables are not expanded; write the path itself'
  const parts = value.split('/')
  if (parts.some((part) => part.startsWith('~'))) return 'starts at a home folder, which is not expanded; write the path itself'
  if (parts.includes('..')) return 'climbs with ".."; write the path without it'
  const full = path.resolve(bases[0], value)
  if (bases.some((base) => contains(full, base)))
    return 'is the folder of the config or contains it; name the folder below it that the plugin needs'
  if (home !== undefined && contains(full, home))
    return 'is a home folder or contains one; name the folder below it that the plugin needs'
  if (/^\/(proc|sys|dev)(\/|$)/.test(full)) return 'is part of the operating system, and through it of other processes'
  if (path.dirname(full) === path.parse(full).root)
    return 'is a whole top-level folder; name the folder below it that the plugin needs'
  return undefined
}

/** What of the host is at, above or below one of `spellings` of a path. */
function keptAt(spellings: readonly string[], kept: readonly KeptPath[]): KeptPath | undefined {
  const isOwn = (full: string, except: string | undefined) => except !== undefined && contains(except, full)
  const paths = spellings.map((full) => full.toLowerCase())
  return kept
    .map(sameCase)
    .find(({ path: held, except }) =>
      paths.some((full) => (contains(full, held) || contains(held, full)) && !isOwn(full, except)),
    )
}

/** Where the file system does not tell letters by case, another spelling is the same file. */
function sameCase({ path: held, what, except }: KeptPath): KeptPath {
  return { path: held.toLowerCase(), what, except: except?.toLowerCase() }
}

function contains(outer: string, inner: string): boolean {
  const way = path.relative(outer, inner)
  return way !== '..' && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way)
}

function normalPath(value: string): string {
  return path.posix.normalize(value).replace(/\/$/, '')
}

/** A link can be pointed elsewhere after the grant, so no part of a path may be one. What does not exist yet is checked above it. */
async function faultOfLinks(full: string): Promise<string | undefined> {
  try {
    const real = await realpath(full)
    return real === full ? undefined : `leads through a symbolic link; write where it leads: ${real}`
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!missing) return `cannot be followed: ${error instanceof Error ? error.message : String(error)}`
    if (await isLink(full)) return 'is a symbolic link that leads nowhere'
    return faultOfLinks(path.dirname(full))
  }
}

async function isLink(full: string): Promise<boolean> {
  const stats = await lstat(full).catch(() => undefined)
  return stats?.isSymbolicLink() ?? false
}
