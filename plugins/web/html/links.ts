import { linkTarget, withoutInvisible } from './escape.ts'
import type { Element } from './parse.ts'

export interface Link {
  readonly text: string
  readonly url: string
}

/** The most links of one page that are kept. */
const MAX_LINKS = 1_000

/** Where a page leads, in its order, each address once with the first text that has any. */
export function linksIn(element: Element, base: string): readonly Link[] {
  const found = new Map<string, string>()
  const visit = (node: Element) => {
    const url = node.name === 'a' ? linkTarget(node.attributes['href'], base) : undefined
    if (url !== undefined && !found.get(url) && (found.has(url) || found.size < MAX_LINKS)) found.set(url, label(node))
    for (const child of node.children) if (typeof child !== 'string') visit(child)
  }
  visit(element)
  return [...found].map(([url, text]) => ({ text, url }))
}

function label(link: Element): string {
  return (
    withoutInvisible(textOf(link)).replace(/\s+/g, ' ').trim().slice(0, 200) ||
    (link.attributes['title'] ?? '').trim().slice(0, 200)
  )
}

/** All text in an element, and what its images stand for. */
export function textOf(node: Element | string): string {
  if (typeof node === 'string') return node
  if (node.name === 'img') return node.attributes['alt'] ?? ''
  return node.name === 'br' ? '\n' : node.children.map(textOf).join('')
}
