import { definePlugin } from '@mcp-patchbay/plugin-api'
import { config } from './config.ts'
import { linksList } from './tools/links.ts'
import { pagesFetch } from './tools/pages.ts'
import { Web } from './web.ts'

export default definePlugin({
  name: 'web',
  description: 'Reads public web pages as Markdown.',
  config,
  isAuthConfigured: () => true,
  createClient: ({ http, config: settings }) => new Web(http, settings),
  tools: [pagesFetch, linksList],
  capabilities: { hosts: ['public'] },
})
