import { ServiceError, type HttpResponse } from '@mcp-patchbay/plugin-api'
import { decode } from './charset.ts'
import { withoutInvisible } from './html/escape.ts'
import { mainContent } from './html/main-content.ts'
import { linksIn, type Link } from './html/links.ts'
import { toMarkdown } from './html/markdown.ts'
import { parseHtml } from './html/parse.ts'

/** What a model can read of one address, as plain JSON. */
export interface WebDocument {
  /** Where it came from after redirects. */
  readonly url: string
  readonly title: string | undefined
  /** Markdown, or the text of another format that belongs into a fence. */
  readonly text: string
  /** The language of that fence; undefined for Markdown. */
  readonly fence: string | undefined
  readonly links: readonly Link[]
}

/** More of one page is not kept. */
const MAX_TEXT = 1_000_000

/** Reads an answer by what it is. Throws `INVALID_INPUT` for what is not text. */
export function readDocument(response: HttpResponse, { whole }: { whole: boolean }): WebDocument {
  const contentType = response.headers['content-type'] ?? ''
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() || sniff(response.body)
  const format = formatOf(type)
  if (format === 'binary')
    throw new ServiceError('INVALID_INPUT', `This is ${type}, ${response.body.length} bytes, which has no text to read`, {
      fix: 'Look for a page about it instead',
    })
  const source = decode(response.body, contentType, { html: format === 'html' })
  if (format !== 'html') {
    const text = withoutInvisible(source).slice(0, MAX_TEXT)
    return { url: response.url, title: undefined, text, fence: format === 'markdown' ? undefined : format.fence, links: [] }
  }
  const page = parseHtml(source)
  const base = URL.parse(page.base ?? '', response.url)?.href ?? response.url
  const content = whole ? page.body : mainContent(page.body)
  return {
    url: response.url,
    title: page.title,
    text: toMarkdown(content, base).slice(0, MAX_TEXT),
    fence: undefined,
    links: linksIn(content, base),
  }
}

type Format = 'html' | 'markdown' | 'binary' | { readonly fence: string }

function formatOf(type: string): Format {
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'html'
  if (type === 'text/markdown') return 'markdown'
  const subtype = type.slice(type.indexOf('/') + 1)
  if (/(?:^|\+)json$|^json5$|ndjson$/.test(subtype)) return { fence: 'json' }
  if (/(?:^|\+)xml$/.test(subtype)) return { fence: 'xml' }
  if (/(?:^|\+|^x-)ya?ml$/.test(subtype)) return { fence: 'yaml' }
  if (/(?:javascript|ecmascript)$/.test(subtype)) return { fence: 'js' }
  if (type === 'text/plain') return { fence: 'text' }
  if (type.startsWith('text/')) return { fence: /^[a-z]+$/.test(subtype) ? subtype : 'text' }
  return type === 'application/toml' || type === 'application/sql' ? { fence: subtype } : 'binary'
}

/** The type of an answer that does not say it. */
function sniff(body: Uint8Array): string {
  const start = new TextDecoder('latin1').decode(body.subarray(0, 1024))
  if (/^\s*<(?:!doctype html|html|head|body|\?xml[^>]*>\s*<!doctype html)/i.test(start)) return 'text/html'
  // oxlint-disable-next-line no-control-regex -- bytes that no text has are what is looked for
  return /[\u0000-\u0008\u000e-\u001a]/.test(start) ? 'application/octet-stream' : 'text/plain'
}
