import { defineTool, Type, type CallContext } from '@mcp-patchbay/plugin-api'
import type { Listed, SlackClient } from '../client.ts'
import { nameOf, type User } from '../people.ts'
import { cursorNote, paragraphs } from './answers.ts'
import { DEFAULT_LIMIT, paging } from './arguments.ts'

type Context = CallContext<SlackClient>

const usersList = defineTool({
  name: 'users_list',
  title: 'List people',
  description:
    'List the people and bots of the workspace, those who left included. Use it to find the id of a person by name. Returns a table with id, ' +
    'names, kind and time zone, and a cursor when there are more.',
  access: 'read',
  tags: ['users'],
  cache: { ttlMs: 300_000, scope: 'caller' },
  input: Type.Object(paging),
  run: async ({ cursor, limit = DEFAULT_LIMIT }, { client, format }: Context) => {
    const page = await client.read<Listed & { members: readonly User[] }>('users.list', { cursor, limit })
    const table = format.list(page.members, {
      type: 'people',
      columns: [
        'id',
        { label: 'name', value: nameOf },
        { label: 'handle', value: ({ name }) => name },
        { label: 'kind', value: kindOf },
        { label: 'title', value: ({ profile }) => profile?.title },
        { label: 'time zone', value: ({ tz }) => tz },
      ],
    })
    return paragraphs(table, cursorNote(page))
  },
})

const usersGet = defineTool({
  name: 'users_get',
  title: 'Get a person',
  description:
    'Read the profile of one person or bot by id: names, title, status, time zone, and e-mail address where the token may see it.',
  access: 'read',
  tags: ['users'],
  cache: { ttlMs: 300_000, scope: 'caller' },
  input: Type.Object({
    user: Type.String({
      pattern: '^[UW][A-Z0-9]{2,30}$',
      description: 'The id of a user, such as U012AB3CD; users_list has them',
    }),
  }),
  run: async ({ user: id }, { client, format }: Context) => {
    const { user } = await client.read<{ user: User }>('users.info', { user: id })
    return format.item(user, {
      type: user.is_bot ? 'Bot' : 'Person',
      title: nameOf(user),
      fields: [
        'id',
        { label: 'handle', value: ({ name }) => name },
        { label: 'real name', value: ({ profile, real_name }) => profile?.real_name ?? real_name },
        { label: 'kind', value: kindOf },
        { label: 'title', value: ({ profile }) => profile?.title },
        { label: 'status', value: ({ profile }) => profile?.status_text },
        { label: 'e-mail', value: ({ profile }) => profile?.email },
        { label: 'time zone', value: ({ tz }) => tz },
      ],
    })
  },
})

/** People and bots. */
export const userTools = [usersList, usersGet]

function kindOf({ deleted, is_bot, is_admin, is_restricted }: User): string {
  if (deleted) return 'left'
  if (is_bot) return 'bot'
  return is_admin ? 'administrator' : is_restricted ? 'guest' : 'member'
}
