import type { Element } from './parse.ts'

/** So little is a teaser or an empty frame, not what a page is about. */
const ENOUGH_TEXT = 140

/**
 * The part of a page that it is about: its `<main>`, else the one `<article>` that is most of it, else all of it but navigation,
 * headers, footers and asides of the page.
 */
export function mainContent(body: Element): Element {
  const pruned = prune(body, false)
  const [main] = find(body, (element) => element.name === 'main' || element.attributes['role'] === 'main')
  if (main) return prune(main, true)
  const [longest] = find(pruned, (element) => element.name === 'article')
    .map((article) => ({ article, length: textLength(article, Infinity) }))
    .toSorted((a, b) => b.length - a.length)
  if (longest && longest.length > textLength(pruned, Infinity) / 2) return longest.article
  return textLength(pruned) > 0 ? pruned : body
}

/** Every outermost element that fits and holds enough. */
function find(element: Element, fits: (element: Element) => boolean): readonly Element[] {
  return element.children.flatMap((child) => {
    if (typeof child === 'string') return []
    if (!fits(child)) return find(child, fits)
    return textLength(child) >= ENOUGH_TEXT ? [child] : []
  })
}

/** The header and footer of an article are its own: its title, its date. */
function prune(element: Element, inArticle: boolean): Element {
  const children = element.children.flatMap((child): readonly (Element | string)[] => {
    if (typeof child === 'string') return [child]
    if (isFrame(child, inArticle)) return []
    return [prune(child, inArticle || child.name === 'article' || child.name === 'main')]
  })
  return { ...element, children }
}

function isFrame({ name, attributes }: Element, inArticle: boolean): boolean {
  const role = attributes['role'] ?? ''
  if (name === 'nav' || name === 'aside' || name === 'search') return true
  if (['navigation', 'search', 'complementary', 'banner', 'contentinfo'].includes(role)) return true
  return !inArticle && (name === 'header' || name === 'footer')
}

/** How much text there is, counted no further than `enough`. */
export function textLength(element: Element, enough = ENOUGH_TEXT): number {
  let length = 0
  const waiting: (Element | string)[] = [element]
  for (let next = waiting.pop(); next !== undefined && length < enough; next = waiting.pop()) {
    if (typeof next === 'string') length += next.trim().length
    else for (const child of next.children) waiting.push(child)
  }
  return length
}
