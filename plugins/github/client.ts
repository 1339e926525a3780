import { ServiceError, type HttpClient, type HttpRequest, type HttpResponse } from '@mcp-patchbay/plugin-api'
import type { AllowedRepositories, RepositoryName } from './allowed-repositories.ts'
import { refusal } from './errors.ts'

/** GitHub's REST API. A repository is reached through {@link GitHubClient.repository} only, which asks the operator's restriction. */
export class GitHubClient {
  readonly allowed: AllowedRepositories
  /** What belongs to no repository: users, and searches, whose results the caller holds against `allowed`. */
  readonly api: Endpoint
  readonly #http: HttpClient

  constructor(http: HttpClient, allowed: AllowedRepositories) {
    this.#http = http
    this.allowed = allowed
    this.api = endpoint({ http, base: [], mayMove: true })
  }

  /** The endpoints below `/repos/OWNER/REPO`. Throws `PERMISSION_DENIED` outside the operator's restriction. */
  repository({ owner, repo }: RepositoryName): Endpoint {
    this.allowed.require({ owner, repo })
    return endpoint({ http: this.#http, base: ['repos', owner, repo], mayMove: !this.allowed.restricted })
  }
}

/** Requests below one path. Every method throws a `ServiceError` for an answer of 400 or more. */
export interface Endpoint {
  get<Body>(path: Segments, query?: HttpRequest['query']): Promise<Body>
  /** One page of a list, and where the next one is. */
  page<Item>(path: Segments, query: Query & Paging): Promise<Page<Item>>
  send<Body>(method: 'POST' | 'PATCH' | 'PUT', path: Segments, body: object): Promise<Body>
}

/** Path segments as they are, unencoded: each is encoded on its own, so that none can reach another path. */
type Segments = readonly (string | number)[]
type Query = NonNullable<HttpRequest['query']>

export interface Paging {
  readonly page?: number | undefined
  readonly per_page?: number | undefined
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly page: number
  /** Undefined on the last page. */
  readonly next: number | undefined
  readonly last: number | undefined
}

function endpoint({ http, base, mayMove }: { http: HttpClient; base: Segments; mayMove: boolean }): Endpoint {
  const exchange = async (segments: Segments, options: HttpRequest): Promise<HttpResponse> => {
    const path = pathOf([...base, ...segments])
    const response = await http.request(path, options)
    if (response.status >= 400) throw refusal(response, `${options.method ?? 'GET'} ${path}`)
    // A renamed repository and a transferred issue redirect: to where, the operator has not said.
    if (!mayMove && !new URL(response.url).pathname.endsWith(path))
      throw new ServiceError('PERMISSION_DENIED', `${path} has moved out of the repository it was asked for in`, {
        fix: 'Use its new owner and name, if this server may use that repository',
      })
    return response
  }
  return {
    async get<Body>(path: Segments, query: Query = {}) {
      return (await exchange(path, { query })).json<Body>()
    },
    async page<Item>(path: Segments, query: Query & Paging): Promise<Page<Item>> {
      const response = await exchange(path, { query })
      const items = response.json<readonly Item[]>()
      if (!Array.isArray(items))
        throw new ServiceError('UPSTREAM_FAILED', `GitHub answered ${pathOf(path)} with something that is not a list`)
      const link = response.headers['link'] ?? ''
      return {
        items,
        page: query.page ?? 1,
        next: linkedPage(link, 'next'),
        last: linkedPage(link, 'last'),
      }
    },
    async send<Body>(method: 'POST' | 'PATCH' | 'PUT', path: Segments, body: object) {
      // A write that is redirected is done by the time anyone can see where: so look first at what it is about.
      if (!mayMove) await exchange(path.slice(0, path.findLastIndex((segment) => typeof segment === 'number') + 1), {})
      return (await exchange(path, { method, body })).json<Body>()
    },
  }
}

/** A last segment may be empty: the root of a repository's contents. */
function pathOf(segments: Segments): string {
  return segments
    .map((segment, index) => {
      const text = String(segment).toWellFormed()
      if (text === '.' || text === '..' || (text === '' && index < segments.length - 1))
        throw new ServiceError('INVALID_INPUT', `"${text}" cannot be part of a path`, { fix: 'Give plain names' })
      return `/${encodeURIComponent(text)}`
    })
    .join('')
}

function linkedPage(link: string, rel: string): number | undefined {
  const url = link.split(',').find((part) => part.includes(`rel="${rel}"`))
  const page = /[?&]page=(\d+)/.exec(url ?? '')?.[1]
  return page === undefined ? undefined : Number(page)
}
