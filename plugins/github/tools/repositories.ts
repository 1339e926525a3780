import { defineTool, ServiceError, Type, type CallContext, type Columns } from '@mcp-patchbay/plugin-api'
import type { GitHubClient } from '../client.ts'
import { pageNote, paragraphs, type Account } from './answers.ts'
import { choice, direction, login, ownerName, paging, repository, timestamp } from './arguments.ts'

type Context = CallContext<GitHubClient>

/** A repository as lists and searches give it. */
export interface Repository {
  readonly full_name: string
  readonly description: string | null
  readonly private?: boolean
  readonly visibility?: string
  readonly fork?: boolean
  readonly archived?: boolean
  readonly default_branch?: string
  readonly language?: string | null
  readonly license?: { readonly name?: string } | null
  readonly topics?: readonly string[]
  readonly stargazers_count?: number
  readonly forks_count?: number
  readonly open_issues_count?: number
  readonly pushed_at?: string | null
  readonly created_at?: string | null
  readonly homepage?: string | null
  readonly html_url: string
}

interface Branch {
  readonly name: string
  readonly commit: { readonly sha: string }
  readonly protected: boolean
}

interface Commit {
  readonly sha: string
  readonly commit: { readonly message: string; readonly author: { readonly name?: string; readonly date?: string } | null }
  readonly author: Account | null
  readonly html_url: string
}

const repositoriesGet = defineTool({
  name: 'repositories_get',
  title: 'Get a repository',
  description:
    'Read what a repository is: description, visibility, default branch, language, license, topics, counts and dates. Its files come from ' +
    'contents_get.',
  access: 'read',
  tags: ['repositories'],
  cache: { ttlMs: 60_000, scope: 'caller' },
  input: Type.Object(repository),
  run: async ({ owner, repo }, { client, format }: Context) => {
    const found = await client.repository({ owner, repo }).get<Repository>([])
    return format.item(found, {
      type: 'Repository',
      title: found.full_name,
      fields: [
        'description',
        { label: 'visibility', value: visibilityOf },
        'archived',
        'fork',
        { label: 'default branch', value: ({ default_branch }) => default_branch },
        'language',
        { label: 'license', value: ({ license }) => license?.name },
        'topics',
        { label: 'stars', value: ({ stargazers_count }) => stargazers_count },
        { label: 'forks', value: ({ forks_count }) => forks_count },
        { label: 'open issues and pull requests', value: ({ open_issues_count }) => open_issues_count },
        { label: 'created', value: ({ created_at }) => created_at },
        { label: 'pushed', value: ({ pushed_at }) => pushed_at },
        'homepage',
        { label: 'url', value: ({ html_url }) => html_url },
      ],
    })
  },
})

const repositoriesList = defineTool({
  name: 'repositories_list',
  title: 'List repositories',
  description:
    'List repositories of an organisation, of a user, or, with neither given, those the token itself has access to. To find some by topic, ' +
    'language or words use search_repositories. Returns a table and says when there are more pages.',
  access: 'read',
  tags: ['repositories'],
  cache: { ttlMs: 30_000, scope: 'caller' },
  input: Type.Object({
    org: Type.Optional(ownerName('An organisation')),
    user: Type.Optional(login('A user')),
    sort: Type.Optional(
      choice(['created', 'updated', 'pushed', 'full_name'], 'Default full_name for a user, created for an organisation'),
    ),
    direction,
    ...paging,
  }),
  run: async ({ org, user, ...query }, { client, format }: Context) => {
    if (org !== undefined && user !== undefined)
      throw new ServiceError('INVALID_INPUT', 'Both org and user were given', { fix: 'Give one of them, or none' })
    const path = org !== undefined ? ['orgs', org, 'repos'] : user !== undefined ? ['users', user, 'repos'] : ['user', 'repos']
    const page = await client.api.page<Repository>(path, query)
    const allowed = page.items.filter((found) => client.allowed.allows(found.full_name))
    return paragraphs(
      format.list(allowed, { type: 'repositories', columns: repositoryColumns }),
      allowed.length < page.items.length ? 'Repositories outside those this server may use are left out.' : undefined,
      pageNote(page),
    )
  },
})

const branchesList = defineTool({
  name: 'branches_list',
  title: 'List branches',
  description:
    'List the branches of a repository with the commit each points to and whether it is protected. Says when there are more pages.',
  access: 'read',
  tags: ['repositories'],
  cache: { ttlMs: 30_000, scope: 'caller' },
  input: Type.Object({
    ...repository,
    protected: Type.Optional(Type.Boolean({ description: 'Only protected branches, or only others' })),
    ...paging,
  }),
  run: async ({ owner, repo, ...query }, { client, format }: Context) => {
    const page = await client.repository({ owner, repo }).page<Branch>(['branches'], query)
    const table = format.list(page.items, {
      type: 'branches',
      columns: ['name', { label: 'sha', value: ({ commit }) => commit.sha }, 'protected'],
    })
    return paragraphs(table, pageNote(page))
  },
})

const commitsList = defineTool({
  name: 'commits_list',
  title: 'List commits',
  description:
    'List commits of a repository, newest first: of the default branch or of sha, optionally only those that touch a path, are by an author, ' +
    'or fall in a time. Returns a table with sha, first line of the message, author and date, and says when there are more pages.',
  access: 'read',
  tags: ['repositories'],
  input: Type.Object({
    ...repository,
    sha: Type.Optional(
      Type.String({ minLength: 1, description: 'A branch, tag or commit to start from; default the default branch' }),
    ),
    path: Type.Optional(Type.String({ minLength: 1, description: 'Only commits that touch this file or folder' })),
    author: Type.Optional(Type.String({ minLength: 1, description: 'A login or an e-mail address' })),
    since: Type.Optional(timestamp('Only commits after this time')),
    until: Type.Optional(timestamp('Only commits before this time')),
    ...paging,
  }),
  run: async ({ owner, repo, ...query }, { client, format }: Context) => {
    const page = await client.repository({ owner, repo }).page<Commit>(['commits'], query)
    const table = format.list(page.items, {
      type: 'commits',
      columns: [
        'sha',
        { label: 'message', value: ({ commit }) => commit.message.split('\n', 1)[0] },
        { label: 'author', value: ({ author, commit }) => author?.login ?? commit.author?.name },
        { label: 'date', value: ({ commit }) => commit.author?.date },
        { label: 'url', value: ({ html_url }) => html_url },
      ],
    })
    return paragraphs(table, pageNote(page))
  },
})

/** Repositories, their branches and commits. */
export const repositoryTools = [repositoriesGet, repositoriesList, branchesList, commitsList]

/** A repository as one row of a list; searches show it in the same way. */
export const repositoryColumns = [
  { label: 'name', value: ({ full_name }) => full_name },
  'description',
  { label: 'visibility', value: (found) => visibilityOf(found) },
  'archived',
  'language',
  { label: 'stars', value: ({ stargazers_count }) => stargazers_count },
  { label: 'pushed', value: ({ pushed_at }) => pushed_at },
  { label: 'url', value: ({ html_url }) => html_url },
] as const satisfies Columns<Repository>

function visibilityOf({ visibility, private: isPrivate }: Repository): string | undefined {
  return visibility ?? (isPrivate === undefined ? undefined : isPrivate ? 'private' : 'public')
}
