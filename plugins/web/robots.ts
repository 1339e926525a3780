import robotsParser from 'robots-parser'
import { ServiceError, type Cache, type HttpClient } from '@mcp-patchbay/plugin-api'

/** How long a site's rules are believed, and the least of them that RFC 9309 wants read. */
const TTL_MS = 3_600_000
const MAX_BYTES = 512_000

/** The types of the package say `exports.default`; what it exports is the function itself. */
const parseRobots: typeof robotsParser.default = Object(robotsParser)

/** What the robots.txt of each origin allows one user agent, by RFC 9309. */
export class RobotsRules {
  readonly #http: HttpClient
  readonly #userAgent: string

  constructor(http: HttpClient, userAgent: string) {
    this.#http = http
    this.#userAgent = userAgent
  }

  /** Throws `PERMISSION_DENIED` for a closed page, and `UPSTREAM_FAILED` where the rules cannot be read, which closes the whole site. */
  async check(url: URL, cache: Cache): Promise<void> {
    const rules = new URL('/robots.txt', url).href
    const text = await cache.wrap(`robots ${url.origin}`, { ttlMs: TTL_MS }, () => this.#load(rules))
    if (parseRobots(rules, text).isAllowed(url.href, this.#userAgent) !== false) return
    throw new ServiceError('PERMISSION_DENIED', `${rules} closes ${url.pathname} to ${this.#userAgent}`, {
      fix: 'Look for another source, or ask a person to open the page',
    })
  }

  /** The rules, or none at all for a site that has no such file. */
  async #load(rules: string): Promise<string> {
    try {
      const response = await this.#http.request(rules, { maxBytes: MAX_BYTES, headers: { 'user-agent': this.#userAgent } })
      if (response.status < 300) return new TextDecoder().decode(response.body)
      if (response.status >= 400 && response.status < 500 && response.status !== 429) return ''
      throw new ServiceError('UPSTREAM_FAILED', `it answered ${response.status}`)
    } catch (cause) {
      // What the host refuses to ask for is no answer about the site.
      if (!(cause instanceof ServiceError) || cause.code === 'PERMISSION_DENIED' || cause.code === 'INVALID_INPUT') throw cause
      throw new ServiceError(cause.code, `${rules} cannot be read, so the site counts as closed: ${cause.message}`, {
        fix: cause.fix ?? 'Try again later',
        cause,
      })
    }
  }
}
