import { isObject } from '../../../data/json.ts'
import type { ServicePreset } from './service-presets.ts'

/** What services send otherwise: an error with status 200, and a token inside of another object. */
export async function conform(answer: Response, preset: ServicePreset | undefined): Promise<Response> {
  if (!/json/i.test(answer.headers.get('content-type') ?? '')) return answer
  const text = await answer.text()
  const same = (status: number, body: string) => new Response(body === '' ? null : body, { status, headers: answer.headers })
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return same(answer.status, text)
  }
  if (!isObject(body)) return same(answer.status, text)
  const said = body['error']
  const isRefusal = typeof said === 'string' && preset?.refusals?.includes(said)
  if (typeof said === 'string' && body['access_token'] === undefined)
    return same(
      answer.status === 200 ? 400 : answer.status,
      JSON.stringify({ ...body, ...(isRefusal && { error: 'invalid_grant' }) }),
    )
  const inside = preset?.tokenIn === undefined ? undefined : body[preset.tokenIn]
  if (isObject(inside)) return same(answer.status, JSON.stringify({ ...inside, token_type: 'bearer' }))
  return same(answer.status, text)
}
