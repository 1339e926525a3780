import { after } from 'node:test'
import type { HttpClient } from '@mcp-patchbay/plugin-api'
import { callTool, fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { createServiceHttp } from '../../../host/src/network/http-client.ts'
import { createRedactor } from '../../../host/src/observability/redact.ts'
import plugin from '../index.ts'
import { isolate, type Isolated } from './isolated.ts'
import { startOpenapiUpstream, type OpenapiUpstream, type UpstreamOptions } from './openapi-upstream.ts'

/** The plugin with GitHub's published examples behind it, over the host's own HTTP client and a real connection. */
export interface Connected extends AsyncDisposable {
  readonly upstream: OpenapiUpstream
  call(tool: string, input?: Readonly<Record<string, unknown>>): Promise<string>
}

const TOKEN = 'test-token'

/** Starts an upstream and points the plugin at it; in a process of its own where `GITHUB_TEST_ISOLATION` says so. */
export async function connect({
  config = {},
  ...options
}: UpstreamOptions & { config?: Readonly<Record<string, unknown>> } = {}): Promise<Connected> {
  const upstream = await startOpenapiUpstream(options)
  const http = serviceHttp(upstream.url)
  const fakes = { config: { apiUrl: upstream.url, personalToken: TOKEN, ...config }, http }
  const own = process.env['GITHUB_TEST_ISOLATION'] === 'process' ? await ownProcess(config, http) : undefined
  return {
    upstream,
    call: (tool, input = {}) => (own ? own.call(tool, input) : callTool(plugin, tool, input, fakes)),
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

/** A process is slow to start: the tests of a file that give the same config share one, each with its own upstream behind it. */
const processes = new Map<string, OwnProcess>()

interface OwnProcess {
  readonly plugin: Promise<Isolated>
  http: HttpClient
}

after(async () => {
  for (const { plugin } of processes.values()) await (await plugin)[Symbol.asyncDispose]()
})

/** The process for `config`, whose requests go through `http` from now on. */
function ownProcess(config: Readonly<Record<string, unknown>>, http: HttpClient): Promise<Isolated> {
  const key = JSON.stringify(config)
  const known = processes.get(key)
  if (known) {
    known.http = http
    return known.plugin
  }
  const made: OwnProcess = {
    http,
    plugin: isolate(
      { personalToken: TOKEN, ...config },
      {
        json: (path, request) => made.http.json(path, request),
        text: (path, request) => made.http.text(path, request),
        request: (path, request) => made.http.request(path, request),
        async [Symbol.asyncDispose]() {},
      },
    ),
  }
  processes.set(key, made)
  return made.plugin
}

/** The host's own client, with a credential as its `auth/` makes one. */
function serviceHttp(baseUrl: string): HttpClient & AsyncDisposable {
  return createServiceHttp({
    instance: plugin.name,
    baseUrl,
    headers: plugin.headers ?? {},
    credential: async () => ({
      kind: 'personalToken' as const,
      source: { kind: 'server', variables: [] } as const,
      fingerprint: 'test',
      secrets: [TOKEN],
      apply: (headers) => void (headers['authorization'] = `Bearer ${TOKEN}`),
    }),
    hints: { credentialVariables: ['GITHUB_PERSONAL_TOKEN'], baseUrlVariable: 'GITHUB_API_URL' },
    redactor: createRedactor([TOKEN]),
    log: fakeLog(),
    currentCall: () => undefined,
    // Retries without a pause: the upstream is not tired.
    random: () => 0,
  })
}
