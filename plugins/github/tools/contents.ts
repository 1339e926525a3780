import { defineTool, ServiceError, Type, type CallContext, type ResponseFormatter } from '@mcp-patchbay/plugin-api'
import type { GitHubClient } from '../client.ts'
import { MAX_BLOCK, textBlock } from '../text-block.ts'
import { paragraphs } from './answers.ts'
import { repository } from './arguments.ts'

interface Entry {
  readonly type: 'file' | 'dir' | 'symlink' | 'submodule'
  readonly name: string
  readonly path: string
  readonly size: number
  readonly sha: string
  readonly html_url: string | null
  readonly target?: string
  readonly submodule_git_url?: string
  /** `none`, with an empty `content`, for files of more than 1 MB. */
  readonly encoding?: string
  readonly content?: string
}

const contentsGet = defineTool({
  name: 'contents_get',
  title: 'Read a file or folder',
  description:
    'Read a text file of a repository, or list a folder; without path the root. Returns the text, at most 100,000 characters at a time: ' +
    'for more, or for a part, give start_line and end_line. Binary files and files over 1 MB are described, not shown.',
  access: 'read',
  tags: ['contents'],
  input: Type.Object({
    ...repository,
    path: Type.Optional(Type.String({ description: 'From the root of the repository, for example src/index.ts' })),
    ref: Type.Optional(Type.String({ minLength: 1, description: 'A branch, tag or commit; default the default branch' })),
    start_line: Type.Optional(Type.Integer({ minimum: 1, description: 'The first line to show' })),
    end_line: Type.Optional(Type.Integer({ minimum: 1, description: 'The last line to show' })),
  }),
  run: async ({ owner, repo, path = '', ref, ...lines }, { client, format }: CallContext<GitHubClient>) => {
    const segments = path.split('/').filter(Boolean)
    const found = await client
      .repository({ owner, repo })
      .get<Entry | readonly Entry[]>(['contents', ...(segments.length === 0 ? [''] : segments)], { ref })
    if (isFolder(found))
      return format.list(found, { type: `entries in ${path || 'the root'}`, columns: ['type', 'name', 'size', 'path'] })
    return paragraphs(entryItem(found, format), ...shownText(found, lines))
  },
})

/** Files and folders. */
export const contentTools = [contentsGet]

function isFolder(found: Entry | readonly Entry[]): found is readonly Entry[] {
  return Array.isArray(found)
}

function entryItem(entry: Entry, format: ResponseFormatter): string {
  return format.item(entry, {
    type: { file: 'File', dir: 'Folder', symlink: 'Symbolic link', submodule: 'Submodule' }[entry.type],
    title: entry.path,
    fields: [
      { label: 'bytes', value: ({ size }) => size },
      'target',
      { label: 'repository', value: ({ submodule_git_url }) => submodule_git_url },
      'sha',
      { label: 'url', value: ({ html_url }) => html_url },
    ],
  })
}

function shownText(entry: Entry, lines: { start_line?: number; end_line?: number }): (string | undefined)[] {
  if (entry.type !== 'file') return []
  if (entry.encoding !== 'base64') return ['The file is too large for this: open its url instead.']
  // GitHub wraps the base64; its own published example does so with the two characters \ and n.
  const bytes = Buffer.from((entry.content ?? '').replaceAll(/\\n|\s/g, ''), 'base64')
  // The rule git has: a zero byte makes a file binary.
  if (bytes.includes(0)) return ['The file is binary: open its url instead.']
  const text = bytes.toString('utf8')
  return excerpt(text, lines)
}

/** The lines asked for, as many as fit, and how to get the rest. */
function excerpt(text: string, { start_line = 1, end_line }: { start_line?: number; end_line?: number }): (string | undefined)[] {
  const all = text.replace(/\n$/, '').split('\n')
  if (start_line > all.length)
    throw new ServiceError('INVALID_INPUT', `The file has ${all.length} lines and start_line is ${start_line}`, {
      fix: 'Give a smaller start_line',
    })
  const wanted = all.slice(start_line - 1, end_line)
  let fitting = 0
  for (let size = 0; fitting < wanted.length; fitting += 1) {
    size += (wanted[fitting]?.length ?? 0) + 1
    if (size > MAX_BLOCK && fitting > 0) break
  }
  const last = start_line - 1 + fitting
  const note = last < all.length || start_line > 1 ? `Lines ${start_line} to ${last} of ${all.length}.` : undefined
  return [textBlock(wanted.slice(0, fitting).join('\n')), note]
}
