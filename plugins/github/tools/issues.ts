import { defineTool, ServiceError, Type, type CallContext, type Columns, type ResponseFormatter } from '@mcp-patchbay/plugin-api'
import type { GitHubClient } from '../client.ts'
import { labelNames, logins, pageNote, paragraphs, written, type Account } from './answers.ts'
import { choice, direction, issueNumber, paging, repository, timestamp, title } from './arguments.ts'

type Context = CallContext<GitHubClient>

/** An issue as GitHub's lists, searches and single reads give it. */
export interface Issue {
  readonly number: number
  readonly title: string
  readonly state: string
  readonly state_reason?: string | null
  readonly body?: string | null
  readonly user: Account | null
  readonly assignees?: readonly Account[] | null
  readonly labels?: readonly (string | { readonly name?: string | null })[]
  readonly milestone?: { readonly title: string } | null
  readonly comments: number
  readonly created_at: string
  readonly updated_at: string
  readonly closed_at: string | null
  readonly html_url: string
  /** Present on pull requests, which GitHub's issue endpoints hold too. */
  readonly pull_request?: object
}

interface Comment {
  readonly id: number
  readonly body?: string
  readonly user: Account | null
  readonly created_at: string
  readonly updated_at: string
  readonly html_url: string
}

const issuesGet = defineTool({
  name: 'issues_get',
  title: 'Get an issue',
  description:
    'Read one issue (or pull request) of a repository by its number. Use it when you know the number; to find one use search_issues ' +
    'or issues_list. Returns title, state, author, assignees, labels, milestone, dates and the whole text; comments come from issues_comments_list.',
  access: 'read',
  tags: ['issues'],
  input: Type.Object({ ...repository, issue_number: issueNumber }),
  run: async ({ owner, repo, issue_number }, { client, format }: Context) => {
    const issue = await client.repository({ owner, repo }).get<Issue>(['issues', issue_number])
    return paragraphs(issueItem(issue, format), written('Text', issue.body))
  },
})

const issuesList = defineTool({
  name: 'issues_list',
  title: 'List issues',
  description:
    'List the issues of one repository, newest first unless sorted otherwise; open ones unless state says otherwise. Pull requests are ' +
    'among them, marked in the column kind. For free text or several repositories use search_issues. Returns a table with number, title, ' +
    'state, author, labels and dates, and says when there are more pages.',
  access: 'read',
  tags: ['issues'],
  input: Type.Object({
    ...repository,
    state: Type.Optional(choice(['open', 'closed', 'all'], 'Default open')),
    labels: Type.Optional(Type.Array(Type.String(), { description: 'Only issues that carry all of these' })),
    assignee: Type.Optional(Type.String({ description: 'A login, none, or *' })),
    creator: Type.Optional(Type.String({ description: 'The login of who opened it' })),
    milestone: Type.Optional(Type.String({ description: 'The number of a milestone, none, or *' })),
    since: Type.Optional(timestamp('Only issues updated at or after this time')),
    sort: Type.Optional(choice(['created', 'updated', 'comments'], 'Default created')),
    direction,
    ...paging,
  }),
  run: async ({ owner, repo, labels, ...query }, { client, format }: Context) => {
    const page = await client.repository({ owner, repo }).page<Issue>(['issues'], { ...query, labels: labels?.join(',') })
    return paragraphs(format.list(page.items, { type: 'issues', columns: issueColumns }), pageNote(page))
  },
})

const issuesCreate = defineTool({
  name: 'issues_create',
  title: 'Open an issue',
  description:
    'Open a new issue in a repository. Look with search_issues first whether it exists already. Returns the new issue with its number and URL.',
  access: 'write',
  tags: ['issues'],
  annotations: { destructiveHint: false, idempotentHint: false },
  input: Type.Object({
    ...repository,
    title,
    body: Type.Optional(Type.String({ description: 'GitHub-flavoured Markdown' })),
    labels: Type.Optional(Type.Array(Type.String(), { description: 'Names of labels' })),
    assignees: Type.Optional(Type.Array(Type.String(), { description: 'Logins' })),
    milestone: Type.Optional(Type.Integer({ minimum: 1, description: 'The number of a milestone' })),
  }),
  run: async ({ owner, repo, ...issue }, { client, format }: Context) => {
    const created = await client.repository({ owner, repo }).send<Issue>('POST', ['issues'], issue)
    return paragraphs(`Opened #${created.number} in ${owner}/${repo}.`, issueItem(created, format))
  },
})

