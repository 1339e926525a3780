import { defineTool, Type, type CallContext, type Columns, type ResponseFormatter } from '@mcp-patchbay/plugin-api'
import type { GitHubClient, Paging } from '../client.ts'
import { searchQuery, type SearchKind } from '../search-query.ts'
import { pageNote, paragraphs } from './answers.ts'
import { choice, ownerName, paging, repoName } from './arguments.ts'
import { issueColumns, type Issue } from './issues.ts'
import { repositoryColumns, type Repository } from './repositories.ts'

type Context = CallContext<GitHubClient>

interface SearchAnswer<Item> {
  readonly total_count: number
  /** True when GitHub ran out of time. */
  readonly incomplete_results: boolean
  readonly items: readonly Item[]
}

interface CodeMatch {
  readonly name: string
  readonly path: string
  readonly html_url: string
  readonly repository: { readonly full_name: string }
}

interface FoundIssue extends Issue {
  readonly repository_url: string
}

const where = {
  owner: Type.Optional(ownerName('Search only what this user or organisation owns')),
  repo: Type.Optional(repoName('Search only this repository; needs owner')),
}

const order = Type.Optional(choice(['asc', 'desc'], 'Default desc; needs sort'))

const searchCode = defineTool({
  name: 'search_code',
  title: 'Search code',
  description:
    'Find files that contain some words, on default branches. Use it to find where something is defined or used, then read the file with ' +
    'contents_get. Returns repository, path and URL of each match, without the matching lines. GitHub allows ten of these searches a minute.',
  access: 'read',
  tags: ['search'],
  input: Type.Object({
    query: queryText('language:go path:src extension:ts filename:package.json'),
    ...where,
    ...paging,
  }),
  run: (input, { client, format }: Context) =>
    search<CodeMatch>({
      kind: 'code',
      input,
      client,
      format,
      repositoryOf: ({ repository }) => repository.full_name,
      columns: [
        { label: 'repository', value: ({ repository }) => repository.full_name },
        'path',
        { label: 'url', value: ({ html_url }) => html_url },
      ],
    }),
})

const searchIssues = defineTool({
  name: 'search_issues',
  title: 'Search issues and pull requests',
  description:
    'Find issues and pull requests by words in title, text and comments, and by qualifiers. Use it before opening an issue, and to find ' +
    'work by author, label, state or review. Returns a table; read one with issues_get or pulls_get.',
  access: 'read',
  tags: ['search'],
  input: Type.Object({
    query: queryText('is:open author:octocat label:"good first issue" created:>2026-01-31'),
    type: Type.Optional(choice(['issue', 'pull_request'], 'Only issues or only pull requests. Tokens of a GitHub App need it')),
    ...where,
    sort: Type.Optional(choice(['comments', 'reactions', 'interactions', 'created', 'updated'], 'Default best match')),
    order,
    ...paging,
  }),
  run: ({ type, ...input }, { client, format }: Context) =>
    search<FoundIssue>({
      kind: 'issues',
      input,
      qualifiers: type === undefined ? [] : [type === 'issue' ? 'is:issue' : 'is:pr'],
      // Parentheses mean something only there; the default since 2025, not on every Enterprise Server.
      extra: { advanced_search: 'true' },
      client,
      format,
      repositoryOf: fullNameOf,
      columns: [{ label: 'repository', value: fullNameOf }, ...issueColumns],
    }),
})

const searchRepositories = defineTool({
  name: 'search_repositories',
  title: 'Search repositories',
  description:
    'Find repositories by words in name, description and readme, and by qualifiers. Returns a table; read one with repositories_get.',
  access: 'read',
  tags: ['search'],
  input: Type.Object({
    query: queryText('language:rust topic:parser stars:>100 archived:false in:name'),
    owner: where.owner,
    sort: Type.Optional(choice(['stars', 'forks', 'help-wanted-issues', 'updated'], 'Default best match')),
    order,
    ...paging,
  }),
  run: (input, { client, format }: Context) =>
    search<Repository>({
      kind: 'repositories',
      input,
      client,
      format,
      repositoryOf: ({ full_name }) => full_name,
      columns: repositoryColumns,
    }),
})

/** Searches over code, issues and repositories. */
export const searchTools = [searchCode, searchIssues, searchRepositories]

interface Search<Item extends object> {
  readonly kind: SearchKind
  readonly input: Paging & {
    readonly query: string
    readonly owner?: string
    readonly repo?: string
    readonly sort?: string
    readonly order?: string
  }
  readonly qualifiers?: readonly string[]
  readonly extra?: Readonly<Record<string, string>>
  readonly client: GitHubClient
  readonly format: ResponseFormatter
  /** `OWNER/REPO` of a result. */
  readonly repositoryOf: (item: Item) => string
  readonly columns: Columns<Item>
}

/** One page of results. What the operator does not allow is kept out twice: by the query, and of what comes back. */
async function search<Item extends object>(options: Search<Item>): Promise<string> {
  const { kind, client, format, repositoryOf, columns, qualifiers = [], extra } = options
  const { query, owner, repo, page = 1, per_page = 30, ...sorting } = options.input
  const scope = client.allowed.searchScope({ owner, repo })
  const q = [searchQuery(kind, query, scope.qualifiers), ...qualifiers].filter(Boolean).join(' ')
  const found = await client.api.get<SearchAnswer<Item>>(['search', kind], { q, page, per_page, ...sorting, ...extra })
  const items = found.items.filter((item) => client.allowed.allows(repositoryOf(item)))
  // GitHub's count would tell how much there is in repositories that are not shown.
  const isWhole = scope.exact && items.length === found.items.length
  const pages = Math.ceil(Math.min(found.total_count, MAX_RESULTS) / per_page)
  return paragraphs(
    format.list(items, { type: TYPES[kind], columns, ...(isWhole ? { total: found.total_count } : {}) }),
    isWhole ? undefined : 'Results outside the repositories this server may use are left out.',
    found.incomplete_results ? 'GitHub ran out of time: there may be more. Narrow the search.' : undefined,
    pageNote({ page, next: page < pages ? page + 1 : undefined, last: isWhole ? pages : undefined }),
  )
}

/** GitHub gives no more of any search. */
const MAX_RESULTS = 1000

const TYPES: Readonly<Record<SearchKind, string>> = {
  code: 'files',
  issues: 'issues and pull requests',
  repositories: 'repositories',
}

function queryText(qualifiers: string) {
  return Type.String({
    minLength: 1,
    maxLength: 1000,
    description:
      `Words, "quoted phrases" and qualifiers that narrow, such as ${qualifiers}. All must match; AND, OR, NOT and parentheses are ` +
      'searched as text. Which repositories: only by the other arguments',
  })
}

function fullNameOf({ repository_url }: FoundIssue): string {
  return repository_url.split('/').slice(-2).join('/')
}
