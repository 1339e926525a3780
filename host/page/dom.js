/** @typedef {string | number | Node | null | undefined | false | readonly Child[]} Child */

/**
 * Makes an element. Props that begin with `on` are listeners, `class` and others are attributes; `true` sets one without a value, `false`
 * and undefined set none. Text stays text, whatever is in it.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, unknown>>} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue
    if (name.startsWith('on')) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value))
    else element.setAttribute(name, value === true ? '' : `${/** @type {string | number} */ (value)}`)
  }
  append(element, children)
  return element
}

/**
 * @param {Element} element
 * @param {readonly Child[]} children
 */
export function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue
    if (Array.isArray(child)) append(element, child)
    else element.append(/** @type {string | Node} */ (typeof child === 'number' ? String(child) : child))
  }
}

/**
 * Puts `children` in the place of what `element` has.
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren()
  append(element, children)
}

/**
 * The element of the page that has this id.
 * @param {string} id
 */
export function byId(id) {
  const found = document.getElementById(id)
  if (!found) throw new Error(`The page has no #${id}`)
  return found
}

let last = 0
/** An id that no other element has. */
export function newId() {
  return `id-${++last}`
}

/**
 * `text` with characters that cannot be seen, or turn the direction of text, written as `\u{…}`. Line breaks and tabs stay.
 * @param {string} text
 */
export function visible(text) {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, (character) =>
    character === '\n' || character === '\t' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

/**
 * A name of a tool, which may break after each `_`.
 * @param {string} name
 * @returns {Child}
 */
export function breakable(name) {
  return visible(name)
    .split(/(?<=_)/)
    .flatMap((part, index) => (index === 0 ? [part] : [h('wbr'), part]))
}

/**
 * `3 tools`, `1 tool`.
 * @param {number} number
 * @param {string} what
 */
export function count(number, what) {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`
}

/**
 * Milliseconds as a person reads them.
 * @param {number} ms
 */
export function duration(ms) {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(0)} s`
  if (ms >= 1_000) return `${(ms / 1000).toFixed(2)} s`
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`
}

/**
 * Says something to who hears the page and does not see it.
 * @param {string} text
 */
export function announce(text) {
  byId('announcement').textContent = text
}

/**
 * A button that copies what `text` gives.
 * @param {() => string} text
 * @param {string} what
 */
export function copyButton(text, what) {
  const button = h('button', { type: 'button', class: 'quiet small', 'aria-label': `Copy ${what}` }, 'Copy')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text())
      button.textContent = 'Copied'
      announce(`${what} copied`)
    } catch {
      button.textContent = 'Not allowed'
    }
    setTimeout(() => (button.textContent = 'Copy'), 1_500)
  }
  button.addEventListener('click', () => void copy())
  return button
}

/**
 * An error of the API: what happened, and what to do.
 * @param {unknown} error
 */
export function errorBox(error) {
  const { message, fix, code } = /** @type {{ message?: string, fix?: readonly string[], code?: string }} */ (error)
  return h(
    'div',
    { class: 'box bad', role: 'alert' },
    h('p', { class: 'box-title' }, visible(message ?? String(error))),
    fix &&
      fix.length > 0 &&
      h(
        'ul',
        {},
        fix.map((step) => h('li', {}, visible(step))),
      ),
    code && h('p', { class: 'faint' }, code),
  )
}
