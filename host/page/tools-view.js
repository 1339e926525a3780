import { get } from './api.js'
import { callPanel } from './call-panel.js'
import { announce, breakable, count, errorBox, fill, h, visible } from './dom.js'
import { jsonBlock } from './result-view.js'
/** @import { NamedCaller, ToolBrief, ToolDetail } from './types.d.ts' */

/** What was typed into the filter: it stays when another view is looked at. */
let typed = ''
let withHidden = true

/** The list of tools with its filter on the left, and one tool whole on the right. */
export function createToolsView() {
  const search = h('input', { type: 'search', id: 'filter', placeholder: 'Filter', autocomplete: 'off', spellcheck: 'false' })
  const hidden = h('input', { type: 'checkbox', id: 'with-hidden' })
  const found = h('p', { class: 'faint', role: 'status', id: 'found' })
  const list = h('ul', { class: 'tools', 'aria-label': 'Tools' })
  const detail = h('section', { class: 'detail', 'aria-label': 'Tool' })
  search.value = typed
  hidden.checked = withHidden
  const element = h(
    'div',
    { class: 'split' },
    h(
      'div',
      { class: 'side' },
      h('h2', { class: 'visually-hidden' }, 'Tools'),
      h(
        'div',
        { class: 'filter' },
        h('label', { for: 'filter', class: 'visually-hidden' }, 'Filter tools'),
        search,
        h('kbd', { title: 'Press / to filter' }, '/'),
      ),
      h(
        'div',
        { class: 'row' },
        found,
        h('span', { class: 'option' }, hidden, h('label', { for: 'with-hidden' }, 'hidden ones')),
      ),
      list,
    ),
    detail,
  )
  /** @type {readonly ToolBrief[]} */
  let tools = []
  let chosen = ''
  /** @type {{ close: () => void } | undefined} */
  let panel
  /** The definition that is shown, so that what did not change is not built again. */
  let shown = ''

  const showList = () => {
    typed = search.value
    withHidden = hidden.checked
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean)
    const fitting = tools.filter(
      (tool) =>
        (withHidden || tool.visible) &&
        words.every((word) =>
          `${tool.name} ${tool.title ?? ''} ${tool.description} ${tool.tags.join(' ')}`.toLowerCase().includes(word),
        ),
    )
    found.textContent =
      fitting.length === tools.length ? count(tools.length, 'tool') : `${fitting.length} of ${count(tools.length, 'tool')}`
    const groups = Map.groupBy(fitting, ({ plugin }) => plugin ?? 'Patchbay')
    fill(
      list,
      [...groups].map(([plugin, own]) =>
        h(
          'li',
          {},
          h('h3', { class: 'group' }, visible(plugin)),
          h(
            'ul',
            {},
            own.map((tool) => row(tool, chosen)),
          ),
        ),
      ),
    )
    if (tools.length === 0)
      fill(list, h('li', { class: 'empty' }, 'No tools. A plugin with tools shows here as soon as it is saved.'))
    else if (fitting.length === 0) fill(list, h('li', { class: 'empty' }, 'No tool fits.'))
  }
  search.addEventListener('input', showList)
  hidden.addEventListener('change', showList)
  element.addEventListener('keydown', (event) => moveInList(event, list, search))

  return {
    element,
    focusFilter: () => search.focus(),
    close: () => panel?.close(),
    /** @param {readonly ToolBrief[]} next */
    setTools(next) {
      tools = next
      showList()
    },
    /**
     * @param {string} name '' for none.
     * @param {{ as: string, caller: NamedCaller | null }} by
     */
    async show(name, { as, caller }) {
      if (name !== chosen) {
        chosen = name
        showList()
        list.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' })
        scrollTo(0, 0)
      }
      if (name === '') {
        shown = ''
        return fill(detail, h('p', { class: 'empty' }, 'Choose a tool to see why it is shown, and to call it.'))
      }
      try {
        const tool = /** @type {ToolDetail} */ (await get(`/admin/tools/${encodeURIComponent(name)}${as}`))
        if (name !== chosen) return
        const text = JSON.stringify([tool, caller])
        if (text === shown) return
        const isReload = shown !== ''
        shown = text
        panel?.close()
        panel = showTool(detail, tool, { name, caller })
        if (isReload) announce(`${name} is shown`)
      } catch (error) {
        shown = ''
        fill(detail, errorBox(error))
      }
    },
  }
}

