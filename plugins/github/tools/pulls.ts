import { defineTool, Type, type CallContext, type ResponseFormatter } from '@mcp-patchbay/plugin-api'
import type { GitHubClient } from '../client.ts'
import { MAX_BLOCK, textBlock } from '../text-block.ts'
import { labelNames, logins, pageNote, paragraphs, written, type Account } from './answers.ts'
import { choice, direction, paging, pullNumber, repository, title } from './arguments.ts'

type Context = CallContext<GitHubClient>

interface PullRequest {
  readonly number: number
  readonly title: string
  readonly state: string
  readonly draft?: boolean
  readonly merged?: boolean
  readonly merged_at: string | null
  readonly mergeable?: boolean | null
  readonly mergeable_state?: string
  readonly body?: string | null
  readonly user: Account | null
  readonly assignees?: readonly Account[] | null
  readonly requested_reviewers?: readonly Account[] | null
  readonly labels?: readonly { readonly name?: string | null }[]
  readonly head: Branch
  readonly base: Branch
  readonly commits?: number
  readonly changed_files?: number
  readonly additions?: number
  readonly deletions?: number
  readonly created_at: string
  readonly updated_at: string
  readonly html_url: string
}

interface Branch {
  readonly label: string
  readonly ref: string
  readonly sha: string
}

interface ChangedFile {
  readonly filename: string
  readonly previous_filename?: string
  readonly status: string
  readonly additions: number
  readonly deletions: number
  /** Missing for binary files and for very large changes. */
  readonly patch?: string
}

interface Review {
  readonly id: number
  readonly user: Account | null
  readonly state: string
  readonly body: string
  readonly submitted_at?: string
  readonly commit_id: string | null
  readonly html_url: string
}

const pullsGet = defineTool({
  name: 'pulls_get',
  title: 'Get a pull request',
  description:
    'Read one pull request by its number: branches, whether it is merged or can be, how much it changes, and the whole text. Its changes ' +
    'come from pulls_diff, its reviews from pulls_reviews_list, its conversation from issues_comments_list.',
  access: 'read',
  tags: ['pulls'],
  input: Type.Object({ ...repository, pull_number: pullNumber }),
  run: async ({ owner, repo, pull_number }, { client, format }: Context) => {
    const pull = await client.repository({ owner, repo }).get<PullRequest>(['pulls', pull_number])
    return paragraphs(pullItem(pull, format), written('Text', pull.body))
  },
})

const pullsList = defineTool({
  name: 'pulls_list',
  title: 'List pull requests',
  description:
    'List the pull requests of one repository; open ones unless state says otherwise. To find some by text, author, review or label use ' +
    'search_issues with type pull_request. Returns a table with number, title, state, author and branches, and says when there are more pages.',
  access: 'read',
  tags: ['pulls'],
  input: Type.Object({
    ...repository,
    state: Type.Optional(choice(['open', 'closed', 'all'], 'Default open')),
    head: Type.Optional(Type.String({ description: 'Only from this branch: OWNER:BRANCH' })),
    base: Type.Optional(Type.String({ description: 'Only into this branch' })),
    sort: Type.Optional(
      choice(['created', 'updated', 'popularity', 'long-running'], 'Default created; popularity counts comments'),
    ),
    direction,
    ...paging,
  }),
  run: async ({ owner, repo, ...query }, { client, format }: Context) => {
    const page = await client.repository({ owner, repo }).page<PullRequest>(['pulls'], query)
    const table = format.list(page.items, {
      type: 'pull requests',
      columns: [
        'number',
        'title',
        { label: 'state', value: stateOf },
        { label: 'author', value: ({ user }) => user?.login },
        { label: 'from', value: ({ head }) => head.label },
        { label: 'into', value: ({ base }) => base.ref },
        { label: 'updated', value: ({ updated_at }) => updated_at },
        { label: 'url', value: ({ html_url }) => html_url },
      ],
    })
    return paragraphs(table, pageNote(page))
  },
})

