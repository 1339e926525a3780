import { get, post } from './api.js'
import { fieldChanges } from './changes.js'
import { announce, count, errorBox, fill, h, visible } from './dom.js'
/** @import { Difference, LockChange, LockState, Status } from './types.d.ts' */

/**
 * What is not what mcp.lock.json says, with a button that approves it.
 * @param {{ status: Status }} state
 */
export function lockView({ status }) {
  const body = h('div', { 'aria-live': 'polite' })
  const again = h('button', { type: 'button', class: 'quiet' }, 'Compare again')
  const compare = async () => {
    again.disabled = true
    fill(body, h('p', { class: 'waiting' }, 'Comparing every plugin with the lock…'))
    body.setAttribute('aria-busy', 'true')
    try {
      fill(body, stateView(await get('/admin/lock'), compare))
    } catch (error) {
      fill(body, errorBox(error))
    } finally {
      again.disabled = false
      body.removeAttribute('aria-busy')
    }
  }
  again.addEventListener('click', () => void compare())
  const element = h(
    'div',
    { class: 'view' },
    h('div', { class: 'row' }, h('h2', {}, 'Lock'), again),
    h(
      'p',
      { class: 'faint' },
      `mcp.lock.json, deployment ${status.deployment}. ${status.frozen ? 'It is frozen: only what is pinned runs.' : 'It is not frozen: edits of plugins in this project run at once.'}`,
    ),
    body,
  )
  return { element, compare }
}

/**
 * @param {LockState} state
 * @param {() => Promise<void>} compare
 */
function stateView({ changes, failed }, compare) {
  if (changes.length === 0 && failed.length === 0) return h('p', { class: 'box good' }, 'Everything is what mcp.lock.json says.')
  const unpinned = changes.filter(({ change }) => change === 'added')
  return h(
    'div',
    { class: 'stack' },
    unpinned.length > 1 &&
      unpinned.length === changes.length &&
      h('p', { class: 'box' }, 'Nothing is pinned yet. To pin every plugin at once: ', h('code', {}, 'npx mcp-patchbay lock')),
    failed.map(({ plugin, problem }) =>
      h(
        'div',
        { class: 'box bad' },
        h('p', { class: 'box-title' }, `${visible(plugin)} cannot be inspected`),
        h('pre', { class: 'text' }, visible(problem)),
      ),
    ),
    h(
      'ul',
      { class: 'cards' },
      changes.map((change) => changeCard(change, compare)),
    ),
  )
}

/**
 * @param {LockChange} change
 * @param {() => Promise<void>} compare
 */
function changeCard({ name, change, differences, digest, plugin }, compare) {
  const outcome = h('div', {})
  const approve = h('button', { type: 'button', class: 'primary' }, `Approve ${name}`)
  const confirm = h('div', { class: 'row actions', hidden: true })
  const yes = h('button', { type: 'button', class: 'primary' }, 'Yes, pin it as shown')
  const no = h('button', { type: 'button', class: 'quiet' }, 'No')
  fill(confirm, h('span', {}, 'This writes mcp.lock.json.'), yes, no)
  const ask = (/** @type {boolean} */ isAsked) => {
    confirm.hidden = !isAsked
    approve.hidden = isAsked
    ;(isAsked ? yes : approve).focus()
  }
  approve.addEventListener('click', () => ask(true))
  no.addEventListener('click', () => ask(false))
  const pin = async () => {
    yes.disabled = true
    try {
      await post('/admin/lock/approvals', { target: name, seen: digest })
      announce(`${name} was approved`)
      await compare()
    } catch (error) {
      fill(outcome, errorBox(error))
      yes.disabled = false
      ask(false)
    }
  }
  yes.addEventListener('click', () => void pin())
  return h(
    'li',
    { class: 'card' },
    h(
      'div',
      { class: 'row' },
      h('h3', {}, visible(name)),
      h(
        'span',
        { class: `pill ${change === 'changed' ? 'warn' : ''}` },
        { added: 'not pinned', changed: 'differs', removed: 'gone' }[change],
      ),
    ),
    change === 'removed' &&
      h('p', {}, 'The config does not have it any more. ', h('code', {}, 'npx mcp-patchbay lock'), ' takes it out.'),
    change === 'added' && plugin && wholeView(plugin),
    differences.length > 0 && h('ul', { class: 'differences' }, differences.map(differenceView)),
    digest !== undefined && h('div', { class: 'row actions' }, approve, confirm),
    outcome,
  )
}

/** @param {NonNullable<LockChange['plugin']>} plugin */
function wholeView({ use, version, tree, capabilities: { hosts, env, fs, credentials, native }, tools }) {
  const rights = [
    ...hosts.map((host) => `reach ${host}`),
    ...env.map((name) => `read the variable ${name}`),
    ...fs.read.map((path) => `read ${path}`),
    ...fs.write.map((path) => `write ${path}`),
    ...(credentials === 'raw' ? ['have the secrets themselves'] : []),
    ...(native ? ['run compiled code'] : []),
  ]
  return h(
    'div',
    {},
    h('p', { class: 'mono' }, visible(`${use} ${version ?? ''}`), h('br'), h('span', { class: 'faint' }, tree)),
    h('p', {}, `It may ${rights.length === 0 ? 'reach nothing beyond its own service' : visible(rights.join(', '))}.`),
    h(
      'details',
      {},
      h('summary', {}, count(tools.length, 'tool')),
      h(
        'dl',
        { class: 'facts' },
        tools.map((tool) =>
          h('div', {}, h('dt', {}, `${visible(tool.name)} (${tool.access})`), h('dd', {}, visible(tool.description))),
        ),
      ),
    ),
  )
}

/** @param {Difference} difference */
function differenceView(difference) {
  switch (difference.kind) {
    case 'tree':
      return h(
        'li',
        {},
        'Its files',
        difference.files
          ? h(
              'ul',
              {},
              difference.files.map((file) =>
                h(
                  'li',
                  { class: 'mono' },
                  h('span', { class: `sign ${file.change}` }, { added: '+', removed: '−' }[file.change] ?? '~'),
                  ` ${visible(file.package === '' ? file.path : `${file.package}/${file.path}`)}`,
                ),
              ),
            )
          : h('p', { class: 'faint mono' }, `${difference.locked} → ${difference.observed}`),
      )
    case 'capability':
      return h(
        'li',
        { class: difference.change === 'broadened' ? 'broadened' : '' },
        `${difference.change === 'broadened' ? 'It may now' : 'It no longer may'}: ${difference.capability} `,
        h('code', {}, visible(difference.value)),
      )
    case 'tool':
      return h(
        'li',
        {},
        `Tool `,
        h('code', {}, visible(difference.tool)),
        ` ${difference.change}`,
        difference.fields && fieldChanges(difference.fields),
      )
    case 'access':
      return h('li', {}, 'Tool ', h('code', {}, visible(difference.tool)), ` was ${difference.locked}, is ${difference.observed}`)
    case 'others':
      return h('li', {}, 'Its resources or prompts')
    default:
      return h(
        'li',
        {},
        `Its ${difference.kind}: `,
        h('code', {}, visible(String(difference.locked ?? 'none'))),
        ' → ',
        h('code', {}, visible(String(difference.observed ?? 'none'))),
      )
  }
}