/**
 * @param {ToolBrief} tool
 * @param {string} chosen
 */
function row({ name, access, visible: isVisible, hiddenBy, listed, approval }, chosen) {
  return h(
    'li',
    {},
    h(
      'a',
      { href: `#/tools/${name}`, class: isVisible ? '' : 'hidden-tool', 'aria-current': name === chosen ? 'page' : undefined },
      h('span', { class: 'name' }, breakable(name)),
      access === 'write' && h('span', { class: 'tag' }, 'write'),
      approval && h('span', { class: 'tag' }, 'asks'),
      isVisible && !listed && h('span', { class: 'tag' }, 'by search'),
      !isVisible && h('span', { class: 'tag off' }, hiddenBy ?? 'hidden'),
    ),
  )
}

/**
 * Arrow keys go from one tool to the next.
 * @param {KeyboardEvent} event
 * @param {HTMLElement} list
 * @param {HTMLElement} search
 */
function moveInList(event, list, search) {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
  const links = [...list.querySelectorAll('a')]
  const at = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement))
  if (at === -1 && document.activeElement !== search) return
  event.preventDefault()
  const next = at + (event.key === 'ArrowDown' ? 1 : -1)
  ;(next < 0 ? search : links[next])?.focus()
}

/**
 * @param {HTMLElement} detail
 * @param {ToolDetail} tool
 * @param {{ name: string, caller: NamedCaller | null }} of
 */
function showTool(detail, { definition, plugin, explanation }, { name, caller }) {
  const { visible: isVisible, decidedBy, chain, listed, found } = explanation
  const ways = isVisible
    ? listed
      ? found
        ? 'listed, and found by tools_search'
        : 'listed'
      : 'not listed; tools_search finds it'
    : ''
  const why = h(
    'details',
    { open: !isVisible },
    h('summary', {}, isVisible ? 'Why it is shown' : 'Why it is hidden'),
    h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Rules' },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ['Rule', 'Verdict', 'Because'].map((text) => h('th', { scope: 'col' }, text)),
          ),
        ),
        h(
          'tbody',
          {},
          chain.map(({ rule, verdict, source }) =>
            h(
              'tr',
              { class: rule === decidedBy ? 'decides' : '' },
              h('th', { scope: 'row' }, rule),
              h('td', { class: verdict === 'pass' ? 'good' : 'bad' }, verdict),
              h('td', {}, visible(source)),
            ),
          ),
        ),
      ),
    ),
    h('p', { class: 'faint' }, 'On the command line: ', h('code', {}, `npx mcp-patchbay explain ${name}`)),
  )
  if (!definition) {
    fill(detail, h('h2', { class: 'mono' }, visible(name)), h('p', { class: 'box warn' }, 'No plugin has it now.'), why)
    return undefined
  }
  const { title, description, inputSchema, outputSchema, annotations } = definition
  const panel = callPanel({ name, schema: inputSchema, caller })
  fill(
    detail,
    h(
      'div',
      { class: 'title' },
      h('h2', { class: 'mono' }, visible(name)),
      isVisible ? h('span', { class: 'pill good' }, ways) : h('span', { class: 'pill bad' }, `hidden: ${decidedBy}`),
    ),
    title !== undefined && h('p', { class: 'subtitle' }, visible(title)),
    h('p', { class: 'description' }, visible(description)),
    plugin &&
      h(
        'p',
        { class: 'faint' },
        'of ',
        h('a', { href: '#/plugins' }, visible(plugin.name)),
        ` · ${visible(plugin.use)}${plugin.version ? ` ${visible(plugin.version)}` : ''}`,
      ),
    why,
    panel.element,
    h(
      'details',
      {},
      h('summary', {}, 'Definition'),
      jsonBlock(
        { inputSchema, ...(outputSchema !== undefined && { outputSchema }), ...(annotations && { annotations }) },
        'the definition',
      ),
    ),
  )
  return panel
}
