import { parseDomFromString, xpath } from '@node-saml/node-saml/lib/xml.js'

/** XML, to ask it by XPath. */
export interface XmlDocument {
  /** Values of attributes, in document order. */
  values(path: string): readonly string[]
  /** Texts of elements, in document order. */
  texts(path: string): readonly string[]
}

/**
 * Reads it with the parser that verifies signatures, so that both see the same document: the package offers no other way to it. Rejects
 * what is no XML, and what declares a document type, since that can name entities.
 */
export async function parseXml(text: string): Promise<XmlDocument> {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw new Error('it declares a document type')
  const document = await parseDomFromString(text)
  return {
    values: (path) => xpath.selectAttributes(document, path).map(({ value }) => value),
    texts: (path) => xpath.selectElements(document, path).map(({ textContent }) => textContent ?? ''),
  }
}
