import { get } from './api.js'
import { callPanel } from './call-panel.js'
import { breakable, count, errorBox, fill, h, visible } from './dom.js'
import { jsonBlock } from './result-view.js'
/** @import { NamedCaller, Offer, Offers } from './types.d.ts' */

/** @typedef {'prompt' | 'resource' | 'template'} Kind */

const TITLES = { prompt: 'Prompts', resource: 'Resources', template: 'Resource templates' }

/** Prompts and resources, as the chosen caller is listed them, on the left; one of them whole on the right. */
export function createOffersView() {
  const found = h('p', { class: 'faint', role: 'status' })
  const list = h('ul', { class: 'tools', 'aria-label': 'Prompts and resources' })
  const detail = h('section', { class: 'detail', 'aria-label': 'Prompt or resource' })
  const element = h(
    'div',
    { class: 'split' },
    h('div', { class: 'side' }, h('h2', { class: 'visually-hidden' }, 'Prompts and resources'), found, list),
    detail,
  )
  /** @type {{ close: () => void } | undefined} */
  let panel
  /** What is shown, so that what did not change is not built again. */
  let shown = ''

  return {
    element,
    close: () => panel?.close(),
    /**
     * @param {string} chosen The kind and the name of one, `prompt:NAME`; '' for none.
     * @param {{ as: string, caller: NamedCaller | null }} by
     */
    async show(chosen, { as, caller }) {
      /** @type {Offers} */
      let offers
      try {
        offers = await get(`/admin/offers${as}`)
      } catch (error) {
        shown = ''
        return fill(detail, errorBox(error))
      }
      const groups = /** @type {const} */ ([
        ['prompt', offers.prompts],
        ['resource', offers.resources],
        ['template', offers.templates],
      ])
      found.textContent = `${count(offers.prompts.length, 'prompt')}, ${count(offers.resources.length + offers.templates.length, 'resource')}`
      fill(
        list,
        groups.map(([kind, items]) => items.length > 0 && group(kind, items, chosen)),
      )
      if (groups.every(([, items]) => items.length === 0))
        fill(list, h('li', { class: 'empty' }, 'This caller is listed no prompts and no resources.'))
      const [kind, item] =
        groups
          .flatMap(([of, items]) => items.map((one) => /** @type {[Kind, Offer]} */ ([of, one])))
          .find(([of, one]) => keyOf(of, one) === chosen) ?? []
      const text = JSON.stringify([chosen, item, caller])
      if (text === shown) return
      shown = text
      panel?.close()
      panel = undefined
      if (chosen === '') fill(detail, h('p', { class: 'empty' }, 'Choose a prompt to get it, or a resource to read it.'))
      else if (!kind || !item) fill(detail, h('p', { class: 'box warn' }, 'This caller is not listed it now.'))
      else panel = showOne(detail, kind, item, caller)
    },
  }
}

/**
 * @param {Kind} kind
 * @param {Offer} item
 */
function keyOf(kind, { name, uri, uriTemplate }) {
  return `${kind}:${uri ?? uriTemplate ?? name}`
}

/**
 * @param {Kind} kind
 * @param {readonly Offer[]} items
 * @param {string} chosen
 */
function group(kind, items, chosen) {
  return h(
    'li',
    {},
    h('h3', { class: 'group' }, TITLES[kind]),
    h(
      'ul',
      {},
      items.map((item) => {
        const key = keyOf(kind, item)
        return h(
          'li',
          {},
          h(
            'a',
            { href: `#/offers/${encodeURIComponent(key)}`, 'aria-current': key === chosen ? 'page' : undefined },
            h('span', { class: 'name' }, breakable(item.name)),
          ),
        )
      }),
    ),
  )
}

/**
 * @param {HTMLElement} detail
 * @param {Kind} kind
 * @param {Offer} item
 * @param {NamedCaller | null} caller
 */
function showOne(detail, kind, item, caller) {
  const { name, title, description, uri = '', uriTemplate, mimeType } = item
  const address = uriTemplate ?? uri
  const form = uriTemplate === undefined ? { schema: NOTHING, fill: () => uri } : templateForm(uriTemplate)
  const panel =
    kind === 'prompt'
      ? callPanel({
          name,
          caller,
          schema: promptSchema(item),
          verb: 'Get',
          request: (args) => ({ prompt: name, arguments: args }),
        })
      : callPanel({
          name: address,
          caller,
          schema: form.schema,
          verb: 'Read',
          request: (args) => ({ resource: form.fill(args) }),
        })
  fill(
    detail,
    h('div', { class: 'title' }, h('h2', { class: 'mono' }, visible(name)), h('span', { class: 'pill' }, kind)),
    title !== undefined && h('p', { class: 'subtitle' }, visible(title)),
    description !== undefined && h('p', { class: 'description' }, visible(description)),
    address !== '' && h('p', { class: 'mono' }, visible(address), mimeType === undefined ? '' : ` · ${visible(mimeType)}`),
    panel.element,
    h('details', {}, h('summary', {}, 'Definition'), jsonBlock(item, 'the definition')),
  )
  return panel
}

const NOTHING = { type: 'object', properties: {} }

/**
 * Arguments of a prompt are texts.
 * @param {Offer} prompt
 */
function promptSchema({ arguments: args = [] }) {
  return {
    type: 'object',
    properties: Object.fromEntries(
      args.map(({ name, title, description }) => [
        name,
        { type: 'string', ...(title !== undefined && { title }), ...(description !== undefined && { description }) },
      ]),
    ),
    required: args.filter(({ required }) => required).map(({ name }) => name),
  }
}

/**
 * A field for each variable; one for the whole URI where an expression is more than a variable, as `{?page,size}` is.
 * @param {string} template
 * @returns {{ schema: object, fill: (args: unknown) => string }}
 */
function templateForm(template) {
  const names = [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name)
  const isPlain = names.every((name) => /^\w+$/.test(name))
  const whole = {
    type: 'string',
    pattern: '^[^\\{\\}]+$',
    default: template,
    description: 'Put values in the place of the braces',
  }
  const properties = isPlain ? Object.fromEntries(names.map((name) => [name, { type: 'string', minLength: 1 }])) : { uri: whole }
  return {
    schema: { type: 'object', properties, required: Object.keys(properties) },
    fill(args) {
      const values = Object(args)
      return isPlain ? template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name] ?? '')) : `${values.uri}`
    },
  }
}
