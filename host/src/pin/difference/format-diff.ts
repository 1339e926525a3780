import type { JsonValue } from '../../data/json.ts'
import { canonicalJson } from '../../data/canonical-json.ts'
import type { LockedDocument } from '../lock/lock.ts'
import type { Difference } from './compare.ts'
import type { JsonChange } from './json-changes.ts'
import type { TreeChange } from './tree-changes.ts'

/**
 * The differences of the plugin `name` as text for a person who has to approve them: whole values, nothing cut, and every character
 * that a terminal would hide or obey written as `\u{…}`. '' when there are none.
 */
export function formatDiff(name: string, differences: readonly Difference[]): string {
  return differences.length === 0 ? '' : [name, ...differences.flatMap(lines).map((line) => `  ${line}`), ''].join('\n')
}

/** `text` with invisible, control and direction-changing characters written as `\u{…}`. A line break counts as one. */
export function showInvisible(text: string): string {
  return text.replace(/[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu, (character) =>
    character === ' ' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

function lines(difference: Difference): string[] {
  switch (difference.kind) {
    case 'use':
    case 'version':
    case 'integrity':
    case 'apiVersion':
      return [`~ ${difference.kind}: ${shown(difference.locked)} -> ${shown(difference.observed)}`]
    case 'tree':
      return [`~ tree: ${difference.locked} -> ${difference.observed}`, ...(difference.files ?? []).map(fileLine)]
    case 'server':
      return [`~ ${difference.key}: ${shown(difference.locked)} -> ${shown(difference.observed)}`]
    case 'document':
      return [`~ document: ${shownDocument(difference.locked)} -> ${shownDocument(difference.observed)}`]
    case 'capability':
      return [
        `${difference.change === 'broadened' ? '+ may now' : '- no longer'} ${difference.capability}: ${showInvisible(difference.value)}`,
      ]
    case 'tool':
      return [
        `${{ added: '+', removed: '-', changed: '~' }[difference.change]} tool ${showInvisible(difference.tool)}`,
        ...fieldLines(difference),
      ]
    case 'access':
      return [`~ tool ${showInvisible(difference.tool)}: access ${difference.locked} -> ${difference.observed}`]
    default:
      return ['~ resources or prompts']
  }
}

function fieldLines(difference: Difference & { kind: 'tool' }): string[] {
  return (difference.fields ?? []).flatMap(({ field, before, after }: JsonChange) => [
    `    ${showInvisible(field)}`,
    ...(before === undefined ? [] : [`      - ${shownJson(before)}`]),
    ...(after === undefined ? [] : [`      + ${shownJson(after)}`]),
  ])
}

function fileLine({ change, package: of, path }: TreeChange): string {
  const sign = { added: '+', removed: '-', changed: '~', mode: '~' }[change]
  return `    ${sign} ${showInvisible(of === '' ? path : `${of}/${path}`)}${change === 'mode' ? ' (mode)' : ''}`
}

function shownDocument(document: LockedDocument | undefined): string {
  return document === undefined ? 'none' : `${showInvisible(document.from)} ${document.digest ?? '(not a file that can be read)'}`
}

function shown(value: string | number | undefined): string {
  return value === undefined ? 'none' : showInvisible(String(value))
}

function shownJson(value: JsonValue): string {
  return showInvisible(canonicalJson(value))
}
