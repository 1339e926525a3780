import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogFields, Logger } from '@mcp-patchbay/plugin-api'
import { discover, fakeHttp, callTool } from '@mcp-patchbay/plugin-api/testing'
import plugin from '../index.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-openapi-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

let files = 0

/** The path of a new file with that description: text as it is, else as JSON. */
export function written(document: unknown): string {
  const file = join(folder, `${++files}.yaml`)
  writeFileSync(file, typeof document === 'string' ? document : JSON.stringify(document))
  return file
}

/** The plugin with the operations of a description, and what it said of those that it left out. */
export async function served(document: unknown, settings: Readonly<Record<string, unknown>> = {}) {
  const leftOut: LogFields[] = []
  const log: Logger = {
    debug() {},
    info() {},
    warn: (_event, fields = {}) => void leftOut.push(fields),
    error() {},
    child: () => log,
  }
  const config = {
    document: typeof document === 'string' && document.startsWith('/') ? document : written(document),
    apiUrl: 'https://api.test',
    ...settings,
  }
  return { plugin: await discover(plugin, { log, config }), leftOut, config }
}

/** What one call sends, as a service sees it. */
export async function sent(api: Awaited<ReturnType<typeof served>>, tool: string, input: object) {
  const http = fakeHttp([{ path: /^/, reply: (request) => ({ json: { asked: request.method } }) }])
  await callTool(api.plugin, tool, input, { http, config: api.config })
  const [request] = http.requests
  if (!request) throw new Error(`${tool} sent nothing`)
  return request
}

/** A description of one operation. */
export function oneOperation(
  operation: object,
  { path = '/things', method = 'get', ...more }: { path?: string; method?: string; [key: string]: unknown } = {},
) {
  return {
    openapi: '3.1.0',
    info: { title: 'Things', version: '1' },
    paths: { [path]: { [method]: { operationId: 'things', responses: {}, ...operation } } },
    ...more,
  }
}