const issuesUpdate = defineTool({
  name: 'issues_update',
  title: 'Change an issue',
  description:
    'Change an issue: title, text, labels, assignees, milestone, or close and reopen it. Only what you give changes, but a list replaces ' +
    'the whole list: read the issue first. Returns the issue as it is now.',
  access: 'write',
  tags: ['issues'],
  annotations: { destructiveHint: true, idempotentHint: true },
  input: Type.Object({
    ...repository,
    issue_number: issueNumber,
    title: Type.Optional(title),
    body: Type.Optional(Type.String({ description: 'GitHub-flavoured Markdown; replaces the text' })),
    state: Type.Optional(choice(['open', 'closed'], 'Closes or reopens it')),
    state_reason: Type.Optional(
      choice(['completed', 'not_planned', 'duplicate', 'reopened'], 'Why the state changes; needs state'),
    ),
    labels: Type.Optional(Type.Array(Type.String(), { description: 'Replaces all labels' })),
    assignees: Type.Optional(Type.Array(Type.String(), { description: 'Logins; replaces all assignees' })),
    milestone: Type.Optional(Type.Integer({ minimum: 1, description: 'The number of a milestone' })),
  }),
  run: async ({ owner, repo, issue_number, ...changes }, { client, format }: Context) => {
    if (Object.keys(changes).length === 0)
      throw new ServiceError('INVALID_INPUT', 'Nothing to change was given', {
        fix: 'Give at least one of title, body, state, labels, assignees, milestone',
      })
    const changed = await client.repository({ owner, repo }).send<Issue>('PATCH', ['issues', issue_number], changes)
    return paragraphs(`Changed #${changed.number} in ${owner}/${repo}.`, issueItem(changed, format))
  },
})

const issuesComment = defineTool({
  name: 'issues_comment',
  title: 'Comment on an issue',
  description:
    'Add a comment to an issue or to the conversation of a pull request. Everyone who follows it is notified. Returns its URL.',
  access: 'write',
  tags: ['issues'],
  annotations: { destructiveHint: false, idempotentHint: false },
  input: Type.Object({
    ...repository,
    issue_number: issueNumber,
    body: Type.String({ minLength: 1, maxLength: 65_536, description: 'GitHub-flavoured Markdown' }),
  }),
  run: async ({ owner, repo, issue_number, body }, { client, format }: Context) => {
    const comment = await client.repository({ owner, repo }).send<Comment>('POST', ['issues', issue_number, 'comments'], { body })
    return paragraphs(`Commented on ${owner}/${repo}#${issue_number}.`, commentItem(comment, format))
  },
})

const issuesCommentsList = defineTool({
  name: 'issues_comments_list',
  title: 'List comments of an issue',
  description:
    'Read the comments of an issue, or of the conversation of a pull request, oldest first. Returns every comment with author, date and ' +
    'its whole text, and says when there are more pages. Comments on lines of code are not among them.',
  access: 'read',
  tags: ['issues'],
  input: Type.Object({
    ...repository,
    issue_number: issueNumber,
    since: Type.Optional(timestamp('Only comments updated at or after this time')),
    ...paging,
  }),
  run: async ({ owner, repo, issue_number, ...query }, { client, format }: Context) => {
    const page = await client.repository({ owner, repo }).page<Comment>(['issues', issue_number, 'comments'], query)
    if (page.items.length === 0) return paragraphs(`No comments on ${owner}/${repo}#${issue_number}.`, pageNote(page))
    const shown = page.items.map((comment) => paragraphs(commentItem(comment, format), written('Text', comment.body)))
    return paragraphs(...shown, pageNote(page))
  },
})

/** Issues and their comments. */
export const issueTools = [issuesGet, issuesList, issuesCreate, issuesUpdate, issuesComment, issuesCommentsList]

/** An issue as one row of a list; searches show it in the same way. */
export const issueColumns = [
  'number',
  'title',
  'state',
  { label: 'kind', value: (issue) => kindOf(issue) },
  { label: 'author', value: ({ user }) => user?.login },
  { label: 'labels', value: ({ labels }) => labelNames(labels) },
  'comments',
  { label: 'updated', value: (issue) => issue.updated_at },
  { label: 'url', value: (issue) => issue.html_url },
] as const satisfies Columns<Issue>

function issueItem(issue: Issue, format: ResponseFormatter): string {
  return format.item(issue, {
    type: 'Issue',
    title: `#${issue.number} ${issue.title}`,
    fields: [
      { label: 'kind', value: (each) => kindOf(each) },
      'state',
      { label: 'reason', value: ({ state_reason }) => state_reason },
      { label: 'author', value: ({ user }) => user?.login },
      { label: 'assignees', value: ({ assignees }) => logins(assignees) },
      { label: 'labels', value: ({ labels }) => labelNames(labels) },
      { label: 'milestone', value: ({ milestone }) => milestone?.title },
      'comments',
      { label: 'created', value: ({ created_at }) => created_at },
      { label: 'updated', value: ({ updated_at }) => updated_at },
      { label: 'closed', value: ({ closed_at }) => closed_at },
      { label: 'url', value: ({ html_url }) => html_url },
    ],
  })
}

function commentItem(comment: Comment, format: ResponseFormatter): string {
  return format.item(comment, {
    type: 'Comment',
    title: `by ${comment.user?.login ?? 'a deleted account'}`,
    fields: [
      { label: 'written', value: ({ created_at }) => created_at },
      { label: 'edited', value: ({ created_at, updated_at }) => (updated_at === created_at ? undefined : updated_at) },
      { label: 'url', value: ({ html_url }) => html_url },
    ],
  })
}

function kindOf(issue: Issue): string {
  return issue.pull_request ? 'pull request' : 'issue'
}
