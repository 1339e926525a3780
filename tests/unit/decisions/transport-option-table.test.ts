import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adjusted } from '../../../host/src/cli/start.ts'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'

const config = resolveConfig(
  { plugins: [], listen: { stdio: true, http: { port: 4_000, sse: false } } },
  { env: {}, configDir: '/desk' },
)

/** [--transport, whether stdio, HTTP and HTTP+SSE are served] */
const TABLE = [
  [undefined, true, true, false],
  ['stdio', true, false, false],
  ['http', false, true, false],
  ['streamable-http', false, true, false],
  ['sse', false, true, true],
] as const
for (const [transport, stdio, http, sse] of TABLE)
  test(`--transport ${transport ?? 'left out'}: stdio ${stdio}, HTTP ${http}, HTTP+SSE ${sse}`, () => {
    const { listen } = adjusted(config, { ...(transport && { transport }) })
    assert.deepEqual([listen.stdio, listen.http !== undefined, listen.http?.sse === true], [stdio, http, sse])
    if (http) assert.equal(listen.http?.port, 4_000)
  })
