import { copyButton, duration, errorBox, h, visible } from './dom.js'
/** @import { CallEnd, Content, PromptMessage, ResourceContents, ToolResult } from './types.d.ts' */

/**
 * How a call ended, for a person.
 * @param {CallEnd} end
 * @param {number} roundTrip Milliseconds, as the page saw it.
 */
export function resultView(end, roundTrip) {
  if (end.type === 'question') return h('div', {})
  const timing = `${duration(end.ms)} in the host · ${duration(roundTrip)} here`
  if (end.type === 'error') {
    const hidden = end.hiddenBy ? h('p', { class: 'faint' }, `This caller does not see it: ${end.hiddenBy}`) : null
    return h('div', { class: 'result' }, head('failed', 'bad', timing, end.call), errorBox(end.error), hidden)
  }
  const { result } = end
  if ('messages' in result || 'contents' in result)
    return h(
      'div',
      { class: 'result' },
      head('ok', 'good', timing, end.call),
      'messages' in result ? result.messages.map(messageView) : result.contents.map(contentsView),
    )
  return h(
    'div',
    { class: 'result' },
    result.isError ? head('the tool says: error', 'bad', timing, end.call) : head('ok', 'good', timing, end.call),
    result.content.map(contentView),
    result.content.length === 0 && result.structuredContent === undefined && h('p', { class: 'empty' }, 'The answer is empty.'),
    structured(result),
    result._meta !== undefined && h('details', {}, h('summary', {}, '_meta'), jsonBlock(result._meta, '_meta')),
  )
}

/** @param {PromptMessage} message */
function messageView({ role, content }) {
  return h('section', { 'aria-label': `Message of the ${role}` }, h('h4', {}, role), contentView(content))
}

/** @param {ResourceContents} contents */
function contentsView({ uri, mimeType = '', text, blob }) {
  if (blob === undefined) return contentView({ type: 'resource', resource: { uri, mimeType, text: text ?? '' } })
  if (/^image\/(?:png|jpeg|gif|webp)$/.test(mimeType)) return contentView({ type: 'image', data: blob, mimeType })
  return h('p', { class: 'block' }, h('code', {}, visible(uri)), ` ${visible(mimeType)}, ${sizeOf(blob)} that are no text`)
}

/**
 * @param {string} text
 * @param {string} tone
 * @param {string} timing
 * @param {string} call
 */
function head(text, tone, timing, call) {
  return h(
    'p',
    { class: 'result-head' },
    h('strong', { class: `pill ${tone}` }, text),
    h('span', { class: 'faint' }, timing),
    h('span', { class: 'faint mono', title: 'The id of the call in the log' }, call.slice(0, 8)),
  )
}

/**
 * @param {ToolResult} result
 */
function structured({ structuredContent, content }) {
  if (structuredContent === undefined) return null
  const text = JSON.stringify(structuredContent, null, 2)
  const [first] = content
  // Most servers say it twice, for clients that read only text.
  const isRepeated = content.length === 1 && first?.type === 'text' && sameJson(first.text, structuredContent)
  return h('details', { open: !isRepeated }, h('summary', {}, 'Structured content'), jsonText(text, 'structured content'))
}

/**
 * @param {string} text
 * @param {unknown} value
 */
function sameJson(text, value) {
  try {
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(value)
  } catch {
    return false
  }
}

/** @param {Content} item */
function contentView(item) {
  switch (item.type) {
    case 'text':
      return textBlock(item.text)
    case 'image':
      return h(
        'figure',
        {},
        h('img', { src: `data:${item.mimeType};base64,${item.data}`, alt: `Image of the answer, ${item.mimeType}` }),
        h('figcaption', {}, `${item.mimeType}, ${sizeOf(item.data)}`),
      )
    case 'audio':
      return h(
        'figure',
        {},
        h('audio', { controls: true, src: `data:${item.mimeType};base64,${item.data}` }),
        h('figcaption', {}, `${item.mimeType}, ${sizeOf(item.data)}`),
      )
    case 'resource_link':
      return h(
        'p',
        { class: 'block' },
        h('strong', {}, visible(item.name)),
        ' ',
        h('code', {}, visible(item.uri)),
        item.description ? ` ${visible(item.description)}` : '',
      )
    case 'resource':
      return h(
        'div',
        { class: 'block' },
        h('p', {}, h('code', {}, visible(item.resource.uri)), ` ${item.resource.mimeType ?? ''}`),
        item.resource.text !== undefined && textBlock(item.resource.text),
      )
    default:
      return jsonBlock(item, 'content')
  }
}

/** @param {string} text */
function textBlock(text) {
  const json = parsed(text)
  if (json !== undefined) return jsonBlock(json, 'the text')
  return h(
    'div',
    { class: 'block' },
    h('pre', { class: 'text', tabindex: '0', role: 'group', 'aria-label': 'Text of the answer' }, visible(text)),
    copyButton(() => text, 'the text'),
  )
}

/** @param {string} text */
function parsed(text) {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * @param {unknown} value
 * @param {string} what
 */
export function jsonBlock(value, what) {
  return jsonText(JSON.stringify(value, null, 2), what)
}

/**
 * JSON with its strings, numbers and keys told apart.
 * @param {string} text
 * @param {string} what
 */
function jsonText(text, what) {
  const pre = h('pre', { class: 'json', tabindex: '0', role: 'group', 'aria-label': `JSON of ${what}` })
  // Colour costs an element a word: a long text has none.
  if (text.length > 60_000) pre.textContent = visible(text)
  else {
    let at = 0
    for (const { 0: match, 1: key, 2: string, 3: other, index } of text.matchAll(
      /("(?:[^"\\]|\\.)*"(?=:))|("(?:[^"\\]|\\.)*")|(\btrue\b|\bfalse\b|\bnull\b|-?\d[\d.eE+-]*)/g,
    )) {
      pre.append(text.slice(at, index), h('span', { class: key ? 'k' : string ? 's' : other ? 'n' : '' }, visible(match)))
      at = index + match.length
    }
    pre.append(text.slice(at))
  }
  return h(
    'div',
    { class: 'block' },
    pre,
    copyButton(() => text, what),
  )
}

/** @param {string} base64 */
function sizeOf(base64) {
  const bytes = Math.floor((base64.length * 3) / 4)
  return bytes > 10_000 ? `${Math.round(bytes / 1024)} KB` : `${bytes} bytes`
}
