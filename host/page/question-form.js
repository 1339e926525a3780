import { h, visible } from './dom.js'
import { jsonBlock } from './result-view.js'
import { createForm, createJsonForm, FieldError } from './schema-form.js'
/** @import { InputRequest } from './types.d.ts' */
/** @import { Field } from './schema-form.js' */

/**
 * What a tool asks before it goes on, and the buttons that answer.
 * @param {Readonly<Record<string, InputRequest>>} requests
 * @param {(responses: Record<string, object>) => void} answer
 */
export function questionForm(requests, answer) {
  const asked = Object.entries(requests).map(([key, request]) => ({ key, ...partOf(request) }))
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true })
  const say = (/** @type {'accept' | 'decline' | 'cancel'} */ action) => {
    try {
      answer(Object.fromEntries(asked.map(({ key, read }) => [key, action === 'accept' ? read() : { action }])))
    } catch (error) {
      problem.textContent = error instanceof FieldError ? error.message : String(error)
      problem.hidden = false
    }
  }
  const heading = h('h3', { tabindex: '-1' }, 'The tool asks')
  const element = h(
    'form',
    { class: 'box ask', 'aria-label': 'Question of the tool' },
    heading,
    asked.map(({ element: part }) => part),
    problem,
    h(
      'div',
      { class: 'row actions' },
      h('button', { type: 'submit', class: 'primary' }, 'Answer'),
      h('button', { type: 'button', class: 'quiet', onclick: () => say('decline') }, 'Decline'),
      h('button', { type: 'button', class: 'quiet', onclick: () => say('cancel') }, 'Dismiss'),
    ),
  )
  element.addEventListener('submit', (event) => {
    event.preventDefault()
    say('accept')
  })
  return { element, focus: () => (asked[0]?.focus ?? heading.focus.bind(heading))() }
}

/**
 * @param {InputRequest} request
 * @returns {{ element: HTMLElement, read: () => object, focus?: () => void }}
 */
function partOf({ method, params = {} }) {
  const message = typeof params.message === 'string' ? h('p', { class: 'message' }, visible(params.message)) : null
  if (method === 'elicitation/create' && params.mode === 'url') {
    const address = String(params.url)
    const link = /^https?:\/\//.test(address)
      ? h('a', { href: address, target: '_blank', rel: 'noopener noreferrer' }, visible(address))
      : h('code', {}, visible(address))
    return {
      element: h('div', {}, message, h('p', {}, link), h('p', { class: 'faint' }, 'Open it, then answer.')),
      read: () => ({ action: 'accept' }),
    }
  }
  if (method === 'elicitation/create') {
    const form = createForm(params.requestedSchema ?? {}, undefined)
    return {
      element: h('div', {}, message, form.element),
      read: () => ({ action: 'accept', content: form.read() }),
      ...focusOf(form),
    }
  }
  const form = createJsonForm({})
  return {
    element: h(
      'div',
      {},
      message,
      h('p', {}, `It asks the client for ${method}. Write the answer that a client would give.`),
      jsonBlock(params, 'the question'),
      form.element,
    ),
    read: () => /** @type {object} */ (form.read()),
    ...focusOf(form),
  }
}

/** @param {Field} field */
function focusOf({ focus }) {
  return focus ? { focus } : {}
}
