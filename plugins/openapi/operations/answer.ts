import { ServiceError, serviceErrorCode, type Content, type HttpResponse } from '@mcp-patchbay/plugin-api'

/**
 * What a model reads of an answer: JSON and text as they are, up to `maxCharacters`; images as images; of other bytes their type and
 * size. Throws a `ServiceError` with the service's own words for a status of 400 or more.
 */
export function readAnswer(response: HttpResponse, label: string, maxCharacters: number): string | readonly Content[] {
  const { status, headers, body } = response
  const type = headers['content-type'] ?? ''
  if (status >= 400) throw refusal(response, label)
  if (body.length === 0) return `${status}, without content.`
  if (/^image\/(?:png|jpeg|gif|webp)\b/i.test(type))
    return [{ type: 'image', data: Buffer.from(body).toString('base64'), mimeType: type.split(';')[0] ?? type }]
  if (!isText(type, body)) return `${status}, with ${body.length} bytes of ${type || 'an unnamed type'}, which are not shown.`
  const text = cut(response.text(), maxCharacters)
  const next = nextPage(headers['link'] ?? '')
  return next === undefined
    ? text
    : [
        { type: 'text', text },
        { type: 'text', text: `There is a next page: ${next}` },
      ]
}

function refusal(response: HttpResponse, label: string): ServiceError {
  const { status, headers, body } = response
  const said = isText(headers['content-type'] ?? '', body) ? response.text().trim().slice(0, 2_000) : ''
  const wait = Number(headers['retry-after'])
  return new ServiceError(
    serviceErrorCode(status) ?? 'UPSTREAM_FAILED',
    `${label} answered ${status}${said ? `: ${said}` : ''}`,
    {
      ...(wait > 0 && { retryAfterMs: wait * 1_000 }),
    },
  )
}

function isText(type: string, body: Uint8Array): boolean {
  if (/^text\/|[/+](?:json|xml|yaml)\b|x-ndjson|x-www-form-urlencoded|javascript/i.test(type)) return true
  return type === '' && !body.subarray(0, 1_000).includes(0)
}

function cut(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text
  return `${text.slice(0, maxCharacters).toWellFormed()}\n\nCut here: the answer has ${text.length} characters, and ${maxCharacters} are shown. Ask for less, such as one page or fewer fields.`
}

/** The query of the next page, from RFC 8288's `Link`. */
function nextPage(link: string): string | undefined {
  const target = /<([^<>]*)>/.exec(link.split(',').find((part) => /;\s*rel="?next"?/i.test(part)) ?? '')?.[1]
  return target === undefined ? undefined : (URL.parse(target, 'https://relative.invalid')?.search.slice(1) ?? undefined)
}
