import { parseDomFromString } from '@node-saml/node-saml/lib/xml.js'
import { boundXml } from './xml-bounds.ts'

/** A node as the parser makes it: what we use of the DOM. */
export interface XmlNode {
  readonly nodeType: number
  readonly localName: string | null
  readonly namespaceURI: string | null
  readonly nodeValue: string | null
  readonly parentNode: XmlNode | null
  readonly firstChild: XmlNode | null
  readonly nextSibling: XmlNode | null
  removeChild(child: XmlNode): unknown
}

export interface XmlElement extends XmlNode {
  readonly localName: string
  readonly attributes: { readonly length: number; item(index: number): XmlAttribute | null }
  getAttribute(name: string): string
  hasAttribute(name: string): boolean
}

interface XmlAttribute {
  readonly name: string
  readonly value: string
  readonly prefix: string | null
  readonly localName: string
}

/**
 * The root element, from the parser of @node-saml/node-saml: the package offers no other way to it. Rejects what is no XML and what is
 * beyond the bounds of `boundXml`. No XPath is asked later: its library sorts siblings in quadratic time.
 */
export async function parseXml(text: string): Promise<XmlElement> {
  boundXml(text)
  return rootOf(await parseDomFromString(text))
}

/** The root element alone, without anything in it: cheap, whatever the document holds. Rejects as `parseXml` does. */
export async function parseRootTag(text: string): Promise<XmlElement> {
  const tag = boundXml(text)
  return rootOf(await parseDomFromString(tag.endsWith('/>') ? tag : `${tag.slice(0, -1)}/>`))
}

function rootOf(document: unknown): XmlElement {
  for (let node = (document as XmlNode).firstChild; node; node = node.nextSibling) if (isElement(node)) return node
  throw new Error('it has no element')
}

export function isElement(node: XmlNode): node is XmlElement {
  return node.nodeType === ELEMENT
}

/** The child elements of that local name, in document order. */
export function children(parent: XmlNode, name: string): readonly XmlElement[] {
  const found: XmlElement[] = []
  for (let node = parent.firstChild; node; node = node.nextSibling)
    if (isElement(node) && node.localName === name) found.push(node)
  return found
}

/** Every element of a document, in its order. */
export function* elementsOf(root: XmlElement): Generator<XmlElement> {
  const stack: XmlElement[] = [root]
  for (let element = stack.pop(); element; element = stack.pop()) {
    yield element
    const inside: XmlElement[] = []
    for (let node = element.firstChild; node; node = node.nextSibling) if (isElement(node)) inside.push(node)
    stack.push(...inside.toReversed())
  }
}

/** Undefined where there is none. */
export function attribute(element: XmlElement, name: string): string | undefined {
  return element.hasAttribute(name) ? element.getAttribute(name) : undefined
}

/**
 * The text of an element without the white space of XML around it (U+0020, tab and line ends, no other). Undefined where it holds
 * something else than text: what stands between the parts of a name must not be overlooked. Comments count for nothing, as in canonical
 * XML.
 */
export function textOf(element: XmlElement): string | undefined {
  let text = ''
  for (let node = element.firstChild; node; node = node.nextSibling) {
    if (node.nodeType === COMMENT) continue
    if (node.nodeType !== TEXT && node.nodeType !== CDATA) return undefined
    text += node.nodeValue ?? ''
  }
  return text.replace(/^[ \t\r\n]+/, '').replace(/(?<![ \t\r\n])[ \t\r\n]+$/, '')
}

const ELEMENT = 1
const TEXT = 3
const CDATA = 4
const COMMENT = 8