const pullsDiff = defineTool({
  name: 'pulls_diff',
  title: 'Read the changes of a pull request',
  description:
    'Read what a pull request changes: a table of its files with added and deleted lines, then the patch of each text file. GitHub gives no ' +
    'patch for binary files and very large changes; read those with contents_get. Says when there are more pages of files.',
  access: 'read',
  tags: ['pulls'],
  input: Type.Object({ ...repository, pull_number: pullNumber, ...paging }),
  run: async ({ owner, repo, pull_number, ...query }, { client, format }: Context) => {
    const page = await client.repository({ owner, repo }).page<ChangedFile>(['pulls', pull_number, 'files'], query)
    const table = format.list(page.items, {
      type: 'changed files',
      columns: [
        'filename',
        { label: 'before', value: ({ previous_filename }) => previous_filename },
        'status',
        'additions',
        'deletions',
      ],
    })
    return paragraphs(table, ...patches(page.items, format), pageNote(page))
  },
})

const pullsCreate = defineTool({
  name: 'pulls_create',
  title: 'Open a pull request',
  description:
    'Open a pull request from a branch that is pushed already. Returns the new pull request with its number and URL. It starts checks and ' +
    'notifies reviewers; give draft: true while it is not ready for that.',
  access: 'write',
  tags: ['pulls'],
  annotations: { destructiveHint: false, idempotentHint: false },
  input: Type.Object({
    ...repository,
    title,
    head: Type.String({ minLength: 1, description: 'The branch with the changes; OWNER:BRANCH when it is in a fork' }),
    base: Type.String({ minLength: 1, description: 'The branch to merge into, for example main' }),
    body: Type.Optional(Type.String({ description: 'GitHub-flavoured Markdown' })),
    draft: Type.Optional(Type.Boolean({ description: 'Not ready for review yet' })),
    maintainer_can_modify: Type.Optional(Type.Boolean({ description: 'Let maintainers push to the branch' })),
  }),
  run: async ({ owner, repo, ...pull }, { client, format }: Context) => {
    const created = await client.repository({ owner, repo }).send<PullRequest>('POST', ['pulls'], pull)
    return paragraphs(`Opened #${created.number} in ${owner}/${repo}.`, pullItem(created, format))
  },
})

const pullsMerge = defineTool({
  name: 'pulls_merge',
  title: 'Merge a pull request',
  description:
    'Merge a pull request into its base branch. This cannot be undone. Read it with pulls_get first and pass the head sha you saw, so that ' +
    'nothing pushed since then is merged unseen. Returns the sha of the merge.',
  access: 'write',
  tags: ['pulls'],
  annotations: { destructiveHint: true, idempotentHint: false },
  input: Type.Object({
    ...repository,
    pull_number: pullNumber,
    sha: Type.Optional(Type.String({ pattern: '^[0-9a-f]{7,64}$', description: 'The head must still be this commit' })),
    merge_method: Type.Optional(choice(['merge', 'squash', 'rebase'], 'Default merge, where the repository allows it')),
    commit_title: Type.Optional(Type.String({ minLength: 1, description: 'First line of the merge commit' })),
    commit_message: Type.Optional(Type.String({ description: 'The rest of the commit message' })),
  }),
  run: async ({ owner, repo, pull_number, ...merge }, { client, format }: Context) => {
    const merged = await client
      .repository({ owner, repo })
      .send<{ sha: string; merged: boolean; message: string }>('PUT', ['pulls', pull_number, 'merge'], merge)
    return format.item(merged, { type: 'Merge', title: `${owner}/${repo}#${pull_number}`, fields: ['merged', 'sha', 'message'] })
  },
})

const pullsReviewsList = defineTool({
  name: 'pulls_reviews_list',
  title: 'List reviews of a pull request',
  description:
    'Read the reviews of a pull request, oldest first: who approved, asked for changes or commented, with the whole text. Says when there ' +
    'are more pages.',
  access: 'read',
  tags: ['pulls'],
  input: Type.Object({ ...repository, pull_number: pullNumber, ...paging }),
  run: async ({ owner, repo, pull_number, ...query }, { client, format }: Context) => {
    const page = await client.repository({ owner, repo }).page<Review>(['pulls', pull_number, 'reviews'], query)
    if (page.items.length === 0) return paragraphs(`No reviews of ${owner}/${repo}#${pull_number}.`, pageNote(page))
    const shown = page.items.map((review) => paragraphs(reviewItem(review, format), written('Text', review.body)))
    return paragraphs(...shown, pageNote(page))
  },
})

