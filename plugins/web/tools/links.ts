import { defineTool, Type, type CallContext } from '@mcp-patchbay/plugin-api'
import type { Web } from '../web.ts'
import { address } from './pages.ts'

const DEFAULT_LIMIT = 100

export const linksList = defineTool({
  name: 'links_list',
  title: 'List the links of a page',
  description:
    'List where a public web page leads: text and absolute address of each link, in the order of the page, navigation included. ' +
    'Use it to find the next page to read on a site. Returns a Markdown table.',
  access: 'read',
  tags: ['pages'],
  cache: { ttlMs: 60_000, scope: 'caller' },
  annotations: { openWorldHint: true },
  input: Type.Object({
    url: address,
    same_site: Type.Optional(Type.Boolean({ default: false, description: 'Only links to the same host' })),
    containing: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description: 'Only links whose text or address contains this, in upper or lower case',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000, default: DEFAULT_LIMIT, description: 'The most links to return' }),
    ),
  }),
  run: async (
    { url, same_site = false, containing = '', limit = DEFAULT_LIMIT },
    { client, cache, format }: CallContext<Web>,
  ) => {
    const document = await client.document(url, { whole: true, cache })
    const { host } = new URL(document.url)
    const wanted = containing.toLowerCase()
    const found = document.links.filter(
      (link) => (!same_site || URL.parse(link.url)?.host === host) && `${link.text}\n${link.url}`.toLowerCase().includes(wanted),
    )
    return format.list(found.slice(0, limit), {
      type: found.length === 1 ? 'link' : 'links',
      columns: ['text', 'url'],
      total: found.length,
    })
  },
})
