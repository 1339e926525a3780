// Whoever answers, the edge is the same: connections and messages once more without the fast path. Admission is decided before it.
process.env['PATCHBAY_DIRECT'] = 'off'
await import('./http-edge-connections.test.ts')
await import('./http-edge-messages.test.ts')
