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
  const allows = (fullName: string) => rules?.some(({ pattern }) => pattern.test(fullName)) ?? true
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
      const within = rules.filter((rule) => owner === undefined || rule.owner.test(owner))
      if (within.length === 0) throw denied(owner === undefined ? 'Every repository' : `Everything of ${owner}`)
      return { qualifiers: [...new Set(within.map((rule) => qualifierOf(rule, owner)))], exact: within.every(isExact) }
    },
  }
}

interface Rule {
  readonly text: string
  readonly ownerGlob: string
  readonly repoGlob: string
  readonly owner: RegExp
  /** Of the whole `OWNER/REPO`. */
  readonly pattern: RegExp
}

function ruleOf(text: string): Rule {
  const [ownerGlob = '', repoGlob = ''] = text.split('/')
  const owner = globSource(ownerGlob)
  return {
    text,
    ownerGlob,
    repoGlob,
    owner: new RegExp(`^${owner}$`, 'i'),
    pattern: new RegExp(`^${owner}/${globSource(repoGlob)}$`, 'i'),
  }
}

function globSource(glob: string): string {
  const parts = glob.split(/\*+/).map((part) => RegExp.escape(part))
  return parts.join('[^/]*')
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