const pullsReviewsCreate = defineTool({
  name: 'pulls_reviews_create',
  title: 'Review a pull request',
  description:
    'Submit a review of a pull request: approve it, ask for changes, or comment. Read pulls_diff first. REQUEST_CHANGES and COMMENT need a ' +
    'body. Returns the review with its URL.',
  access: 'write',
  tags: ['pulls'],
  annotations: { destructiveHint: false, idempotentHint: false },
  input: Type.Object({
    ...repository,
    pull_number: pullNumber,
    event: choice(['APPROVE', 'REQUEST_CHANGES', 'COMMENT'], 'The verdict'),
    body: Type.Optional(Type.String({ description: 'GitHub-flavoured Markdown' })),
    commit_id: Type.Optional(
      Type.String({ pattern: '^[0-9a-f]{40,64}$', description: 'The commit reviewed; default the newest' }),
    ),
    comments: Type.Optional(
      Type.Array(
        Type.Object({
          path: Type.String({ minLength: 1, description: 'The file' }),
          line: Type.Integer({ minimum: 1, description: 'The line of the diff it is about' }),
          side: Type.Optional(choice(['LEFT', 'RIGHT'], 'LEFT for a deleted line; default RIGHT')),
          body: Type.String({ minLength: 1, description: 'GitHub-flavoured Markdown' }),
        }),
        { maxItems: 50, description: 'Comments on lines' },
      ),
    ),
  }),
  run: async ({ owner, repo, pull_number, ...review }, { client, format }: Context) => {
    const created = await client.repository({ owner, repo }).send<Review>('POST', ['pulls', pull_number, 'reviews'], review)
    return paragraphs(`Reviewed ${owner}/${repo}#${pull_number}.`, reviewItem(created, format))
  },
})

/** Pull requests, their changes and reviews. */
export const pullTools = [pullsGet, pullsList, pullsDiff, pullsCreate, pullsMerge, pullsReviewsList, pullsReviewsCreate]

function pullItem(pull: PullRequest, format: ResponseFormatter): string {
  return format.item(pull, {
    type: 'Pull request',
    title: `#${pull.number} ${pull.title}`,
    fields: [
      { label: 'state', value: stateOf },
      { label: 'author', value: ({ user }) => user?.login },
      { label: 'from', value: ({ head }) => head.label },
      { label: 'into', value: ({ base }) => base.label },
      { label: 'head sha', value: ({ head }) => head.sha },
      {
        label: 'mergeable',
        value: ({ mergeable, mergeable_state }) => (mergeable === null ? 'being computed' : (mergeable_state ?? mergeable)),
      },
      'commits',
      { label: 'changed files', value: ({ changed_files }) => changed_files },
      'additions',
      'deletions',
      { label: 'assignees', value: ({ assignees }) => logins(assignees) },
      { label: 'reviewers asked', value: ({ requested_reviewers }) => logins(requested_reviewers) },
      { label: 'labels', value: ({ labels }) => labelNames(labels) },
      { label: 'created', value: ({ created_at }) => created_at },
      { label: 'updated', value: ({ updated_at }) => updated_at },
      { label: 'merged', value: ({ merged_at }) => merged_at },
      { label: 'url', value: ({ html_url }) => html_url },
    ],
  })
}

function reviewItem(review: Review, format: ResponseFormatter): string {
  return format.item(review, {
    type: 'Review',
    title: `${review.state} by ${review.user?.login ?? 'a deleted account'}`,
    fields: [
      { label: 'submitted', value: ({ submitted_at }) => submitted_at },
      { label: 'commit', value: ({ commit_id }) => commit_id },
      { label: 'url', value: ({ html_url }) => html_url },
    ],
  })
}

function stateOf({ state, draft, merged_at }: PullRequest): string {
  if (merged_at) return 'merged'
  return draft ? `${state}, draft` : state
}

/** The patches, until the answer is full, and a line for what did not fit. */
function patches(files: readonly ChangedFile[], format: ResponseFormatter): string[] {
  let left = MAX_BLOCK
  const parts: string[] = []
  let withheld = 0
  for (const file of files) {
    if (file.patch === undefined) continue
    if (left === 0) withheld += 1
    else
      parts.push(
        format.item(file, { type: 'Patch', title: file.filename, fields: [] }),
        textBlock(file.patch, { language: 'diff', max: left }),
      )
    left = Math.max(0, left - file.patch.length)
  }
  return withheld === 0
    ? parts
    : [...parts, `The answer is full: ${withheld} patches are missing. Call again with a smaller per_page.`]
}
