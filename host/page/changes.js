import { h, visible } from './dom.js'
/** @import { JsonChange } from './types.d.ts' */

/**
 * Where a definition differs, before and after.
 * @param {readonly JsonChange[]} fields
 */
export function fieldChanges(fields) {
  return h(
    'dl',
    { class: 'changes' },
    fields.map(({ field, before, after }) => [
      h('dt', {}, h('code', {}, visible(field))),
      before !== undefined && h('dd', { class: 'before' }, h('span', { class: 'visually-hidden' }, 'before: '), shown(before)),
      after !== undefined && h('dd', { class: 'after' }, h('span', { class: 'visually-hidden' }, 'after: '), shown(after)),
    ]),
  )
}

/** @param {unknown} value */
function shown(value) {
  return visible(typeof value === 'string' ? value : JSON.stringify(value))
}

/**
 * The lines around a fault, with the marked one told apart.
 * @param {string} frame
 */
export function codeFrame(frame) {
  const pre = h('pre', { class: 'frame', tabindex: '0', role: 'group', 'aria-label': 'Code around the fault' })
  const lines = frame.split('\n')
  // A last line without code is only its number.
  if (/^\s*\d*\s*\|?\s*$/.test(lines.at(-1) ?? '')) lines.pop()
  for (const line of lines) pre.append(h('span', { class: /^>|^\s*\|/.test(line) ? 'fault' : '' }, `${visible(line)}\n`))
  return pre
}
