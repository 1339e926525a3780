import { defineConfig } from 'mcp-patchbay'

const plugins = Number(process.env['PLUGINS'] ?? 1)
const cache = process.env['CACHE']

// Filters, limits, metrics and logging are at their defaults.
export default defineConfig({
  plugins: Array.from({ length: plugins }, (_, index) => ({
    use: './plugin.ts',
    as: index === 0 ? 'bench' : `bench_${index}`,
    config: { offers: `${process.env['FILLERS']} over ${plugins}` },
    ...(process.env['ISOLATION'] === 'process' && { isolation: 'process' as const }),
  })),
  ...(cache && { cache: { store: cache } }),
  listen: { http: { port: Number(process.env['PORT'] ?? 0) }, management: { port: 0 } },
})
