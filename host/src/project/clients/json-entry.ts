import { writtenInCode } from '../../config/source/written-code.ts'
import type { WrittenMember, WrittenValue } from '../../config/source/written.ts'
import { appendTo } from '../array-source.ts'
import type { Entry } from './mcp-clients.ts'

/** The JSON text, with comments where it has them, with `entry` as `name` of the object `key`. Undefined where no place for it is found. */
export function withJsonEntry(text: string, key: string, name: string, entry: Entry): string | undefined {
  if (text.replace(/^\uFEFF/, '').trim() === '') return `${JSON.stringify({ [key]: { [name]: entry } }, null, 2)}\n`
  const { root } = writtenInCode(text, 'json')
  const line = text.includes('\r\n') ? '\r\n' : '\n'
  const edited = root && edit(text, root, [key, name], entry)
  return edited?.replace(/\r?\n/g, line)
}

function edit(text: string, object: WrittenValue, [key, ...below]: readonly string[], entry: Entry): string | undefined {
  if (key === undefined || !object.members) return undefined
  const member = object.members.get(key)
  if (!member) {
    const value = below.reduceRight<unknown>((inner, name) => ({ [name]: inner }), entry)
    return withMember(text, object, key, value)
  }
  if (!member.value) return undefined
  if (below.length > 0) return edit(text, member.value, below, entry)
  const { start, end } = member.value
  return text.slice(0, start) + laidOut(entry, text, indentAt(text, member.start)) + text.slice(end)
}

function withMember(
  text: string,
  { start, end, members = new Map<string, WrittenMember>() }: WrittenValue,
  key: string,
  value: unknown,
): string | undefined {
  const written = [...members.values()]
  const elements = written.flatMap((member) => (member.value ? [{ start: member.start, end: member.value.end }] : []))
  if (elements.length < written.length) return undefined
  const inside = text.slice(start + 1, end - 1)
  const outer = indentAt(text, start)
  if (elements.length === 0 && inside.trim() === '') {
    const whole = laidOut({ [key]: value }, text, outer)
    return text.slice(0, start) + whole + text.slice(end)
  }
  const first = elements[0]?.start ?? end
  const indent = indentAt(text, first)
  const behind = text.slice(elements.at(-1)?.end ?? start + 1, end - 1)
  const trailingComma = behind.replace(/\/\/[^\n]*|\/\*[^]*?\*\//g, '').includes(',')
  const source = { start: start + 1, end: end - 1, elements, trailingComma }
  const isOneLine = !inside.includes('\n')
  const laid = isOneLine ? JSON.stringify(value) : laidOut(value, text, indent)
  return appendTo(text, source, `${JSON.stringify(key)}: ${laid}`)
}

/** As JSON over several lines, each behind `indent` but the first, which is where the value is put. */
function laidOut(value: unknown, text: string, indent: string): string {
  const [, unit = '  '] = /^[^\S\n]*[{[]?\r?\n?^([ \t]+)"/m.exec(text) ?? []
  return JSON.stringify(value, null, unit).replaceAll('\n', `\n${indent}`)
}

function indentAt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset)
  return /^[ \t]*/.exec(line)?.[0] ?? ''
}
