import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineReader } from '../../../host/src/transport/stdio/line-reader.ts'

const MAX = 12

function read(chunks: readonly Buffer[]): readonly (string | null)[] {
  const lines: (string | null)[] = []
  const reader = new LineReader({
    maxBytes: MAX,
    onLine: (line) => lines.push(typeof line === 'string' ? Buffer.from(line).toString('latin1') : line.toString('latin1')),
    onTooLong: () => lines.push(null),
  })
  for (const chunk of chunks) reader.push(chunk)
  reader.end()
  return lines
}

test('whatever pieces bytes come in, the same lines come out, and null for one that is too long', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  )
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat({ max: 60 })), (parts, cuts) => {
      const bytes = Buffer.concat(parts.flatMap((part) => [part, Buffer.from('\n')]))
      const ends = [...new Set(cuts)].toSorted((a, b) => a - b)
      const pieces = [0, ...ends].map((start, index) => bytes.subarray(start, ends[index] ?? bytes.length))
      const expected = bytes
        .toString('latin1')
        .split('\n')
        .filter((text) => !/^[ \t\r]*$/.test(text) || text.length > MAX)
        .map((text) => (text.length > MAX ? null : text))
      assert.deepEqual(read(pieces), expected)
    }),
  )
})
