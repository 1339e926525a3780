import { Type, type Static } from '@mcp-patchbay/plugin-api'

export const config = Type.Object({
  userAgent: Type.String({
    default: 'PatchbayWeb/0.1',
    minLength: 1,
    pattern: '^[!-~ ]+$',
    description: 'How pages are asked for; what comes before the / is the name that robots.txt rules are looked up by',
  }),
  respectRobots: Type.Boolean({
    default: true,
    description: 'Whether pages that robots.txt closes to this user agent stay unread. Turn it off only for sites that are yours',
  }),
  maxBytes: Type.Integer({ default: 2_000_000, minimum: 1, maximum: 10_000_000, description: 'The longest answer that is read' }),
})

export type WebConfig = Static<typeof config>
