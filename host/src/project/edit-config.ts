import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { loadConfig } from '../config/file/load-config.ts'
import { writtenIn } from '../config/source/written-in.ts'
import type { WrittenValue } from '../config/source/written.ts'
import type { EntryConfig, HostConfig } from '../config/schema/schema.ts'
import { replaceFile } from '../data/replace-file.ts'
import { hostError } from '../errors.ts'
import { appendTo, arraySource, removeFrom, type ArraySource } from './array-source.ts'
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
  const { root, members } = writtenIn(file, text)
  const yaml = /\.ya?ml$/.test(file)
  const json = yaml || file.endsWith('.json')
  // Its own list first; then any of that name, which may be the one that is merged into the config.
  const own = root?.members?.get('plugins')
  const lists = new Set([own, ...members.filter(({ name }) => name === 'plugins')].map((member) => member?.value))
  for (const list of lists) {
    const array = list && arraySource(text, list)
    if (list?.dashes) yield* editedBlock(text, list, edit)
    else if (yaml && edit.kind === 'add' && list?.items?.length === 0)
      yield `${text.slice(0, list.start).trimEnd()}\n  - ${literal(edit.entry, true)}${text.slice(list.end)}`
    else if (array) yield* editedArray(text, array, edit, json)
  }
  if (edit.kind !== 'add' || own?.value?.items) return
  const entry = literal(edit.entry, json)
  if (yaml) return yield `${text.replace(/\n?$/, '\n')}plugins:\n  - ${entry}\n`.trimStart()
  if (root?.members) yield withMember(text, root.start + 1, `${json ? '"plugins"' : 'plugins'}: [${entry}]`, json)
}

function* editedArray(text: string, array: ArraySource, edit: PluginsEdit, json: boolean): Generator<string> {
  if (edit.kind === 'add') return yield appendTo(text, array, literal(edit.entry, json))
  if (edit.kind === 'remove') return yield removeFrom(text, array, edit.index)
  const element = array.elements[edit.index]
  if (!element) return
  const put = (written: string) => text.slice(0, element.start) + written + text.slice(element.end)
  // Mostly only the version is another one: what else is written there, comments too, stays.
  if (edit.entry.version !== undefined) yield put(withVersion(text.slice(element.start, element.end), edit.entry.version))
  yield put(literal(edit.entry, json))
}

/** With a member at the beginning of the object whose brace is before `at`, laid out as the object is. */
function withMember(text: string, at: number, member: string, json: boolean): string {
  const rest = text.slice(at)
  if (/^\s*\}/.test(rest)) return `${text.slice(0, at)}\n  ${member}${json ? '' : ','}\n${rest.trimStart()}`
  return `${text.slice(0, at)}${/^\s*\n/.test(rest) ? '\n  ' : ' '}${member},${rest}`
}

/** A list of YAML with a dash before each item. A line of JSON is YAML too. */
function* editedBlock(text: string, { start, end, items = [], dashes = [] }: WrittenValue, edit: PluginsEdit): Generator<string> {
  const lineStart = (offset: number) => text.lastIndexOf('\n', offset - 1) + 1
  const indent = text.slice(lineStart(start), start)
  /** Where the line begins that follows the one in which something ends. */
  const behind = (offset: number) => {
    if (offset > 0 && text[offset - 1] === '\n') return offset
    const next = text.indexOf('\n', offset)
    return next < 0 ? text.length : next + 1
  }
  if (edit.kind === 'add') {
    const at = behind(items.at(-1)?.end ?? end)
    return yield `${text.slice(0, at).replace(/\n?$/, '\n')}${indent}- ${literal(edit.entry, true)}\n${text.slice(at)}`
  }
  const [dash, item, next] = [dashes[edit.index], items[edit.index], dashes[edit.index + 1]]
  if (dash === undefined || !item) return
  const put = (written: string) =>
    text.slice(0, lineStart(dash)) + written + text.slice(next === undefined ? behind(item.end) : lineStart(next))
  if (edit.kind === 'replace') {
    const { version } = edit.entry
    if (version !== undefined) yield put(withVersion(text.slice(lineStart(dash), behind(item.end)), version))
    return yield put(`${indent}- ${literal(edit.entry, true)}\n`)
  }
  yield put('')
  if (items.length === 1) yield put('').replace(/^(plugins:)[ \t]*$/m, '$1 []')
}

function withVersion(element: string, version: string): string {
  return element.replace(
    /(\bversion["']?\s*:\s*)(["']?)[\w.+-]+\2/,
    (_, key: string, quote: string) => key + quote + version + quote,
  )
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
