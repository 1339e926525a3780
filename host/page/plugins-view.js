import { get, post } from './api.js'
import { codeFrame } from './changes.js'
import { announce, count, errorBox, fill, h, visible } from './dom.js'
/** @import { HostListing, PluginListing, Reason, Status } from './types.d.ts' */

/**
 * Every plugin with its state and the reason for it.
 * @param {{ listing: HostListing, status: Status, as: string, refresh: () => Promise<void> }} state
 */
export function pluginsView({ listing, status, as, refresh }) {
  const { plugins, warnings, ignored, lockProblem } = listing
  const outcome = h('div', {})
  const reload = (/** @type {object} */ body, /** @type {string} */ said) => async (/** @type {Event} */ event) => {
    const button = /** @type {HTMLButtonElement} */ (event.currentTarget)
    button.disabled = true
    try {
      await post('/admin/reload', body)
      announce(said)
      fill(outcome)
      await refresh()
    } catch (error) {
      fill(outcome, errorBox(error))
    } finally {
      button.disabled = false
    }
  }
  return h(
    'div',
    { class: 'view' },
    h(
      'div',
      { class: 'row' },
      h('h2', {}, 'Plugins'),
      status.config !== null &&
        h(
          'button',
          { type: 'button', class: 'quiet', onclick: reload({}, 'The config was read again') },
          'Read the config again',
        ),
    ),
    outcome,
    warnings.length > 0 &&
      h(
        'div',
        { class: 'box warn' },
        h('p', { class: 'box-title' }, 'The config probably does not mean this'),
        h(
          'ul',
          {},
          warnings.map((line) => h('li', {}, visible(line))),
        ),
      ),
    lockProblem && h('section', {}, h('h3', {}, 'The lock is not used'), reasonView(lockProblem, 'warn')),
    plugins.length === 0 &&
      h(
        'p',
        { class: 'empty' },
        'No plugins. Put one into a folder of pluginDirs, or add an entry to plugins: npx mcp-patchbay create-plugin',
      ),
    h(
      'ul',
      { class: 'cards' },
      plugins.map((plugin) => card(plugin, { as, reload })),
    ),
    ignored.length > 0 &&
      h(
        'section',
        {},
        h('h3', {}, 'Not served'),
        ignored.map((reason) => reasonView(reason, 'warn')),
      ),
  )
}

/** @type {Readonly<Record<string, string>>} */
const RUNS = {
  inline: 'in the host (trusted)',
  process: 'in a process of its own',
  unconfined: 'unconfined, as the user of the host',
  remote: 'elsewhere',
}

/**
 * @param {PluginListing} plugin
 * @param {{ as: string, reload: (body: object, said: string) => (event: Event) => Promise<void> }} actions
 */
function card({ name, use, version, isolation, rights, state, pinned, reason, reloadError, tools, warnings }, { as, reload }) {
  const shown = tools.filter((tool) => tool.visible)
  const tokens = shown.reduce((sum, tool) => sum + tool.tokens, 0)
  const facts = [
    ['Source', use],
    ...(version === null ? [] : [['Version', version]]),
    ['Runs', RUNS[isolation] ?? isolation],
    ...(rights.length === 0 ? [] : [['It can use', rights.join(', ')]]),
    ['Lock', pinned],
    [
      as === '' ? 'Tools shown' : 'Tools this caller sees',
      `${shown.length} of ${tools.length}, about ${tokens.toLocaleString('en')} tokens`,
    ],
  ]
  return h(
    'li',
    { class: 'card' },
    h(
      'div',
      { class: 'row' },
      h('h3', {}, visible(name)),
      h(
        'span',
        { class: `pill ${state === 'active' ? 'good' : state === 'failed' || state === 'quarantined' ? 'bad' : 'warn'}` },
        state,
      ),
      h(
        'button',
        {
          type: 'button',
          class: 'quiet small',
          'aria-label': `Build again: ${name}`,
          onclick: reload({ plugin: name }, `${name} was built again`),
        },
        'Build again',
      ),
    ),
    h(
      'dl',
      { class: 'facts' },
      facts.map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, visible(value ?? '')))),
    ),
    reason && reasonView(reason, state === 'failed' ? 'bad' : 'warn'),
    reloadError &&
      h('div', {}, h('p', {}, 'The newest edit does not load; the version before it serves:'), reasonView(reloadError, 'bad')),
    warnings.length > 0 &&
      h(
        'ul',
        { class: 'box warn' },
        warnings.map((warning) =>
          h(
            'li',
            {},
            h('code', {}, visible(warning.name)),
            ` ${visible(warning.problem)}. `,
            h('span', { class: 'faint' }, visible(warning.fix)),
          ),
        ),
      ),
    tools.length > 0 &&
      h(
        'details',
        {},
        h('summary', {}, count(tools.length, 'tool')),
        h(
          'ul',
          { class: 'names' },
          tools.map((tool) =>
            h('li', { class: tool.visible ? '' : 'hidden-tool' }, h('a', { href: `#/tools/${tool.name}` }, visible(tool.name))),
          ),
        ),
      ),
  )
}

/**
 * What is wrong, where, and what to do.
 * @param {Reason} reason
 * @param {'bad' | 'warn'} tone
 */
export function reasonView({ message, fix, at, frame, code }, tone) {
  return h(
    'div',
    { class: `box ${tone}` },
    h('p', { class: 'box-title' }, visible(message)),
    frame && codeFrame(frame),
    at && !message.includes(at) && h('p', { class: 'faint mono' }, visible(at)),
    fix.length > 0 &&
      h(
        'ul',
        {},
        fix.map((step) => h('li', {}, visible(step))),
      ),
    h('p', { class: 'faint' }, code),
  )
}

/** @param {string} as */
export function loadPlugins(as) {
  return /** @type {Promise<HostListing>} */ (get(`/admin/plugins${as}`))
}
