import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { normalizeEntry, type EntryConfig } from '../config/schema/schema.ts'
import { isObject } from '../data/json.ts'
import { hostError } from '../errors.ts'
import { fault } from '../observability/faults.ts'
import { noCapabilities, type Capabilities } from '../pin/capabilities.ts'
import { digestTree, type Tree } from '../pin/tree/tree.ts'
import { resolvePlugin } from '../plugin/source/resolve-entry.ts'
import { inspectPlugin, type InspectedPlugin } from './inspect.ts'
import { createNpm, findRelease, readPackage, type Npm } from './npm/npm.ts'
import type { Project } from './open-project.ts'
import { findRisks, needsConsent, type Risk } from './risks.ts'
import type { Spec } from './spec.ts'

/** What a person said on the command line. */
export interface Consent {
  /** Take a release younger than three days. */
  readonly now: boolean
  /** Take compiled code, and packages with install scripts, which are not run. */
  readonly allowNative: boolean
}

/** A package that will be installed, exactly. */
export interface Chosen {
  readonly name: string
  readonly version: string
  /** The name it gets in node_modules: another one where this project has another version of the same package already. */
  readonly use: string
  /** What npm is told. */
  readonly argument: string
  readonly warnings: readonly string[]
}

/** A package that is installed, and looked at. */
export interface Installed {
  readonly plugin: InspectedPlugin
  readonly risks: readonly Risk[]
}

const DAY = 24 * 60 * 60 * 1000
/** Most poisoned releases are found and taken back within this time. */
const SETTLED = 3 * DAY

/** Decides which package a spec means now. `as` keeps a name in node_modules. Throws `INSTALL_NPM` and `INSTALL_YOUNG`. */
export async function choose(
  spec: Spec,
  { npm, project, consent, as, now }: { npm: Npm; project: Project; consent: Consent; as?: string | undefined; now: number },
): Promise<Chosen> {
  const others = await dependencies(project.configDir)
  const place = (name: string, version: string, source: string) => {
    const wanted = as ?? (isTaken(others, name, version, source) ? `${name}-${version}` : name)
    return { use: wanted, argument: wanted === name && spec.kind === 'registry' ? source : `${wanted}@${aliased(spec, source)}` }
  }
  if (spec.kind === 'file') {
    const { name, version } = await readPackage(npm, spec.file)
    const source = `file:${spec.file}`
    return { name, version, ...place(name, version, source), warnings: [`the registry does not say how old ${spec.file} is`] }
  }
  const { name, version, warnings } = await settledRelease(`${spec.name}@${spec.range}`, { npm, consent, now })
  return { name, version, ...place(name, version, `${name}@${version}`), warnings }
}

/** Whether a release has been out for so long that others would have seen what is wrong with it. */
export function isSettled(publishedAt: Date, now: number): boolean {
  return now - publishedAt.getTime() >= SETTLED
}

/** The release that `name@range` means now, unless it is too young to be trusted. Throws `INSTALL_NPM` and `INSTALL_YOUNG`. */
export async function settledRelease(
  spec: string,
  { npm, consent, now }: { npm: Npm; consent: Consent; now: number },
): Promise<Pick<Chosen, 'name' | 'version' | 'warnings'>> {
  const { name, version, publishedAt } = await findRelease(npm, spec)
  if (publishedAt && !isSettled(publishedAt, now) && !consent.now)
    throw hostError('INSTALL_YOUNG', { name, version, hours: Math.max(0, Math.floor((now - publishedAt.getTime()) / 3_600_000)) })
  return { name, version, warnings: publishedAt ? [] : [`the registry does not say how old ${name}@${version} is`] }
}

/** Throws `INSTALL_NATIVE` for what would run, or be loaded, outside of JavaScript. Gives all that was found. */
export async function acceptedRisks(tree: Tree, name: string, { allowNative }: Consent): Promise<readonly Risk[]> {
  const risks = await findRisks(tree)
  const grave = risks.filter(needsConsent)
  if (grave.length > 0 && !allowNative)
    throw hostError('INSTALL_NATIVE', {
      name,
      found: grave.map(({ package: of, what }) => (of === '' ? what : `${what} (${of})`)),
    })
  return risks
}

/** Whether node_modules has another thing under this name. */
function isTaken(others: Readonly<Record<string, string>>, name: string, version: string, source: string): boolean {
  const there = Object.hasOwn(others, name) ? others[name] : undefined
  return there !== undefined && there !== version && there !== source
}

function aliased(spec: Spec, source: string): string {
  return spec.kind === 'registry' ? `npm:${source}` : source
}

/** Installs and inspects it. Throws `INSTALL_…`, and what importing the plugin throws. */
export async function install(
  { use, argument, version }: Chosen,
  entry: EntryConfig,
  { npm, project, consent }: { npm: Npm; project: Project; consent: Consent },
): Promise<Installed> {
  // A folder is packed and unpacked, not linked: what was looked at is what runs.
  await npm.change(['install', '--save-exact', '--install-links', argument])
  await fault('install.installed')
  // Before any of it runs.
  const { root } = resolvePlugin({ use, version, instance: use }, project.configDir)
  const risks = await acceptedRisks(await digestTree(root), use, consent)
  const native = entry.capabilities?.native ?? risks.some(({ kind }) => kind === 'native')
  const capabilities = { ...entry.capabilities, ...(native && { native }) }
  const plugin = await inspectPlugin(normalizeEntry({ ...entry, use, version, capabilities }), project)
  return { plugin, risks }
}

/** npm in a project, for the time of a transaction. */
export function projectNpm({ configDir, settings }: Project, onChild?: (pid: number) => Promise<void>): Npm {
  return createNpm({ folder: configDir, env: settings.env, ...(onChild ? { onChild } : {}) })
}

/** The grants to write into the config for what a plugin asks: only those that are not the default. */
export function grantsFor(asked: Capabilities, native: boolean): EntryConfig['capabilities'] {
  const { hosts, env, fs, credentials } = asked
  const grants = {
    ...(hosts.length > 0 ? { hosts } : {}),
    ...(env.length > 0 ? { env } : {}),
    ...(fs.read.length > 0 || fs.write.length > 0
      ? { fs: { ...(fs.read.length > 0 ? { read: fs.read } : {}), ...(fs.write.length > 0 ? { write: fs.write } : {}) } }
      : {}),
    ...(credentials === noCapabilities.credentials ? {} : { credentials }),
    ...(native || asked.native ? { native: true } : {}),
  }
  return Object.keys(grants).length > 0 ? grants : undefined
}

/** What package.json of the project depends on. */
export async function dependencies(configDir: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(path.join(configDir, 'package.json'), 'utf8').catch(() => '{}')
  const manifest: unknown = JSON.parse(text)
  const listed = isObject(manifest) ? manifest['dependencies'] : undefined
  return isObject(listed) ? Object.fromEntries(Object.entries(listed).map(([name, value]) => [name, String(value)])) : {}
}
