/**
 * What `npm run bench` measures, row by row, with what we want of it. The table in README.md has these rows and these names
 * (`tests/unit/docs/bench-table.test.ts`).
 */
export interface BenchRow {
  readonly what: string
  readonly figures: readonly Figure[]
}

/** One number of a row: a script of this folder records it by its key. */
export interface Figure {
  readonly key: string
  /** Behind the number, such as `× the SDK`. */
  readonly unit: string
  /** Behind the point; none by default. */
  readonly digits?: number
  readonly atLeast?: number
  readonly atMost?: number
}

const SDK = '× the SDK'
const RAW = '× a bare server'
const INLINE = '× inline'

export const BENCH_ROWS: readonly BenchRow[] = [
  {
    what: '`tools/call`, 1 KB, 32 connections',
    figures: [
      { key: 'call-1kb-rate', unit: 'calls/s' },
      { key: 'call-1kb-sdk', unit: SDK, digits: 1, atLeast: 15 },
      { key: 'call-1kb-raw', unit: RAW, digits: 2, atLeast: 0.76 },
    ],
  },
  { what: 'the same, with API keys and audit', figures: [{ key: 'call-keys-raw', unit: RAW, digits: 2, atLeast: 0.6 }] },
  {
    what: 'the same, with traces',
    figures: [
      { key: 'traces-tenth-raw', unit: `${RAW} for a tenth`, digits: 2, atLeast: 0.5 },
      { key: 'traces-all-raw', unit: 'for all', digits: 2, atLeast: 0.5 },
    ],
  },
  {
    what: 'its CPU',
    figures: [
      { key: 'call-cpu', unit: 'µs', digits: 1 },
      { key: 'call-cpu-raw', unit: RAW, digits: 2, atMost: 1.3 },
    ],
  },
  {
    what: 'its 99th percentile',
    figures: [
      { key: 'call-p99', unit: 'ms', digits: 1 },
      { key: 'call-p99-sdk', unit: SDK, digits: 2, atMost: 0.05 },
    ],
  },
  {
    what: '`tools/call`, 100 KB, 32 connections',
    figures: [
      { key: 'call-100kb-rate', unit: 'calls/s' },
      { key: 'call-100kb-sdk', unit: SDK, digits: 1, atLeast: 3.2 },
      { key: 'call-100kb-raw', unit: RAW, digits: 2, atLeast: 0.75 },
    ],
  },
  ...[
    [10, 1.25],
    [100, 3],
    [1_000, 3.3],
  ].map(([tools = 0, atLeast]) => ({
    what: `\`tools/list\`, ${tools.toLocaleString('en')} tools, 16 connections`,
    figures: [
      { key: `list-${tools}-rate`, unit: 'lists/s' },
      { key: `list-${tools}-sdk`, unit: SDK },
      { key: `list-${tools}-raw`, unit: RAW, digits: 2, ...(atLeast !== undefined && { atLeast }) },
    ],
  })),
  {
    what: 'stdio, 1 KB, 64 in flight',
    figures: [
      { key: 'stdio-rate', unit: 'calls/s' },
      { key: 'stdio-sdk', unit: SDK, digits: 1 },
      { key: 'stdio-raw', unit: RAW, digits: 2, atLeast: 0.79 },
    ],
  },
  {
    what: 'start to the first list, 10 plugins',
    figures: [
      { key: 'start-ms', unit: 'ms' },
      { key: 'start-sdk', unit: SDK, digits: 2, atMost: 0.8 },
      { key: 'start-known-sdk', unit: 'when they are known', digits: 2, atMost: 0.8 },
    ],
  },
  ...[10, 1_000].map((tools) => ({
    what: `frozen start, one \`.ts\` plugin, ${tools.toLocaleString('en')} locked tools`,
    figures: [
      { key: `frozen-${tools}-ms`, unit: 'ms' },
      { key: `frozen-${tools}-http`, unit: `${SDK} over HTTP`, digits: 2, atMost: 1 },
      { key: `frozen-${tools}-stdio`, unit: 'on stdio', digits: 2, atMost: 1 },
    ],
  })),
  { what: 'for each locked tool', figures: [{ key: 'frozen-tool', unit: 'ms', digits: 3, atMost: 0.02 }] },
  {
    what: 'longest stall of the event loop after `listening`',
    figures: [
      { key: 'stall', unit: 'ms', digits: 1, atMost: 25 },
      { key: 'stall-initialize', unit: 'ms at the first 2025 client', digits: 1, atMost: 25 },
    ],
  },
  {
    what: '500 clients that call once a second from the first second on',
    figures: [
      { key: 'sessions-p99', unit: 'ms at the 99th percentile', digits: 1 },
      { key: 'sessions-p99-v1', unit: '× the SDK v1', digits: 2, atMost: 0.33 },
    ],
  },
  {
    what: 'memory of each of their sessions',
    figures: [
      { key: 'session-mb', unit: 'MB', digits: 2, atMost: 0.05 },
      { key: 'session-v1', unit: '× the SDK v1', digits: 2 },
    ],
  },
  {
    what: 'memory, idle',
    figures: [
      { key: 'idle-mb', unit: 'MB' },
      { key: 'idle-sdk', unit: SDK, digits: 2, atMost: 0.9 },
    ],
  },
  {
    what: 'memory after 50,000 calls',
    figures: [
      { key: 'used-mb', unit: 'MB' },
      { key: 'used-sdk', unit: SDK, digits: 2, atMost: 0.5 },
    ],
  },
  { what: 'save to served, one plugin of 20 files', figures: [{ key: 'reload-alone', unit: 'ms', atMost: 25 }] },
  { what: 'the same, saved every 100 ms', figures: [{ key: 'reload-run', unit: 'ms', atMost: 60 }] },
  {
    what: 'the same beside 99 others of 20 files',
    figures: [
      { key: 'reload-many', unit: 'ms' },
      { key: 'reload-many-alone', unit: '× alone', digits: 1, atMost: 1.5 },
    ],
  },
  { what: 'a helper that 100 plugins share, until all have it', figures: [{ key: 'reload-shared', unit: 'ms', atMost: 1_500 }] },
  {
    what: 'calls lost over reloads under load',
    figures: [
      { key: 'lost', unit: 'lost', atMost: 0 },
      { key: 'lost-of', unit: 'made' },
    ],
  },
  { what: 'heap that a reload keeps', figures: [{ key: 'reload-heap', unit: 'KB', digits: 2, atMost: 0.3 }] },
  {
    what: 'isolated, HTTP, 1 KB, one at a time',
    figures: [{ key: 'isolated-added', unit: 'µs beyond inline', atMost: 40 }],
  },
  {
    what: 'isolated, HTTP, 1 KB, 32 connections, all on one core',
    figures: [
      { key: 'isolated-1kb', unit: INLINE, digits: 2, atLeast: 0.7 },
      { key: 'isolated-p99', unit: 'at the 99th percentile', digits: 2, atMost: 1.5 },
    ],
  },
  { what: 'isolated, HTTP, 100 KB, 32 connections', figures: [{ key: 'isolated-100kb', unit: INLINE, digits: 2, atLeast: 0.6 }] },
  {
    what: '20 isolated plugins, idle',
    figures: [
      { key: 'idle-20-mb', unit: 'MB' },
      { key: 'idle-20', unit: '× the host alone', digits: 2, atMost: 1.3 },
      { key: 'idle-first', unit: 'ms for the first call', atMost: 150 },
    ],
  },
  {
    what: '100 isolated plugins listed, 3 of them used',
    figures: [
      { key: 'listed-100-mb', unit: 'MB' },
      { key: 'listed-100', unit: '× with 3 listed', digits: 2, atMost: 1.1 },
    ],
  },
  {
    what: 'an MCP server on stdio through the host, one at a time',
    figures: [{ key: 'server-added', unit: 'ms added', digits: 2, atMost: 0.3 }],
  },
  {
    what: 'the same, 64 in flight, the server on a core of its own',
    figures: [{ key: 'server-64', unit: '× its own rate', digits: 2, atLeast: 0.7 }],
  },
  {
    what: "GitHub's OpenAPI description, first list",
    figures: [
      { key: 'openapi-new', unit: 's', digits: 2, atMost: 1.5 },
      { key: 'openapi-kept', unit: 's when it is kept', digits: 2, atMost: 0.3 },
    ],
  },
  {
    what: 'search among its tools',
    figures: [
      { key: 'search-found', unit: '% of the right tools within five', atLeast: 90 },
      { key: 'search-ms', unit: 'ms', digits: 1, atMost: 2 },
      { key: 'search-share', unit: '% of the list', digits: 1, atMost: 5 },
    ],
  },
  {
    what: '`npm install mcp-patchbay @mcp-patchbay/plugin-api`',
    figures: [
      { key: 'install-mb', unit: 'MB', atMost: 25 },
      { key: 'install-packages', unit: 'packages', atMost: 25 },
    ],
  },
]
