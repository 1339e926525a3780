// Whoever answers, the edge is the same: every test of it once more without the direct path.
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'

process.env['PATCHBAY_DIRECT'] = 'off'
for (const file of await readdir(import.meta.dirname))
  if (/^http-edge-.*\.test\.ts$/.test(file) && file !== basename(import.meta.filename))
    await import(join(import.meta.dirname, file))
