import { ApiError, follow, forgetToken, get, setToken, takeToken } from './api.js'
import { createCallerChooser } from './caller-chooser.js'
import { announce, byId, count, errorBox, fill, h, visible } from './dom.js'
import { createFeed } from './feed-view.js'
import { lockView } from './lock-view.js'
import { loadPlugins, pluginsView, reasonView } from './plugins-view.js'
import { createOffersView } from './offers-view.js'
import { createToolsView } from './tools-view.js'
/** @import { FeedEvent, HostListing, NamedCaller, Status, ToolBrief } from './types.d.ts' */

const main = byId('main')

if (await takeToken()) await start()
else askForToken('')

/**
 * Nothing can be asked without the token.
 * @param {string} problem
 */
function askForToken(problem) {
  forgetToken()
  document.body.classList.add('locked')
  connection('off', 'locked')
  const input = h('input', { type: 'password', id: 'token', autocomplete: 'off', required: true })
  const form = h(
    'form',
    { class: 'unlock' },
    h('h2', {}, 'This page needs its token'),
    h(
      'p',
      {},
      'Open the address that ',
      h('code', {}, 'patchbay dev'),
      ' printed, with everything behind the #. Or paste the token:',
    ),
    problem !== '' && h('p', { class: 'problem', role: 'alert' }, problem),
    h('div', { class: 'field' }, h('label', { for: 'token' }, 'Token'), input),
    h('button', { type: 'submit', class: 'primary' }, 'Open'),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    setToken(input.value.trim())
    document.body.classList.remove('locked')
    void start()
  })
  fill(main, form)
  main.removeAttribute('aria-busy')
  input.focus()
}

/**
 * @param {'on' | 'waiting' | 'off'} state
 * @param {string} text
 */
function connection(state, text) {
  const element = byId('connection')
  if (element.dataset.state === state && element.textContent === text) return
  element.dataset.state = state
  element.textContent = text
}

