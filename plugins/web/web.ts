import { ServiceError, serviceErrorCode, type Cache, type HttpClient, type HttpResponse } from '@mcp-patchbay/plugin-api'
import type { WebConfig } from './config.ts'
import { readDocument, type WebDocument } from './document.ts'
import { RobotsRules } from './robots.ts'

/** How long a page is kept for a client that reads on in it. */
const PAGE_TTL_MS = 300_000

/** Fetches documents from public addresses. The host decides which addresses those are, and follows redirects between them. */
export class Web {
  readonly #http: HttpClient
  readonly #config: Readonly<WebConfig>
  readonly #robots: RobotsRules

  constructor(http: HttpClient, config: Readonly<WebConfig>) {
    this.#http = http
    this.#config = config
    this.#robots = new RobotsRules(http, config.userAgent)
  }

  /**
   * The document at `address`, kept in `cache` for five minutes. `whole` reads the page with its navigation, else its main content.
   * Throws `PERMISSION_DENIED` where robots.txt says no, `INVALID_INPUT` for what is not text, and the errors of the host's `http`.
   */
  async document(address: string, { whole, cache }: { whole: boolean; cache: Cache }): Promise<WebDocument> {
    const url = readAddress(address)
    const key = `${whole ? 'whole' : 'main'} ${url.href}`
    return cache.wrap(key, { ttlMs: PAGE_TTL_MS }, async () => {
      if (this.#config.respectRobots) await this.#robots.check(url, cache)
      const response = await this.#fetch(url)
      const final = new URL(response.url)
      // The host follows redirects by itself: what they lead to is asked about before it is shown.
      if (this.#config.respectRobots && final.href !== url.href) await this.#robots.check(final, cache)
      return readDocument(response, { whole })
    })
  }

  async #fetch(url: URL): Promise<HttpResponse> {
    const { maxBytes, userAgent } = this.#config
    const response = await this.#http.request(url.href, {
      maxBytes,
      headers: {
        'user-agent': userAgent,
        accept: 'text/html,application/xhtml+xml,text/*;q=0.9,application/json;q=0.8,*/*;q=0.1',
      },
    })
    const { status } = response
    const code = status >= 300 ? (serviceErrorCode(status) ?? 'UPSTREAM_FAILED') : undefined
    if (code === undefined) return response
    throw new ServiceError(code, `${url.host} answered ${status}`, {
      fix: FIXES[code] ?? 'Try again later, or look for another page',
    })
  }
}

const FIXES: Readonly<Record<string, string>> = {
  AUTHENTICATION_FAILED: 'The page is not public; only public pages can be read',
  PERMISSION_DENIED: 'The site does not let this page be read; look for another source',
  NOT_FOUND: 'Check the address, or start from the front page of the site and follow its links',
}

function readAddress(address: string): URL {
  const url = URL.parse(address)
  if (!url || !/^https?:$/.test(url.protocol))
    throw new ServiceError('INVALID_INPUT', `"${address.slice(0, 200)}" is not the address of a web page`, {
      fix: 'Give the whole address, beginning with https://',
    })
  if (url.username || url.password)
    throw new ServiceError('INVALID_INPUT', 'The address holds a user name or password', {
      fix: 'Leave out what comes before the @',
    })
  url.hash = ''
  return url
}
