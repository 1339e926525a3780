import { ServiceError } from '@mcp-patchbay/plugin-api'

/** Which repositories the operator lets this plugin touch. No argument of a call widens it. */
export interface AllowedRepositories {
  /** False when every repository is allowed. */
  readonly restricted: boolean
  /** For `OWNER/REPO`. */
  allows(fullName: string): boolean
  /** Throws `PERMISSION_DENIED` for a repository that is not allowed. */
  require(repository: RepositoryName): void
  /**
   * The search qualifiers that hold a search inside what is allowed, narrowed to `owner` or one repository when given; empty
   * when nothing limits it. `exact` is false where GitHub's qualifiers reach further than the globs, so results need filtering.
   * Throws `PERMISSION_DENIED` where nothing is left, `INVALID_INPUT` where the globs cannot be said without an owner.
   */
  searchScope(narrowed: { owner?: string | undefined; repo?: string | undefined }): { qualifiers: string[]; exact: boolean }
}

export interface RepositoryName {
  readonly owner: string
  readonly repo: string
}

/** From the globs of the config. Undefined allows everything, an empty list nothing. GitHub's names ignore case, so do these. */
export function allowedRepositories(globs: readonly string[] | undefined): AllowedRepositories {
  const rules = globs?.map(ruleOf)
  const allows = (fullName: string) => {
    const [owner = '', repo = '', ...more] = fullName.split('/')
    return rules === undefined || (more.length === 0 && rules.some((rule) => rule.owner(owner) && rule.repo(repo)))
  }
  const denied = (what: string) =>
    new ServiceError('PERMISSION_DENIED', `${what} is outside the repositories this server may use`, {
      fix: `${allowedText(globs ?? [])}; to change that, the operator edits allowedRepositories in the plugin's config`,
    })
  const require = ({ owner, repo }: RepositoryName) => {
    if (!allows(`${owner}/${repo}`)) throw denied(`The repository ${owner}/${repo}`)
  }
  return {
    restricted: rules !== undefined,
    allows,
    require,
    searchScope({ owner, repo }) {
      if (repo !== undefined) {
        if (owner === undefined)
          throw new ServiceError('INVALID_INPUT', 'repo needs owner', { fix: 'Give both: owner octocat, repo Hello-World' })
        require({ owner, repo })
        return { qualifiers: [`repo:${owner}/${repo}`], exact: true }
      }
      if (!rules) return { qualifiers: owner === undefined ? [] : [`user:${owner}`], exact: true }
      const within = rules.filter((rule) => owner === undefined || rule.owner(owner))
      if (within.length === 0) throw denied(owner === undefined ? 'Every repository' : `Everything of ${owner}`)
      return { qualifiers: [...new Set(within.map((rule) => qualifierOf(rule, owner)))], exact: within.every(isExact) }
    },
  }
}

interface Rule {
  readonly text: string
  readonly ownerGlob: string
  readonly repoGlob: string
  readonly owner: (name: string) => boolean
  readonly repo: (name: string) => boolean
}

function ruleOf(text: string): Rule {
  const [ownerGlob = '', repoGlob = ''] = text.split('/')
  return { text, ownerGlob, repoGlob, owner: globOf(ownerGlob), repo: globOf(repoGlob) }
}

/**
 * Whether a name matches: a star stands for any characters of it. Between the first and the last part the others are looked for from left
 * to right, each once, so that no number of stars makes it slow, as it would a regular expression.
 */
function globOf(glob: string): (name: string) => boolean {
  const [first = '', ...rest] = inLowerCase(glob).split(/\*+/)
  const last = rest.pop()
  return (name) => {
    const text = inLowerCase(name)
    if (last === undefined) return text === first
    let from = first.length
    if (!text.startsWith(first)) return false
    for (const part of rest) {
      const at = text.indexOf(part, from)
      if (at === -1) return false
      from = at + part.length
    }
    return text.endsWith(last) && from <= text.length - last.length
  }
}

/** Names are ASCII: other letters must not become them. */
function inLowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

function qualifierOf({ text, ownerGlob, repoGlob }: Rule, narrowed: string | undefined): string {
  const owner = narrowed ?? ownerGlob
  if (owner.includes('*'))
    throw new ServiceError(
      'INVALID_INPUT',
      `A search over ${text} needs an owner: GitHub cannot search part of an owner's name`,
      {
        fix: 'Give owner, or owner and repo',
      },
    )
  return repoGlob.includes('*') ? `user:${owner}` : `repo:${owner}/${repoGlob}`
}

function isExact({ repoGlob }: Rule): boolean {
  return repoGlob === '*' || !repoGlob.includes('*')
}

function allowedText(globs: readonly string[]): string {
  if (globs.length === 0) return 'None is allowed'
  return `Use one that matches ${globs.slice(0, 5).join(', ')}${globs.length > 5 ? ` or ${globs.length - 5} more` : ''}`
}
