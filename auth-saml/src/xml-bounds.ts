/**
 * What a document may be at most, so that every later step is cheap whatever it holds: a login with 5,000 groups, each in an attribute
 * of its own, has some 10,000 elements. `names` bounds the parser, which searches the text once for every distinct name.
 */
export const XML_LIMITS = Object.freeze({ elements: 16_384, depth: 32, attributes: 64, names: 128 })

/**
 * The start tag of the root element, after one pass over the text that keeps it within {@link XML_LIMITS}. Throws for what is beyond
 * them, for a document type (it can name entities) and for a processing instruction: canonical XML of our library takes its content for
 * text. It is no parser: what it lets through may still be no XML.
 */
export function boundXml(text: string): string {
  const names = new Set<string>()
  let root: string | undefined
  let elements = 0
  let depth = 0
  let at = DECLARATION.exec(text)?.[0].length ?? 0
  for (at = text.indexOf('<', at); at !== -1; at = text.indexOf('<', at)) {
    if (text.startsWith('<!--', at)) at = endOf(text, '-->', at + 4)
    else if (text.startsWith('<![CDATA[', at)) at = endOf(text, ']]>', at + 9)
    else if (text.startsWith('<?', at)) throw new Error('it has a processing instruction')
    else if (text.startsWith('<!', at)) throw new Error('it declares a document type')
    else if (text.startsWith('</', at)) {
      depth -= 1
      at = endOf(text, '>', at + 2)
    } else {
      const end = endOfTag(text, at + 1)
      const tag = text.slice(at, end)
      names.add(NAME.exec(tag)?.[0] ?? '')
      elements += 1
      root ??= tag
      if (!tag.endsWith('/>')) depth += 1
      if (elements > XML_LIMITS.elements) throw new Error(`it has more than ${XML_LIMITS.elements} elements`)
      if (depth > XML_LIMITS.depth) throw new Error(`its elements nest deeper than ${XML_LIMITS.depth}`)
      if (names.size > XML_LIMITS.names) throw new Error(`it has more than ${XML_LIMITS.names} names of elements`)
      at = end
    }
  }
  if (root === undefined) throw new Error('it has no element')
  return root
}

const DECLARATION = /^\uFEFF?<\?xml\s[^<>]{0,200}\?>/
const NAME = /^<[^\s/>]*/

/** Where the start tag ends: after the first `>` outside of quotes. Counts its attributes on the way. */
function endOfTag(text: string, from: number): number {
  let attributes = 0
  for (let at = from; at < text.length; at += 1) {
    const character = text[at]
    if (character === '>') return at + 1
    if (character === '<') throw new Error('a tag has no end')
    if (character !== '"' && character !== "'") continue
    attributes += 1
    if (attributes > XML_LIMITS.attributes) throw new Error(`an element has more than ${XML_LIMITS.attributes} attributes`)
    at = endOf(text, character, at + 1) - 1
  }
  throw new Error('a tag has no end')
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from)
  if (found === -1) throw new Error('a part of it has no end')
  return found + mark.length
}
