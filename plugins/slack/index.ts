import { definePlugin, hasCredential } from '@mcp-patchbay/plugin-api'
import { SlackClient } from './client.ts'
import { config } from './config.ts'
import { channelTools } from './tools/channels.ts'
import { messageTools } from './tools/messages.ts'
import { userTools } from './tools/users.ts'

/** One Slack workspace. */
export default definePlugin({
  name: 'slack',
  description: 'Slack: channels, messages, threads, search and people of one workspace.',
  docsUrl: 'https://api.slack.com/concepts/token-types',
  config,
  isAuthConfigured: hasCredential,
  createClient: ({ http }) => new SlackClient(http),
  tools: [...channelTools, ...messageTools, ...userTools],
})
