import { escapeText, fenceFor, linkTarget } from './escape.ts'
import { textOf } from './links.ts'
import type { Element } from './parse.ts'

/** What stands on one line, as Markdown without space around it. Line breaks of the page become hard line breaks. */
export function inlineMarkdown(children: readonly (Element | string)[], base: string): string {
  return tidy(inline(children, base))
}

function inline(children: readonly (Element | string)[], base: string): string {
  let text = ''
  for (const child of children)
    text += typeof child === 'string' ? escapeText(child.replace(/\s+/g, ' ')) : inlineElement(child, base)
  return text
}

/** Stands for `<br>`: white space of the page is spaces by then, so nothing else is one. */
const BREAK = '\n'

function inlineElement(element: Element, base: string): string {
  const { name, attributes, children } = element
  switch (name) {
    case 'br':
      return BREAK
    case 'a':
      return link(element, base)
    case 'img':
      return image(attributes, base)
    case 'b':
    case 'strong':
      return marked('**', inline(children, base))
    case 'i':
    case 'em':
    case 'cite':
      return marked('*', inline(children, base))
    case 'del':
    case 's':
    case 'strike':
      return marked('~~', inline(children, base))
    case 'code':
    case 'kbd':
    case 'samp':
    case 'tt':
      return code(textOf(element))
    case 'q':
      return `"${inline(children, base)}"`
    case 'sup':
      return superscript(element, base)
    default:
      // Blocks can be here when a link or a cell holds them: a space keeps their words apart.
      return element.hasBlock || BLOCK_LIKE.test(name) ? ` ${inline(children, base)} ` : inline(children, base)
  }
}

const BLOCK_LIKE = /^(?:p|div|h[1-6]|li|dt|dd|td|th|tr|section|article|header|footer|figcaption|summary|blockquote|pre)$/

/** A link whose text is its address is written once; one without text leads nowhere a reader could tell. */
function link({ attributes, children }: Element, base: string): string {
  const text = inline(children, base).replace(/\s+/g, ' ')
  const words = text.trim()
  const target = linkTarget(attributes['href'], base)
  if (target === undefined) return ANCHOR_SIGNS.has(words) ? '' : text
  if (words === '') return text
  const [only] = children
  const plain = children.length === 1 && typeof only === 'string' ? only.trim() : undefined
  const written = plain === target ? `<${target}>` : `[${words}](${target})`
  return `${text.startsWith(' ') ? ' ' : ''}${written}${text.endsWith(' ') ? ' ' : ''}`
}

/** What documentation puts behind a heading to link to it. */
const ANCHOR_SIGNS = new Set(['¶', '#', '§', '🔗'])

function image({ alt, src }: Readonly<Record<string, string>>, base: string): string {
  const text = escapeText((alt ?? '').replace(/\s+/g, ' ').trim())
  const target = linkTarget(src, base)
  return text === '' || target === undefined ? text : `![${text}](${target})`
}

/** Marks must touch the words they mark, so the spaces go outside; and they do not reach beyond a line. */
function marked(mark: string, text: string): string {
  const words = text.trim()
  if (words === '' || words.startsWith(mark)) return text
  const [before] = /^\s*/.exec(text) ?? ['']
  const [after] = /\s*$/.exec(text) ?? ['']
  return `${before}${mark}${words.replace(/\s*\n\s*/g, ' ')}${mark}${after}`
}

function code(text: string): string {
  const shown = text.replace(/\s+/g, ' ')
  if (shown.trim() === '') return shown
  const fence = fenceFor(shown, 1)
  const pad = shown.startsWith('`') || shown.endsWith('`') ? ' ' : ''
  return fence + pad + shown + pad + fence
}

/** Exponents mean something; footnote marks, which lead to another place of the page, do not. */
function superscript({ children }: Element, base: string): string {
  const isNote = children.some(
    (child) => typeof child !== 'string' && child.name === 'a' && child.attributes['href']?.startsWith('#'),
  )
  const text = isNote ? '' : inline(children, base).trim()
  return text === '' ? '' : `^${text}`
}

function tidy(text: string): string {
  return text
    .replace(/ {2,}/g, ' ')
    .replace(/ ?\n ?/g, BREAK)
    .trim()
    .replace(/\n{2,}|\n/g, (breaks) => (breaks.length > 1 ? '\n\n' : '  \n'))
}
