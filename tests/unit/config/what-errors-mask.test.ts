import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMask } from '../../../host/src/config/schema/mask.ts'

const mask = createMask({ A_TOKEN: 'abcdef', B_TOKEN: 'xxabcdefyy', PORT: 'ordinary', C_SECRET: 'short' })

/** [text, what is shown of it] */
const TEXTS = [
  ['it was abcdef, twice abcdef', 'it was [secret], twice [secret]'],
  ['it was xxabcdefyy', 'it was [secret]'],
  ['it is ordinary', 'it is ordinary'],
  ['in short', 'in short'],
  ["const apiKey = 'sk-1'", "const apiKey = '[secret]'"],
  ['"password": "hunter2"', '"password": "[secret]"'],
  ['https://me:pass@example.com/x', 'https://[secret]@example.com/x'],
  ['https://example.com/@x', 'https://example.com/@x'],
] as const

for (const [text, shown] of TEXTS)
  test(`of ${JSON.stringify(text)} is shown ${JSON.stringify(shown)}`, () => assert.equal(mask(text), shown))
