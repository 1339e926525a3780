import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { loadConfig } from '../config/file/load-config.ts'
import type { EntryConfig, HostConfig } from '../config/schema/schema.ts'
import { replaceFile } from '../data/replace-file.ts'
import { hostError } from '../errors.ts'
import { appendTo, arraysOf, removeFrom } from './array-source.ts'
import type { Project } from './open-project.ts'

/** What the `plugins` of a config are to be. */
export type PluginsEdit =
  | { readonly kind: 'add'; readonly entry: EntryConfig }
  | { readonly kind: 'remove'; readonly index: number }
  | { readonly kind: 'replace'; readonly index: number; readonly entry: EntryConfig }

/**
 * Where an edited config is read before it takes the place of the real one: beside it, for its imports. A transaction has to know of it,
 * since a kill may leave it behind.
 */
export function draftOf(config: string): string {
  const { dir, name, ext } = path.parse(config)
  return path.join(dir, `.${name}.draft${ext}`)
}

/**
 * Edits the config as a person would, in its text, and proves the edit by reading it: the new text must give exactly the old config with
 * the edited `plugins`. Throws `INSTALL_CONFIG` with the line to write by hand where that cannot be had; the file is as before then.
 */
export async function editPlugins(project: Project, edit: PluginsEdit): Promise<void> {
  const { file, given } = project.settings
  const text = await readFile(file, 'utf8')
  const wanted: HostConfig = { ...given, plugins: edited(given.plugins ?? [], edit) }
  const draft = draftOf(file)
  try {
    for (const candidate of candidates(text, file, edit)) {
      await writeFile(draft, candidate)
      if (isDeepStrictEqual(await readDraft(draft, project), plain(wanted)))
        return await replaceFile(file, candidate, { what: 'config' })
    }
  } finally {
    await rm(draft, { force: true })
  }
  throw hostError('INSTALL_CONFIG', { file, line: byHand(edit, file) })
}

/** Texts that may be the edited config, likeliest first. */
function* candidates(text: string, file: string, edit: PluginsEdit): Generator<string> {
  if (/\.ya?ml$/.test(file)) return yield* yamlCandidates(text, edit)
  const json = file.endsWith('.json')
  for (const array of arraysOf(text, 'plugins')) {
    if (edit.kind === 'add') yield appendTo(text, array, literal(edit.entry, json))
    else if (edit.kind === 'remove') yield removeFrom(text, array, edit.index)
    else {
      const element = array.elements[edit.index]
      if (!element) continue
      const put = (written: string) => text.slice(0, element.start) + written + text.slice(element.end)
      // Mostly only the version is another one: what else is written there, comments too, stays.
      if (edit.entry.version !== undefined) yield put(withVersion(text.slice(element.start, element.end), edit.entry.version))
      yield put(literal(edit.entry, json))
    }
  }
  if (edit.kind !== 'add') return
  const key = json ? '"plugins"' : 'plugins'
  // A config that has no plugins yet: at the beginning of its object.
  for (const { 0: opening, index } of text.matchAll(/(?:defineConfig\(\s*\{|export default \{|^\s*\{)/g)) {
    const at = index + opening.length
    const rest = text.slice(at)
    const list = `${key}: [${literal(edit.entry, json)}]`
    // As the object is written: on lines of its own, or beside what is there.
    if (/^\s*\}/.test(rest)) yield `${text.slice(0, at)}\n  ${list}${json ? '' : ','}\n${rest.trimStart()}`
    else yield `${text.slice(0, at)}${/^\s*\n/.test(rest) ? '\n  ' : ' '}${list},${rest}`
  }
}

function withVersion(element: string, version: string): string {
  return element.replace(
    /(\bversion["']?\s*:\s*)(["'])[^"'\n]*\2/,
    (_, key: string, quote: string) => key + quote + version + quote,
  )
}

/** A line of JSON is YAML too. */
function* yamlCandidates(text: string, edit: PluginsEdit): Generator<string> {
  const list = /^plugins:[ \t]*(?:#[^\n]*)?\n((?:[ \t]*(?:#[^\n]*)?\n|[ \t]*-[ \t][^\n]*\n|[ \t]+[^\n]*\n)*)/m.exec(
    text.replace(/\n?$/, '\n'),
  )
  if (edit.kind === 'add') {
    const item = literal(edit.entry, true)
    const [whole, items = ''] = list ?? []
    const indent = /^[ \t]*(?=-)/m.exec(items)?.[0] ?? '  '
    const all = text.replace(/\n?$/, '\n')
    if (whole !== undefined) yield all.replace(whole, () => `${whole.replace(/\s*$/, '\n')}${indent}- ${item}\n`)
    yield text.replace(/^plugins:[ \t]*\[[ \t]*\]/m, () => `plugins:\n  - ${item}`)
    yield `${all}plugins:\n  - ${item}\n`
    return
  }
  const [whole, items] = list ?? []
  if (whole === undefined || items === undefined) return
  const indent = /^[ \t]*(?=-)/m.exec(items)?.[0] ?? ''
  const parts = items.split(new RegExp(`^(?=${indent}-[ \\t])`, 'm'))
  const offset = parts[0]?.startsWith(`${indent}-`) ? 0 : 1
  const place = edit.index + offset
  const part = parts[place]
  if (part === undefined) return
  const next = edit.kind === 'remove' ? '' : `${indent}- ${literal(edit.entry, true)}\n`
  const changed = [...parts.slice(0, place), next, ...parts.slice(place + 1)].join('')
  yield text.replace(whole, () => whole.replace(items, () => changed))
  if (changed.trim() === '') yield text.replace(whole, () => 'plugins: []\n')
}

function edited(plugins: NonNullable<HostConfig['plugins']>, edit: PluginsEdit): NonNullable<HostConfig['plugins']> {
  if (edit.kind === 'add') return [...plugins, edit.entry]
  if (edit.kind === 'remove') return plugins.toSpliced(edit.index, 1)
  return plugins.toSpliced(edit.index, 1, edit.entry)
}

/** The config a draft gives, or undefined when it gives none. */
async function readDraft(draft: string, { log, settings }: Project): Promise<unknown> {
  try {
    const { config } = await loadConfig({ cwd: path.dirname(draft), file: draft, env: settings.env, log })
    return plain(config)
  } catch {
    return undefined
  }
}

/** Without what JSON does not have, such as keys whose value is undefined. */
function plain(config: HostConfig): unknown {
  return JSON.parse(JSON.stringify(config)) as unknown
}

function byHand(edit: PluginsEdit, file: string): string {
  const json = !/\.[cm]?[jt]s$/.test(file)
  if (edit.kind === 'add') return `Add to plugins: ${literal(edit.entry, json)}`
  if (edit.kind === 'remove') return `Remove plugins[${edit.index}]`
  return `Write as plugins[${edit.index}]: ${literal(edit.entry, json)}`
}

/** The value as our configs are written: single quotes and bare keys, or JSON. */
export function literal(value: unknown, json: boolean): string {
  if (typeof value === 'string' && !json)
    return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, json)).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).flatMap(([key, item]: [string, unknown]) =>
    item === undefined ? [] : [`${json || !/^[A-Za-z_$][\w$]*$/.test(key) ? JSON.stringify(key) : key}: ${literal(item, json)}`],
  )
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}
