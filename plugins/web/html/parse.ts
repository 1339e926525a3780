import { Parser } from 'htmlparser2'

/** An element as far as reading is concerned. */
export interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: (Element | string)[]
  /** Something in it starts a line of its own. */
  hasBlock: boolean
}

export interface Page {
  /** Everything that is shown, in one element. */
  readonly body: Element
  readonly title: string | undefined
  /** The `href` of `<base>`. */
  readonly base: string | undefined
}

/**
 * Where reading stops, with what is there by then. Pages that people write are far from both; the parser's stack takes time with the
 * square of its depth: two megabytes of `<div>` took more than 20 s.
 */
const MAX_DEPTH = 400
const MAX_NODES = 100_000

/** Reads HTML of any quality, leaving out what a reader would not see: scripts, styles, hidden elements, controls. Never throws. */
export function parseHtml(html: string): Page {
  const body = element('body', {})
  const open: { node: Element | undefined; name: string }[] = []
  let current: Element = body
  let hidden = 0
  let nodes = 0
  let title: string | undefined
  let base: string | undefined

  const enough = () => {
    nodes += 1
    if (nodes > MAX_NODES || open.length > MAX_DEPTH) throw new Enough()
  }
  const parser = new Parser({
    onopentag(name, attributes) {
      enough()
      if (name === 'base') base ??= attributes['href']
      if (hidden > 0 || isHidden(name, attributes)) {
        hidden += 1
        open.push({ node: undefined, name })
        return
      }
      const node = element(name, attributes)
      // <html>, <head> and <body> are where they are; what they hold goes to the one body.
      if (!SHELL.has(name)) current.children.push(node)
      open.push({ node: SHELL.has(name) ? current : node, name })
      if (!SHELL.has(name)) current = node
      if (BLOCKS.has(name)) for (let at = open.length - 2; at >= 0; at -= 1) if (!markBlock(open[at]?.node)) break
    },
    ontext(text) {
      const name = open.at(-1)?.name
      if (name === 'title' && open.every((entry) => entry.name !== 'svg')) title = (title ?? '') + text
      if (hidden > 0) return
      // The parser reports an entity by itself; code that escapes text has to see what is next to it.
      const last = current.children.length - 1
      if (typeof current.children[last] === 'string') current.children[last] += text
      else {
        enough()
        current.children.push(text)
      }
    },
    onclosetag() {
      const closed = open.pop()
      if (closed && closed.node === undefined) hidden -= 1
      current = open.findLast((entry) => entry.node !== undefined)?.node ?? body
    },
  })
  try {
    parser.end(html)
  } catch (error) {
    if (!(error instanceof Enough)) throw error
  }
  return { body, title: title?.replace(/\s+/g, ' ').trim() || undefined, base }
}

/** Ends the parsing from inside: the parser has no other way. */
class Enough extends Error {}

/** False if the element already had the mark; then every element around it has it too. */
function markBlock(node: Element | undefined): boolean {
  if (!node || node.hasBlock) return false
  node.hasBlock = true
  return true
}

function element(name: string, attributes: Readonly<Record<string, string>>): Element {
  return { name, attributes, children: [], hasBlock: false }
}

function isHidden(name: string, attributes: Readonly<Record<string, string>>): boolean {
  if (UNSEEN.has(name) || Object.hasOwn(attributes, 'hidden') || attributes['aria-hidden'] === 'true') return true
  // Text that people do not see and models do is how pages give models orders.
  return /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$))/i.test(
    attributes['style'] ?? '',
  )
}

const SHELL = new Set(['html', 'head', 'body'])

const UNSEEN = new Set(
  'script style template noscript svg math canvas iframe object embed audio video map title button select textarea input dialog link meta base'.split(
    ' ',
  ),
)

/** Elements that stand on lines of their own. */
export const BLOCKS: ReadonlySet<string> = new Set(
  (
    'address article aside blockquote center dd details dir div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header ' +
    'hgroup hr legend li main menu nav ol p pre search section summary table tbody td tfoot th thead tr ul'
  ).split(' '),
)
