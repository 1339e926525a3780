import { Type } from '@mcp-patchbay/plugin-api'

/** One of some words. */
export const choice = <const Values extends string[]>(values: readonly [...Values], description: string) =>
  Type.Enum(values, { type: 'string', description })

/** Names as GitHub allows them; a wrong one is refused before anything is sent. */
export const ownerName = (description: string) =>
  Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_-]*$', maxLength: 100, description })

export const repoName = (description: string) => Type.String({ pattern: '^[A-Za-z0-9_.-]+$', maxLength: 100, description })

export const login = (description: string) =>
  Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_-]*(\\[bot\\])?$', maxLength: 100, description })

/** The repository that a tool works in. */
export const repository = {
  owner: ownerName('The user or organisation, for example octocat'),
  repo: repoName('The repository, for example Hello-World'),
}

/** Which page of a list. */
export const paging = {
  page: Type.Optional(Type.Integer({ minimum: 1, description: 'Default 1' })),
  per_page: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Default 30' })),
}

export const issueNumber = Type.Integer({ minimum: 1, description: 'The number after # in its title or URL' })

export const pullNumber = Type.Integer({ minimum: 1, description: 'The number after # in its title or URL' })

export const timestamp = (description: string) =>
  Type.String({ format: 'date-time', description: `${description}, ISO 8601: 2026-01-31T00:00:00Z` })

export const title = Type.String({ minLength: 1, maxLength: 256, description: 'One line of plain text' })

export const direction = Type.Optional(choice(['asc', 'desc'], 'Of the sort'))
