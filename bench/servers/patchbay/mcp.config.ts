import { defineConfig } from 'mcp-patchbay'

const plugins = Number(process.env['PLUGINS'] ?? 1)

// Filters, limits, metrics and logging are at their defaults.
export default defineConfig({
  plugins: Array.from({ length: plugins }, (_, index) => ({
    use: './plugin.ts',
    as: index === 0 ? 'bench' : `bench_${index}`,
  })),
  listen: { http: { port: Number(process.env['PORT'] ?? 0) }, management: { port: 0 } },
})
