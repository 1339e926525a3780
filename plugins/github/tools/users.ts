import { defineTool, Type, type CallContext, type ResponseFormatter } from '@mcp-patchbay/plugin-api'
import type { GitHubClient } from '../client.ts'
import { login } from './arguments.ts'

type Context = CallContext<GitHubClient>

interface User {
  readonly login: string
  readonly name?: string | null
  readonly type: string
  readonly company?: string | null
  readonly location?: string | null
  readonly blog?: string | null
  readonly bio?: string | null
  readonly public_repos?: number
  readonly followers?: number
  readonly created_at?: string
  readonly html_url: string
}

const usersGet = defineTool({
  name: 'users_get',
  title: 'Get a user',
  description: 'Read the public profile of a user or organisation by login: name, company, location, bio, counts and since when.',
  access: 'read',
  tags: ['users'],
  cache: { ttlMs: 300_000, scope: 'caller' },
  input: Type.Object({ username: login('For example octocat') }),
  run: async ({ username }, { client, format }: Context) => userItem(await client.api.get<User>(['users', username]), format),
})

const usersMe = defineTool({
  name: 'users_me',
  title: 'Get the token’s own user',
  description: 'Read whose token this server uses. Use it for questions about "me" and "my", and to see whether the token works.',
  access: 'read',
  tags: ['users'],
  cache: { ttlMs: 60_000, scope: 'caller' },
  input: Type.Object({}),
  run: async (_input, { client, format }: Context) => userItem(await client.api.get<User>(['user']), format),
})

/** People and organisations. */
export const userTools = [usersGet, usersMe]

function userItem(user: User, format: ResponseFormatter): string {
  return format.item(user, {
    type: user.type === 'Organization' ? 'Organisation' : user.type,
    title: user.login,
    fields: [
      'name',
      'company',
      'location',
      'bio',
      { label: 'site', value: ({ blog }) => blog },
      { label: 'public repositories', value: ({ public_repos }) => public_repos },
      'followers',
      { label: 'since', value: ({ created_at }) => created_at },
      { label: 'url', value: ({ html_url }) => html_url },
    ],
  })
}
