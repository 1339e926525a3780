import { codeFrame, fieldChanges } from './changes.js'
import { byId, count, duration, fill, h, visible } from './dom.js'
/** @import { FeedEvent } from './types.d.ts' */

const MOST_ENTRIES = 200

/** The live feed: what was saved, reloaded and called, the newest first. */
export function createFeed() {
  const list = h('ol', { class: 'entries' })
  const empty = h('p', { class: 'empty' }, 'Nothing happened yet. Save a file of a plugin, or call a tool.')
  const calls = h('input', { type: 'checkbox', id: 'feed-calls', checked: true })
  const clear = h('button', { type: 'button', class: 'quiet small' }, 'Clear')
  /** Entries that a later event completes, by plugin and generation. @type {Map<string, HTMLElement>} */
  const draining = new Map()
  /** What clients see since the last generation: the reload that caused it is told after it, and shown with it. @type {{ generation: number, surface: HTMLElement, entry: HTMLElement } | undefined} */
  let unexplained

  calls.addEventListener('change', () => list.classList.toggle('no-calls', !calls.checked))
  clear.addEventListener('click', () => {
    fill(list)
    draining.clear()
    empty.hidden = false
  })
  fill(
    byId('feed'),
    h(
      'div',
      { class: 'row' },
      h('h2', { id: 'feed-title' }, 'Live'),
      h('span', { class: 'option' }, calls, h('label', { for: 'feed-calls' }, 'calls')),
      clear,
    ),
    empty,
    list,
  )

  return {
    /** @param {FeedEvent} event */
    add(event) {
      if (event.type === 'drained') return complete(event)
      const entry = entryOf(event)
      if (!entry) return
      if (event.type === 'generation') {
        const surface = entry.querySelector('.surface')
        unexplained = surface instanceof HTMLElement ? { generation: event.generation, surface, entry } : undefined
      }
      if (event.type === 'reload' && unexplained?.generation === event.generation && event.outcome !== 'kept') {
        entry.lastElementChild?.append(unexplained.surface)
        unexplained.entry.remove()
        unexplained = undefined
      }
      if (event.type === 'reload' && event.callsFinishing > 0) draining.set(`${event.plugin} ${event.previous}`, entry)
      empty.hidden = true
      list.prepend(entry)
      while (list.childElementCount > MOST_ENTRIES) list.lastElementChild?.remove()
    },
  }

  /** @param {FeedEvent & { type: 'drained' }} event */
  function complete({ plugin, generation, finished, cancelled }) {
    const key = `${plugin} ${generation}`
    const entry = draining.get(key)
    draining.delete(key)
    entry
      ?.querySelector('.finishing')
      ?.replaceChildren(`${count(finished, 'call')} finished on ${generation} · ${cancelled} lost`)
  }
}

/**
 * @param {FeedEvent} event
 * @returns {HTMLElement | undefined}
 */
function entryOf(event) {
  switch (event.type) {
    case 'call':
      return callEntry(event)
    case 'reload':
      return reloadEntry(event)
    case 'generation':
      return event.changes.length === 0 ? undefined : generationEntry(event)
    case 'config':
      return item(event, event.taken ? 'note' : 'bad', [
        h('p', { class: 'line' }, event.taken ? 'Config taken over' : 'The config was not taken over, the one before goes on'),
        event.message !== '' && h('pre', { class: 'text' }, visible(event.message)),
        event.restartNeeded.map((setting) =>
          h('p', {}, `${setting} differs from what the host was started with: restart to use it`),
        ),
      ])
    case 'types':
      return typesEntry(event)
    default:
      return undefined
  }
}

/**
 * @param {FeedEvent} event
 * @param {string} tone
 * @param {import('./dom.js').Child} children
 */
function item({ at, type }, tone, children) {
  const when = new Date(at)
  return h(
    'li',
    { class: `entry ${tone} of-${type}` },
    h('time', { datetime: when.toISOString() }, when.toLocaleTimeString('en-GB')),
    h('div', {}, children),
  )
}

