import type { HttpClient, HttpRequest, HttpResponse } from '@mcp-patchbay/plugin-api'
import { callTool } from '@mcp-patchbay/plugin-api/testing'
import plugin from '../index.ts'
import { startOpenapiUpstream, type OpenapiUpstream, type UpstreamOptions } from './openapi-upstream.ts'

/** The plugin with GitHub's published examples behind it, over a real connection. */
export interface Connected extends AsyncDisposable {
  readonly upstream: OpenapiUpstream
  call(tool: string, input?: Readonly<Record<string, unknown>>): Promise<string>
}

/** Starts an upstream and points the plugin at it. */
export async function connect({
  config = {},
  ...options
}: UpstreamOptions & { config?: Readonly<Record<string, unknown>> } = {}): Promise<Connected> {
  const upstream = await startOpenapiUpstream(options)
  const fakes = { config: { apiUrl: upstream.url, personalToken: 'test-token', ...config }, http: fetchHttp(upstream.url) }
  return {
    upstream,
    call: (tool, input = {}) => callTool(plugin, tool, input, fakes),
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  }
}

function fetchHttp(baseUrl: string): HttpClient {
  const request = async (
    path: string,
    { method = 'GET', query = {}, headers, body }: HttpRequest = {},
  ): Promise<HttpResponse> => {
    const url = new URL(baseUrl + path)
    for (const [key, value] of Object.entries(query))
      for (const one of [value].flat()) if (one !== undefined) url.searchParams.append(key, String(one))
    const response = await fetch(url, {
      method,
      headers: { ...plugin.headers, ...headers, authorization: 'Bearer test-token' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      url: response.url,
      body: new TextEncoder().encode(text),
      text: () => text,
      json: () => JSON.parse(text),
    }
  }
  return {
    request,
    text: async (path, options) => (await request(path, options)).text(),
    json: async (path, options) => (await request(path, options)).json(),
  }
}