async function start() {
  /** @type {Status} */
  let status
  try {
    status = await get('/admin/status')
  } catch (error) {
    if (error instanceof ApiError && error.status === 401)
      return askForToken('The host does not take this token: it has another since it was started again.')
    fill(main, errorBox(error))
    setTimeout(() => void start(), 2_000)
    return
  }
  /** @type {NamedCaller | null} */
  let caller = null
  /** @type {HostListing | undefined} */
  let listing
  /** @type {ReturnType<typeof createToolsView> | undefined} */
  let tools
  /** @type {ReturnType<typeof createOffersView> | undefined} */
  let offers
  let view = ''

  const as = () => (caller === null ? '' : `?as=${encodeURIComponent(JSON.stringify(caller))}`)
  const chooser = createCallerChooser(byId('caller'), (next) => {
    caller = next
    document.body.classList.toggle('as-other', next !== null)
    void refresh()
  })
  const feed = createFeed()

  /** One at a time; what is asked for meanwhile is done once, after it. */
  let isRefreshing = false
  let isAskedAgain = false
  async function refresh() {
    if (isRefreshing) {
      isAskedAgain = true
      return
    }
    isRefreshing = true
    try {
      do {
        isAskedAgain = false
        ;[status, listing] = await Promise.all([get('/admin/status'), loadPlugins(as()), chooser.refresh()])
        showFacts()
        showNotices(listing)
        await showView()
      } while (isAskedAgain)
    } catch (error) {
      if (error instanceof ApiError && error.status === 401)
        askForToken('The host does not take this token: it has another since it was started again.')
      else fill(byId('notices'), errorBox(error))
    } finally {
      isRefreshing = false
      main.removeAttribute('aria-busy')
    }
  }

  function showFacts() {
    const { generation, deployment, frozen, readOnly, watching } = status
    const facts = [
      `generation ${generation}`,
      ...(deployment === 'default' ? [] : [deployment]),
      ...(frozen ? ['frozen'] : []),
      ...(readOnly ? ['read-only'] : []),
      watching ? 'watching' : 'not watching',
    ]
    fill(byId('facts'), facts.join(' · '))
  }

  /**
   * What is broken now stays in sight, whatever is looked at.
   * @param {HostListing} current
   */
  function showNotices({ plugins }) {
    const broken = plugins.filter(({ state, reloadError }) => reloadError !== null || state === 'failed')
    const badge = byId('plugins-badge')
    const ill = plugins.filter(({ state, reloadError }) => state !== 'active' || reloadError !== null).length
    badge.hidden = ill === 0
    badge.textContent = ill === 0 ? '' : count(ill, 'problem')
    fill(
      byId('notices'),
      broken.map(({ name, reason, reloadError }) => {
        const why = reloadError ?? reason
        if (!why) return null
        return h(
          'section',
          { class: 'notice', 'aria-label': `Fault of ${name}` },
          h(
            'h2',
            {},
            `${visible(name)}: ${reloadError ? 'the last save does not load; the version before it serves' : 'does not load'}`,
          ),
          reasonView(why, 'bad'),
        )
      }),
    )
  }

  async function showView() {
    const [, wanted = 'tools', name = ''] = location.hash.split('/')
    for (const link of byId('views').querySelectorAll('a'))
      if (link.getAttribute('href') === `#/${wanted}`) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
    const isOther = view !== wanted
    view = wanted
    if (wanted !== 'tools') {
      tools?.close()
      tools = undefined
    }
    if (wanted !== 'offers') {
      offers?.close()
      offers = undefined
    }
    if (wanted === 'plugins') {
      document.title = 'Plugins · Patchbay dev'
      if (listing) fill(main, pluginsView({ listing, status, as: as(), refresh }))
    } else if (wanted === 'offers') {
      document.title = 'Prompts and resources · Patchbay dev'
      if (!offers) fill(main, (offers = createOffersView()).element)
      await offers.show(decodeURIComponent(name), { as: as(), caller })
    } else if (wanted === 'lock') {
      document.title = 'Lock · Patchbay dev'
      if (!isOther) return
      const lock = lockView({ status })
      fill(main, lock.element)
      await lock.compare()
    } else {
      document.title = `${name === '' ? 'Tools' : decodeURIComponent(name)} · Patchbay dev`
      if (!tools) fill(main, (tools = createToolsView()).element)
      const answer = /** @type {{ tools: readonly ToolBrief[] }} */ (await get(`/admin/tools${as()}`))
      tools.setTools(answer.tools)
      await tools.show(decodeURIComponent(name), { as: as(), caller })
    }
  }

  addEventListener('hashchange', () => {
    if (location.hash === '#main') return main.focus()
    void refresh()
  })
  addEventListener('keydown', (event) => {
    const isTyping = event.target instanceof Element && event.target.closest('input, textarea, select')
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    if (!location.hash.startsWith('#/tools') && location.hash !== '') location.hash = '#/tools'
    else tools?.focusFilter()
  })

  await refresh()
  let last = 0
  let soon = 0
  for (;;) {
    try {
      await follow(last, {
        onOpen: () => connection('on', 'live'),
        onEvent(event) {
          last = event.id
          feed.add(event)
          say(event)
          if (event.type === 'call' || event.type === 'types' || event.type === 'drained') return
          // A save is several events: one look after the last of them.
          clearTimeout(soon)
          soon = setTimeout(() => void refresh(), 30)
        },
      })
    } catch (error) {
      if (error instanceof ApiError && error.status === 401)
        return askForToken('The host does not take this token: it has another since it was started again.')
    }
    connection('waiting', 'the host does not answer; trying again')
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    void refresh()
  }
}

/**
 * What a person who does not see the feed must hear of.
 * @param {FeedEvent} event
 */
function say(event) {
  if (event.type !== 'reload') return
  announce(
    event.outcome === 'kept'
      ? `${event.plugin} was not reloaded: ${event.reason?.message ?? ''}`
      : `${event.plugin} ${event.outcome === 'replaced' ? 'reloaded' : event.outcome}`,
  )
}