/** @param {FeedEvent & { type: 'call' }} event */
function callEntry(event) {
  const { name, caller, outcome, reason, ms } = event
  const tone =
    outcome === 'ok'
      ? 'good'
      : outcome === 'asking'
        ? ''
        : outcome === 'denied' || outcome === 'cancelled' || outcome === 'refused'
          ? 'warn'
          : 'bad'
  return item(event, 'call', [
    h(
      'p',
      { class: 'line' },
      h('span', { class: 'name' }, visible(name)),
      h('span', { class: `outcome ${tone}` }, reason ? `${outcome}: ${reason}` : outcome),
      h('span', { class: 'faint ms' }, duration(ms)),
    ),
    h(
      'p',
      { class: 'faint' },
      visible(caller.kind === 'local' ? 'operator' : caller.id),
      caller.tenant ? ` of ${visible(caller.tenant)}` : '',
    ),
  ])
}

/** @param {FeedEvent & { type: 'reload' }} event */
function reloadEntry(event) {
  const { plugin, outcome, generation, previous, ms, changes, state, reason, recovered, callsFinishing } = event
  if (outcome === 'kept' || (reason && state !== 'active'))
    return item(event, 'bad', [
      h(
        'p',
        { class: 'line' },
        h('span', { class: 'name' }, visible(plugin)),
        outcome === 'kept' ? `was not reloaded; generation ${previous} goes on` : `is ${state}`,
      ),
      reason && h('p', {}, visible(reason.message)),
      reason?.frame && codeFrame(reason.frame),
    ])
  const words = { added: 'added', replaced: 'reloaded', removed: 'removed', kept: '' }[outcome]
  return item(event, 'reload', [
    h(
      'p',
      { class: 'line' },
      h('span', { class: 'name' }, visible(plugin)),
      `${words}${recovered ? ', recovered' : ''}`,
      h('span', { class: 'faint ms' }, outcome === 'removed' ? '' : duration(ms)),
    ),
    h(
      'p',
      { class: 'faint' },
      `generation ${generation} · +${changes.added} ~${changes.changed} -${changes.removed}`,
      callsFinishing > 0 && [
        ' · ',
        h('span', { class: 'finishing' }, `${count(callsFinishing, 'call')} finishing on ${previous}`),
      ],
    ),
  ])
}

const SIGNS = { added: '+', removed: '−', changed: '~' }

/** @param {FeedEvent & { type: 'generation' }} event */
function generationEntry(event) {
  const { changes, more, generation } = event
  return item(event, 'surface', [
    h('p', { class: 'line' }, h('span', {}, `Clients see generation ${generation}`)),
    h(
      'ul',
      { class: 'surface' },
      changes.map(({ kind, name, change, fields }) => {
        const label = [
          h('span', { class: `sign ${change}` }, SIGNS[change]),
          h('span', { class: 'visually-hidden' }, `${change}: `),
          h('code', {}, visible(name)),
          kind === 'tool' ? '' : ` ${kind}`,
        ]
        return h(
          'li',
          {},
          fields && fields.length > 0
            ? h(
                'details',
                {},
                h(
                  'summary',
                  {},
                  label,
                  h(
                    'span',
                    { class: 'faint' },
                    ` ${fields
                      .map(({ field }) => field.replace(/^inputSchema\.(?:properties\.)?/, ''))
                      .slice(0, 3)
                      .join(', ')}${fields.length > 3 ? ' …' : ''}`,
                  ),
                ),
                fieldChanges(fields),
              )
            : label,
        )
      }),
    ),
    more > 0 && h('p', { class: 'faint' }, `and ${more} more`),
  ])
}

/** @param {FeedEvent & { type: 'types' }} event */
function typesEntry(event) {
  const { errors, elsewhere } = event
  if (errors.length === 0 && elsewhere === 0) return item(event, 'good', [h('p', { class: 'line' }, 'Types are right again')])
  return item(event, 'warn', [
    h('p', { class: 'line' }, count(errors.length + elsewhere, 'type error')),
    h(
      'ul',
      { class: 'surface' },
      errors.map(({ file, line, column, code, message }) =>
        h(
          'li',
          {},
          h('code', {}, visible(`${file}:${line}:${column}`)),
          ` ${visible(message)} `,
          h('span', { class: 'faint' }, code),
        ),
      ),
    ),
    elsewhere > 0 && h('p', { class: 'faint' }, `${elsewhere} of them in other files`),
  ])
}
