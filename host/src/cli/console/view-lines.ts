import type { ViewChange } from '../../server/catalog/operator/view-changes.ts'
import { plain, type Paint } from './paint.ts'

/** Above this many, changes are counted and not named. */
const MOST = 8

const SIGNS = { added: '+', removed: '-', changed: '~' } as const
const COLOURS = { added: 'green', removed: 'red', changed: 'yellow' } as const

/** What clients are listed otherwise, a line each: `~ github_issues_get  description, labels`. */
export function viewLines(changes: readonly ViewChange[], paint: Paint): readonly string[] {
  const lines = changes.slice(0, MOST).map(({ kind, name, change, fields = [] }) => {
    const sign = paint(COLOURS[change], SIGNS[change])
    const where = fields.map(({ field }) => field.replace(/^inputSchema\.(?:properties\.)?/, '')).join(', ')
    return [
      `  ${sign} ${plain(name)}`,
      ...(kind === 'tool' ? [] : [paint('gray', kind)]),
      ...(where === '' ? [] : [paint('gray', plain(where))]),
    ].join('  ')
  })
  return changes.length > MOST ? [...lines, paint('gray', `  … and ${changes.length - MOST} more for clients`)] : lines
}
