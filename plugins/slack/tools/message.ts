import type { Columns } from '@mcp-patchbay/plugin-api'
import { mentionedUsers, plainText } from '../mrkdwn.ts'

/** A message as Slack's lists give it. */
export interface Message {
  /** Names the message within its channel: seconds of the epoch, then a count. */
  readonly ts: string
  readonly text?: string
  readonly user?: string
  readonly username?: string
  readonly bot_id?: string
  readonly bot_profile?: { readonly name?: string }
  readonly subtype?: string
  readonly thread_ts?: string
  readonly reply_count?: number
  readonly reactions?: readonly { readonly name: string; readonly count: number }[]
  readonly files?: readonly { readonly name?: string; readonly mimetype?: string }[]
  /** Older apps write here and leave `text` empty. */
  readonly attachments?: readonly { readonly fallback?: string; readonly text?: string }[]
}

/** A message as a reader wants it; its text is plain and not yet escaped. */
export interface ReadableMessage {
  readonly time: string
  readonly author: string
  readonly text: string
  readonly replies: number | undefined
  readonly reactions: readonly string[]
  readonly files: readonly string[]
  readonly ts: string
}

/** The users whose names a message shows. */
export function usersIn(message: Message): string[] {
  return [...(message.user === undefined ? [] : [message.user]), ...mentionedUsers(textOf(message))]
}

/** `names` by user id; where one is missing the id stands. */
export function readable(message: Message, names: ReadonlyMap<string, string>): ReadableMessage {
  const { ts, user, username, bot_profile, bot_id, reply_count, reactions = [], files = [] } = message
  return {
    time: timeOf(ts),
    author: (user && names.get(user)) || username || bot_profile?.name || user || bot_id || 'unknown',
    text: plainText(textOf(message), names),
    replies: reply_count || undefined,
    reactions: reactions.map(({ name, count }) => `:${name}: ${count}`),
    files: files.map(({ name, mimetype }) => name ?? mimetype ?? 'a file'),
    ts,
  }
}

/** A message as one row of a list. */
export const messageColumns = [
  'time',
  'author',
  'text',
  'replies',
  'reactions',
  'files',
  'ts',
] as const satisfies Columns<ReadableMessage>

function textOf({ text, attachments = [] }: Message): string {
  return text || attachments.map((attachment) => attachment.text || attachment.fallback || '').join('\n')
}

function timeOf(ts: string): string {
  const ms = Math.round(Number(ts) * 1000)
  return Number.isNaN(new Date(ms).getTime()) ? ts : new Date(ms).toISOString()
}
