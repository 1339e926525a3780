import { Secret, Type } from '@mcp-patchbay/plugin-api'

/** What the plugin reads: `SLACK_API_URL` and `SLACK_PERSONAL_TOKEN` for the instance `slack`. */
export const config = Type.Object({
  apiUrl: Type.String({
    default: 'https://slack.com/api',
    pattern: '^https?://',
    description: 'Where the Web API begins. GovSlack: https://slack-gov.com/api',
  }),
  apiToken: Type.Optional(Secret({ description: 'The same under another name; `personalToken` goes before it' })),
  personalToken: Type.Optional(
    Secret({
      description: 'A bot token (xoxb-…) or user token (xoxp-…). Search needs a user token. Without one the tools are hidden',
    }),
  ),
})
