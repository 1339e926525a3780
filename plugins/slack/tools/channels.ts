import { defineTool, Type, type CallContext } from '@mcp-patchbay/plugin-api'
import type { Listed, SlackClient } from '../client.ts'
import { namesOf } from '../people.ts'
import { cursorNote, paragraphs } from './answers.ts'
import { channel, DEFAULT_LIMIT, paging, slackTime, time } from './arguments.ts'
import { messageColumns, readable, usersIn, type Message } from './message.ts'

type Context = CallContext<SlackClient>

interface Channel {
  readonly id: string
  readonly name?: string
  /** Of a direct message: the other one. */
  readonly user?: string
  readonly is_im?: boolean
  readonly is_mpim?: boolean
  readonly is_private?: boolean
  readonly is_archived?: boolean
  readonly is_member?: boolean
  readonly num_members?: number
  readonly topic?: { readonly value?: string }
  readonly purpose?: { readonly value?: string }
}

const channelsList = defineTool({
  name: 'channels_list',
  title: 'List channels',
  description:
    'List the channels of the workspace, to find the id that the other tools take. Public channels unless types says otherwise. Returns a ' +
    'table with id, name, kind, membership, topic and purpose, and a cursor when there are more.',
  access: 'read',
  tags: ['channels'],
  cache: { ttlMs: 60_000, scope: 'caller' },
  input: Type.Object({
    types: Type.Optional(
      Type.Array(Type.Enum(['public_channel', 'private_channel', 'mpim', 'im'], { type: 'string' }), {
        minItems: 1,
        uniqueItems: true,
        description: 'Kinds of conversations: mpim is a group message, im a direct one. Default public_channel',
      }),
    ),
    include_archived: Type.Optional(Type.Boolean({ description: 'Default false' })),
    ...paging,
  }),
  run: async ({ types = ['public_channel'], include_archived = false, cursor, limit = DEFAULT_LIMIT }, ctx: Context) => {
    const query = { types: types.join(','), exclude_archived: !include_archived, cursor, limit }
    const page = await ctx.client.read<Listed & { channels: readonly Channel[] }>('conversations.list', query)
    const names = await namesOf(
      page.channels.flatMap(({ user }) => user ?? []),
      ctx,
    )
    const table = ctx.format.list(page.channels, {
      type: 'channels',
      columns: [
        'id',
        { label: 'name', value: ({ name, user }) => name ?? (user && (names.get(user) ?? user)) },
        { label: 'kind', value: kindOf },
        { label: 'member', value: ({ is_member }) => is_member },
        { label: 'members', value: ({ num_members }) => num_members },
        { label: 'topic', value: ({ topic }) => topic?.value },
        { label: 'purpose', value: ({ purpose }) => purpose?.value },
      ],
    })
    return paragraphs(table, cursorNote(page))
  },
})

const channelsHistory = defineTool({
  name: 'channels_history',
  title: 'Read a channel',
  description:
    'Read the messages of a channel, newest first, optionally only of some time. Replies in threads are not among them: a message with replies ' +
    'says how many, and messages_replies reads them. Returns a table with time, author, text and ts (which names the message for other ' +
    'tools), and a cursor when there are more. Long texts are cut here, not by messages_replies.',
  access: 'read',
  tags: ['channels'],
  input: Type.Object({
    channel,
    since: time('Only messages after this time'),
    until: time('Only messages before this time'),
    ...paging,
  }),
  run: async ({ channel: id, since, until, cursor, limit = DEFAULT_LIMIT }, ctx: Context) => {
    const query = { channel: id, oldest: slackTime(since), latest: slackTime(until), cursor, limit }
    const page = await ctx.client.read<Listed & { messages: readonly Message[] }>('conversations.history', query)
    const names = await namesOf(page.messages.flatMap(usersIn), ctx)
    const rows = page.messages.map((message) => readable(message, names))
    return paragraphs(ctx.format.list(rows, { type: 'messages', columns: messageColumns }), cursorNote(page))
  },
})

/** Channels and what is said in them. */
export const channelTools = [channelsList, channelsHistory]

function kindOf({ is_im, is_mpim, is_private, is_archived }: Channel): string {
  const kind = is_im ? 'direct message' : is_mpim ? 'group message' : is_private ? 'private' : 'public'
  return is_archived ? `${kind}, archived` : kind
}
