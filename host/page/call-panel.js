import { ApiError, call } from './api.js'
import { announce, copyButton, errorBox, fill, h, newId, visible } from './dom.js'
import { questionForm } from './question-form.js'
import { resultView } from './result-view.js'
import { createForm, createJsonForm, FieldError } from './schema-form.js'
/** @import { CallEnd, NamedCaller, Schema } from './types.d.ts' */
/** @import { Field } from './schema-form.js' */

/** What was filled in last, by tool: a reload, or a look at another tool, must not lose it. @type {Map<string, unknown>} */
const drafts = new Map()

/**
 * Form, button, progress, questions and result of one tool, prompt or resource.
 * @param {object} of
 * @param {string} of.name
 * @param {Schema} of.schema
 * @param {NamedCaller | null} of.caller
 * @param {string} [of.verb] What the button does.
 * @param {(args: unknown) => { resource?: string, prompt?: string, arguments?: unknown }} [of.request] What the API is sent; default: a call of the tool `name`.
 */
export function callPanel({ name, schema, caller, verb = 'Call', request }) {
  let isJson = false
  /** @type {Field} */
  let form = createForm(schema, drafts.get(name))
  /** @type {AbortController | undefined} */
  let running

  const fields = h('div', {}, form.element)
  const toggle = h('button', { type: 'button', class: 'quiet small', 'aria-pressed': 'false' }, 'As JSON')
  const send = h('button', { type: 'submit', class: 'primary' }, verb)
  const cancel = h('button', { type: 'button', class: 'quiet', hidden: true }, 'Cancel')
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true })
  const progress = h('div', { class: 'progress', hidden: true })
  const question = h('div', {})
  const result = h('div', { 'aria-live': 'polite' })
  const command = h('code', { class: 'mono' })

  const refuse = (/** @type {string} */ text) => {
    problem.textContent = text
    problem.hidden = text === ''
  }
  const values = () => {
    const value = form.read()
    drafts.set(name, value)
    return value
  }
  const showCommand = () => {
    try {
      const value = values()
      const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
      if (request) {
        const { resource } = request(value)
        if (typeof resource === 'string') {
          command.textContent = `npx mcp-patchbay read ${quoted(resource)}`
          return
        }
      }
      command.textContent = `npx mcp-patchbay ${request ? 'prompt' : 'call'} ${name}${isEmpty ? '' : ` --input ${quoted(JSON.stringify(value))}`}`
    } catch {
      // The command of before stands until the JSON is whole.
    }
  }

  toggle.addEventListener('click', () => {
    try {
      const value = values()
      isJson = !isJson
      form = isJson ? createJsonForm(value) : createForm(schema, value)
      fill(fields, form.element)
      toggle.setAttribute('aria-pressed', String(isJson))
      form.focus?.()
      refuse('')
    } catch (error) {
      refuse(error instanceof FieldError ? error.message : String(error))
    }
  })
  cancel.addEventListener('click', () => running?.abort())

  /**
   * @param {string} path
   * @param {Parameters<typeof call>[1]} body
   */
  async function run(path, body) {
    running = new AbortController()
    const startedAt = performance.now()
    send.disabled = true
    cancel.hidden = false
    fill(question)
    fill(result, h('p', { class: 'waiting' }, 'Running…'))
    result.setAttribute('aria-busy', 'true')
    /** @type {CallEnd | undefined} */
    let end
    try {
      end = await call(path, body, { tell, signal: running.signal })
    } catch (error) {
      const isAborted = running.signal.aborted
      fill(
        result,
        isAborted
          ? h('p', { class: 'box' }, `Cancelled. ${request ? 'The plugin' : 'The tool'} was told to stop.`)
          : errorBox(error),
      )
      if (error instanceof ApiError && error.status === 401) throw error
    } finally {
      send.disabled = false
      cancel.hidden = true
      progress.hidden = true
      result.removeAttribute('aria-busy')
    }
    if (!end) return
    const roundTrip = performance.now() - startedAt
    if (end.type === 'question') ask(end)
    else {
      fill(result, resultView(end, roundTrip))
      announce(end.type === 'result' && !('isError' in end.result && end.result.isError) ? `${name} answered` : `${name} failed`)
    }
  }

  /**
   * @param {string} type
   * @param {any} data
   */
  function tell(type, data) {
    if (progress.hidden) fill(progress)
    progress.hidden = false
    if (type === 'log') {
      progress.append(
        h(
          'p',
          { class: 'faint' },
          `${data.level}: ${visible(typeof data.data === 'string' ? data.data : JSON.stringify(data.data))}`,
        ),
      )
      return
    }
    const id = newId()
    const known = progress.querySelector('progress')
    const bar = known ?? h('progress', { id })
    const text = progress.querySelector('label') ?? h('label', { for: id })
    if (!known) progress.prepend(text, bar)
    if (data.total) {
      bar.max = data.total
      bar.value = data.progress
    }
    text.textContent = [
      data.message && visible(data.message),
      data.total ? `${data.progress} of ${data.total}` : `step ${data.progress}`,
    ]
      .filter(Boolean)
      .join(' · ')
  }

  /** @param {CallEnd & { type: 'question' }} end */
  function ask(end) {
    fill(result)
    const asked = questionForm(end.requests, (responses) => void run(`/admin/calls/${end.call}`, { responses }))
    fill(question, asked.element)
    announce(`${name} asks a question`)
    asked.focus()
  }

  const element = h(
    'form',
    { class: 'call', 'aria-label': `${verb} ${name}` },
    h('div', { class: 'row' }, h('h3', {}, 'Arguments'), toggle),
    fields,
    problem,
    h('div', { class: 'row actions' }, send, cancel, h('span', { class: 'faint' }, 'Ctrl + Enter')),
    h(
      'details',
      { class: 'command' },
      h('summary', {}, 'On the command line'),
      h(
        'p',
        { class: 'row' },
        command,
        copyButton(() => command.textContent, 'the command'),
      ),
    ),
  )
  element.addEventListener('submit', (event) => {
    event.preventDefault()
    refuse('')
    try {
      const value = values()
      void run('/admin/calls', { ...(request ? request(value) : { tool: name, arguments: value }), as: caller })
    } catch (error) {
      refuse(error instanceof FieldError ? error.message : String(error))
    }
  })
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) element.requestSubmit()
  })
  element.addEventListener('input', showCommand)
  element.addEventListener('click', showCommand)
  showCommand()
  return {
    element: h('div', {}, element, progress, question, result),
    /** Ends what runs: its tool is looked at no more. */
    close: () => running?.abort(),
  }
}

/**
 * For a shell.
 * @param {string} text
 */
function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
