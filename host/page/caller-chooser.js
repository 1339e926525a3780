import { get } from './api.js'
import { fill, h } from './dom.js'
/** @import { KnownCaller, NamedCaller } from './types.d.ts' */

/**
 * Whose sight the page shows: the operator, a caller that the config knows, or any other in the operator's words.
 * @param {HTMLElement} place
 * @param {(caller: NamedCaller | null) => void} onChange
 */
export function createCallerChooser(place, onChange) {
  /** @type {readonly KnownCaller[]} */
  let known = [{ label: 'Operator', as: null }]
  const select = h('select', { id: 'see-as' })
  const words = h('textarea', { rows: 4, class: 'code', id: 'other-caller', spellcheck: 'false' })
  words.value = JSON.stringify({ tenant: 'acme', permissions: ['issues:read'], toolsets: ['triage'], readOnly: true }, null, 2)
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true })
  const other = h(
    'form',
    { class: 'other', hidden: true, 'aria-label': 'Another caller' },
    h('label', { for: 'other-caller' }, 'A caller, as explain --as takes it. Leave out what it does not have.'),
    words,
    problem,
    h('button', { type: 'submit', class: 'primary small' }, 'See as this caller'),
  )
  const options = () =>
    fill(
      select,
      known.map(({ label }, index) => h('option', { value: index }, label)),
      h('option', { value: 'other' }, 'Another caller …'),
    )
  select.addEventListener('change', () => {
    other.hidden = select.value !== 'other'
    if (select.value === 'other') words.focus()
    else onChange(known[Number(select.value)]?.as ?? null)
  })
  other.addEventListener('submit', (event) => {
    event.preventDefault()
    try {
      onChange(JSON.parse(words.value))
      problem.hidden = true
    } catch (error) {
      problem.textContent = `That is not JSON: ${error instanceof Error ? error.message : String(error)}`
      problem.hidden = false
    }
  })
  options()
  fill(place, h('label', { for: 'see-as' }, 'See as'), select, other)
  return {
    /** Reads again which callers there are. */
    async refresh() {
      const { callers } = await get('/admin/callers')
      if (JSON.stringify(callers) === JSON.stringify(known)) return
      const before = select.value
      known = callers
      options()
      select.value = before
    },
  }
}
