import { defineTool, Type, type CallContext } from '@mcp-patchbay/plugin-api'
import type { Listed, SlackClient } from '../client.ts'
import { namesOf } from '../people.ts'
import { textBlock } from '../text-block.ts'
import { cursorNote, paragraphs } from './answers.ts'
import { channel, DEFAULT_LIMIT, paging, timestamp } from './arguments.ts'
import { readable, usersIn, type Message } from './message.ts'

type Context = CallContext<SlackClient>

interface Match extends Message {
  readonly channel: { readonly id: string; readonly name?: string }
  readonly permalink?: string
}

interface Matches {
  readonly messages: {
    readonly total: number
    readonly matches: readonly Match[]
    readonly paging?: { readonly page: number; readonly pages: number }
  }
}

const messagesPost = defineTool({
  name: 'messages_post',
  title: 'Post a message',
  description:
    'Post a message to a channel, or with thread_ts as a reply in a thread. Everyone in the channel can read it at once; it cannot be taken ' +
    'back by this server. Text is Slack mrkdwn: *bold*, _italic_, `code`, <https://example.com|a link>, <@U012AB3CD> for a person. Returns ' +
    'the ts of the new message.',
  access: 'write',
  tags: ['messages'],
  annotations: { destructiveHint: false, idempotentHint: false },
  input: Type.Object({
    channel,
    text: Type.String({ minLength: 1, maxLength: 40_000, description: 'Slack mrkdwn; best below 4,000 characters' }),
    thread_ts: Type.Optional(timestamp('The ts of the message to reply to')),
    reply_broadcast: Type.Optional(Type.Boolean({ description: 'Show the reply in the channel too; needs thread_ts' })),
  }),
  run: async (message, { client, format }: Context) => {
    const posted = await client.write<{ channel: string; ts: string }>('chat.postMessage', message)
    return format.item(posted, {
      type: message.thread_ts === undefined ? 'Posted message' : 'Posted reply',
      title: posted.ts,
      fields: ['channel', 'ts'],
    })
  },
})

const messagesReplies = defineTool({
  name: 'messages_replies',
  title: 'Read a thread',
  description:
    'Read a thread: the message it began with, then its replies, oldest first, each with its whole text. Also reads one message without ' +
    'replies whole. Take ts from channels_history. Returns a cursor when there are more.',
  access: 'read',
  tags: ['messages'],
  input: Type.Object({ channel, ts: timestamp('The ts of the message the thread began with'), ...paging }),
  run: async ({ channel: id, ts, cursor, limit = DEFAULT_LIMIT }, ctx: Context) => {
    const query = { channel: id, ts, cursor, limit }
    const page = await ctx.client.read<Listed & { messages: readonly Message[] }>('conversations.replies', query)
    const names = await namesOf(page.messages.flatMap(usersIn), ctx)
    const shown = page.messages.map((message) => {
      const { author, time, text, ...rest } = readable(message, names)
      const heading = ctx.format.item(rest, {
        type: message.thread_ts === undefined || message.thread_ts === message.ts ? 'Message' : 'Reply',
        title: `${author}, ${time}`,
        fields: ['replies', 'reactions', 'files', 'ts'],
      })
      return paragraphs(heading, text && textBlock(text))
    })
    return paragraphs(...(shown.length === 0 ? ['No messages found.'] : shown), cursorNote(page))
  },
})

const messagesSearch = defineTool({
  name: 'messages_search',
  title: 'Search messages',
  description:
    'Find messages that the owner of the token can read, by words and by modifiers such as in:#general, from:@name, has:link, before:2026-01-31, ' +
    'after:2026-01-01. Needs a user token. Returns a table with channel, time, author, text and link, and how many there are.',
  access: 'read',
  tags: ['messages'],
  input: Type.Object({
    query: Type.String({ minLength: 1, maxLength: 500, description: 'Words, "phrases" and modifiers; -word excludes' }),
    sort: Type.Optional(
      Type.Enum(['score', 'timestamp'], { type: 'string', description: 'Default score, the best match first' }),
    ),
    sort_dir: Type.Optional(Type.Enum(['asc', 'desc'], { type: 'string', description: 'Default desc' })),
    page: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Default 1' })),
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Messages on a page, default 20' })),
  }),
  run: async ({ page = 1, count = 20, ...search }, ctx: Context) => {
    const { messages } = await ctx.client.read<Matches>('search.messages', { ...search, page, count })
    const names = await namesOf(messages.matches.flatMap(usersIn), ctx)
    const rows = messages.matches.map((match) => ({ match, ...readable(match, names) }))
    const pages = messages.paging?.pages ?? 1
    return paragraphs(
      ctx.format.list(rows, {
        type: 'messages',
        total: messages.total,
        columns: [
          { label: 'channel', value: ({ match }) => match.channel.name ?? match.channel.id },
          { label: 'channel id', value: ({ match }) => match.channel.id },
          'time',
          'author',
          'text',
          'ts',
          { label: 'url', value: ({ match }) => match.permalink },
        ],
      }),
      page < pages ? `Page ${page} of ${pages}. There is more: call again with page ${page + 1}.` : undefined,
    )
  },
})

/** Messages and threads. */
export const messageTools = [messagesPost, messagesReplies, messagesSearch]
