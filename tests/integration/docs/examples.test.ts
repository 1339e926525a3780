import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../../..')

for (const file of globSync('examples/*/run.ts', { cwd: root }))
  test(`${file} does what it says`, async () => {
    const { PATH, HOME } = process.env
    const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) => {
      execFile(process.execPath, [join(root, file)], { cwd: root, env: { PATH, HOME } }, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, output: stdout + stderr }),
      )
    })
    assert.equal(code, 0, output)
    assert.match(output, /All of it went as it says\.\n$/)
  })
