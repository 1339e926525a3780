// Every cell of the table once more without the direct path.
process.env['PATCHBAY_DIRECT'] = 'off'
await import('./same-everywhere.test.ts')
