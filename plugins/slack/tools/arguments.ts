import { ServiceError, Type } from '@mcp-patchbay/plugin-api'

export const channel = Type.String({
  pattern: '^[CDG][A-Z0-9]{2,30}$',
  description: 'The id of a channel, such as C012AB3CD; channels_list has them',
})

export const timestamp = (description: string) => Type.String({ pattern: '^[0-9]{1,12}\\.[0-9]{1,8}$', description })

export const time = (description: string) =>
  Type.Optional(Type.String({ format: 'date-time', description: `${description}, ISO 8601: 2026-01-31T00:00:00Z` }))

/** Slack's own form of a moment: seconds of the epoch, as text. */
export function slackTime(iso: string | undefined): string | undefined {
  if (iso === undefined) return undefined
  const ms = Date.parse(iso)
  if (Number.isNaN(ms))
    throw new ServiceError('INVALID_INPUT', `"${iso}" is not a time`, { fix: 'Write it as 2026-01-31T00:00:00Z' })
  return (ms / 1000).toFixed(6)
}

/** Which page of a list. */
export const paging = {
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'From the end of the page before' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, description: 'Default 50' })),
}

export const DEFAULT_LIMIT = 50
