import { ServiceError, type CallContext } from '@mcp-patchbay/plugin-api'
import type { SlackClient } from './client.ts'

/** A member of the workspace: a person or a bot. */
export interface User {
  readonly id: string
  readonly name: string
  readonly real_name?: string
  readonly deleted?: boolean
  readonly is_bot?: boolean
  readonly is_admin?: boolean
  readonly is_restricted?: boolean
  readonly tz?: string
  readonly profile?: {
    readonly display_name?: string
    readonly real_name?: string
    readonly title?: string
    readonly email?: string
    readonly status_text?: string
  }
}

/** What people call them. */
export function nameOf({ id, name, real_name, profile }: User): string {
  return profile?.display_name || profile?.real_name || real_name || name || id
}

/**
 * The names of users, by id, each asked for once in ten minutes. Whoever has none here, because the token may not read users or
 * Slack asks to wait, is missing from the map: messages are worth reading without.
 */
export async function namesOf(
  ids: Iterable<string>,
  { client, cache, log }: Pick<CallContext<SlackClient>, 'client' | 'cache' | 'log'>,
): Promise<ReadonlyMap<string, string>> {
  const wanted = [...new Set(ids)].slice(0, MAX_LOOKUPS)
  const found = await Promise.all(
    wanted.map(async (id): Promise<[string, string]> => {
      try {
        return [id, await cache.wrap(`user ${id}`, { ttlMs: TEN_MINUTES }, () => lookUp(id, client))]
      } catch (error) {
        log.debug('slack_name_unknown', { user: id, reason: error instanceof ServiceError ? error.code : String(error) })
        return [id, '']
      }
    }),
  )
  return new Map(found.filter(([, name]) => name !== ''))
}

const TEN_MINUTES = 600_000

/** A page of messages has few authors; Slack allows about a hundred of these requests a minute. */
const MAX_LOOKUPS = 50

/** An empty name is worth remembering too: asking again would not help. */
async function lookUp(id: string, client: SlackClient): Promise<string> {
  try {
    return nameOf((await client.read<{ user: User }>('users.info', { user: id })).user)
  } catch (error) {
    if (error instanceof ServiceError && (error.code === 'NOT_FOUND' || error.code === 'PERMISSION_DENIED')) return ''
    throw error
  }
}
