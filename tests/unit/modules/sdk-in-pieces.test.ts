import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { SDK_PIECES } from '../../../host/src/modules/reading/read-in-pieces.ts'

const chunks = join(import.meta.dirname, '../../../host/bundle/chunks')
/** The largest was 303 kB, which takes 5 ms; the whole of one side was 1,005 kB and 40 ms. */
const LARGEST_BYTES = 350_000
let importsOf: (chunk: string) => readonly string[]

before(() => {
  const files = readdirSync(chunks).filter((file) => file.endsWith('.js'))
  const imports = new Map(
    files.map((file) => {
      const code = readFileSync(join(chunks, file), 'utf8')
      return [file, Array.from(code.matchAll(/^(?:import|export)\b[^;]*?"\.\/(.+?)";$/gm), ([, from = '']) => from)]
    }),
  )
  importsOf = (chunk) => imports.get(chunk) ?? []
})

for (const [side, pieces] of Object.entries(SDK_PIECES))
  test(`the ${side} side of the SDK is read in small pieces, each of which needs only those before it`, () => {
    const read = new Set<string>()
    for (const piece of pieces) {
      const file = `${piece}.js`
      assert.ok(statSync(join(chunks, file)).size < LARGEST_BYTES, `${file} is too large for one turn of the event loop`)
      assert.deepEqual(
        importsOf(file).filter((from) => !read.has(from)),
        [],
        `what ${file} imports was not read before it`,
      )
      read.add(file)
    }
  })

test('no other chunk that has a part of the SDK is large', () => {
  const pieces = new Set(Object.values(SDK_PIECES).flatMap((names) => names.map((name) => `${name}.js.map`)))
  const others = readdirSync(chunks).filter((file) => file.endsWith('.js.map') && !pieces.has(file))
  const large = others.filter((file) => {
    const { sources } = JSON.parse(readFileSync(join(chunks, file), 'utf8')) as { readonly sources: readonly string[] }
    const hasSdk = sources.some((source) => /node_modules\/(?:zod|@modelcontextprotocol)\//.test(source))
    return hasSdk && statSync(join(chunks, file.slice(0, -'.map'.length))).size > LARGEST_BYTES
  })
  assert.deepEqual(large, [])
})
