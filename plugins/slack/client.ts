import { ServiceError, type HttpClient, type HttpRequest } from '@mcp-patchbay/plugin-api'
import { refusal, type Outcome } from './errors.ts'

/** Slack's Web API. Throws a `ServiceError` for an answer with `ok: false`. */
export class SlackClient {
  readonly #http: HttpClient

  constructor(http: HttpClient) {
    this.#http = http
  }

  /** Calls a method that reads, such as `conversations.list`. */
  async read<Body extends object>(method: string, query: NonNullable<HttpRequest['query']>): Promise<Body> {
    return accepted(method, await this.#http.json<Body & Outcome>(`/${method}`, { query }))
  }

  /** Calls a method that writes, such as `chat.postMessage`. */
  async write<Body extends object>(method: string, body: object): Promise<Body> {
    return accepted(method, await this.#http.json<Body & Outcome>(`/${method}`, { method: 'POST', body }))
  }
}

/** The fields that all lists have. */
export interface Listed {
  readonly response_metadata?: { readonly next_cursor?: string }
}

function accepted<Body extends Outcome>(method: string, answer: Body): Body {
  if (typeof answer !== 'object' || answer === null || typeof answer.ok !== 'boolean')
    throw new ServiceError('UPSTREAM_FAILED', `What answered ${method} is not Slack's Web API`, {
      fix: 'Check apiUrl (SLACK_API_URL for the instance slack): it usually is https://slack.com/api',
    })
  if (!answer.ok) throw refusal(method, answer)
  return answer
}
