import { escapeStarts, fenceFor, withoutInvisible } from './escape.ts'
import { inlineMarkdown } from './inline.ts'
import { textOf } from './links.ts'
import { textLength } from './main-content.ts'
import { BLOCKS, type Element } from './parse.ts'
import { isDataTable, tableMarkdown } from './table.ts'

/** Lists and quotes deeper than this are written at this depth. */
const MAX_INDENT = 10

/** The Markdown of an element, with absolute links. Takes time with the length of the page, whatever its shape. */
export function toMarkdown(element: Element, base: string): string {
  const blocks: string[] = []
  writeBlocks(element.children, { base, indent: 0, blocks })
  return withoutInvisible(blocks.join('\n\n'))
}

interface Writing {
  readonly base: string
  /** How many lists and quotes are around. */
  readonly indent: number
  /** What was written: one paragraph, heading, list and so on each. */
  readonly blocks: string[]
}

function writeBlocks(children: readonly (Element | string)[], writing: Writing): void {
  let line: (Element | string)[] = []
  const endParagraph = () => {
    const text = inlineMarkdown(line, writing.base)
    if (text !== '') writing.blocks.push(escapeStarts(text))
    line = []
  }
  for (const child of children) {
    if (typeof child === 'string' || !(BLOCKS.has(child.name) || child.hasBlock)) line.push(child)
    else if (child.name === 'a' && textLength(child, MAX_CARD) < MAX_CARD) line.push(child)
    else {
      endParagraph()
      writeBlock(child, writing)
    }
  }
  endParagraph()
}

/** A link around blocks, such as a card with heading and teaser, is one line of text if it is not longer. */
const MAX_CARD = 240

function writeBlock(element: Element, writing: Writing): void {
  const { base, blocks } = writing
  const { name, children } = element
  if (/^h[1-6]$/.test(name)) {
    const text = inlineMarkdown(children, base).replace(/\s*\n\s*/g, ' ')
    if (text !== '') blocks.push(`${'#'.repeat(Number(name[1]))} ${text}`)
  } else if (name === 'pre') {
    const code = textOf(element).replace(/^\n|\s+$/g, '')
    if (code.trim() !== '') blocks.push(fenced(code, languageOf(element)))
  } else if (name === 'ul' || name === 'ol' || name === 'menu' || name === 'dir') {
    const list = listMarkdown(element, writing)
    if (list !== '') blocks.push(list)
  } else if (name === 'blockquote') {
    const quoted = nested(children, writing)
    if (quoted !== '') blocks.push(writing.indent < MAX_INDENT ? quoted.replace(/^/gm, '> ').replace(/ +$/gm, '') : quoted)
  } else if (name === 'table' && isDataTable(element)) {
    const table = tableMarkdown(element, base)
    if (table !== '') blocks.push(table)
  } else if (name === 'hr') blocks.push('---')
  else if (name === 'dt' || name === 'summary' || name === 'legend') {
    const text = inlineMarkdown(children, base)
    if (text !== '') blocks.push(`**${text}**`)
  } else writeBlocks(children, writing)
}

/** Code between fences that it does not end. */
export function fenced(code: string, language: string): string {
  const fence = fenceFor(code, 3)
  return `${fence}${language}\n${code}\n${fence}`
}

/** Highlighters note it as a class of `<pre>`, of the `<code>` in it, or of the `<div>` around. */
function languageOf(pre: Element): string {
  const [first] = pre.children.filter((child) => typeof child !== 'string')
  const classes = `${pre.attributes['class'] ?? ''} ${first?.attributes['class'] ?? ''} ${pre.attributes['data-lang'] ?? ''}`
  return /\b(?:language|lang|highlight-source|brush)[-:]\s*([\w+#-]+)/.exec(classes)?.[1]?.toLowerCase() ?? ''
}

function listMarkdown(list: Element, writing: Writing): string {
  let number = Number.parseInt(list.attributes['start'] ?? '1', 10)
  if (!Number.isSafeInteger(number) || number < 0) number = 1
  const items = list.children.flatMap((child) => {
    if (typeof child === 'string') return child.trim() === '' ? [] : [itemMarkdown([child], '- ', writing)]
    const marker = list.name === 'ol' ? `${number}. ` : '- '
    const item = itemMarkdown(child.name === 'li' ? child.children : [child], marker, writing)
    if (item !== undefined) number += 1
    return item === undefined ? [] : [item]
  })
  return items.join('\n')
}

function itemMarkdown(children: readonly (Element | string)[], marker: string, writing: Writing): string | undefined {
  const text = nested(children, writing)
  if (text === '') return undefined
  return marker + (writing.indent < MAX_INDENT ? text.replace(/\n(?!\n|$)/g, `\n${' '.repeat(marker.length)}`) : text)
}

/** The blocks in an item or a quote; a list that follows a line directly stays tight. */
function nested(children: readonly (Element | string)[], { base, indent }: Writing): string {
  const blocks: string[] = []
  writeBlocks(children, { base, indent: indent + 1, blocks })
  return blocks.reduce(
    (text, block) => (text === '' ? block : `${text}${/^(?:-|\d+\.) /.test(block) ? '\n' : '\n\n'}${block}`),
    '',
  )
}
