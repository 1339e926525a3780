import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../../../host/src')

/** All that these modules import at once: their own files, and packages by the names they are imported by. */
function reachedFrom(files: readonly string[]): {
  readonly files: ReadonlySet<string>
  readonly packages: ReadonlyMap<string, string>
} {
  const reached = new Set(files.map((file) => join(root, file)))
  const packages = new Map<string, string>()
  for (const file of reached) {
    const source = readFileSync(file, 'utf8')
    for (const [, clause = '', from = ''] of source.matchAll(/^(?:import|export) ([^'"()]*?from )?'([^']+)'$/gm)) {
      if (clause.startsWith('type ') || /^\{(?:\s*type \w+(?: as \w+)?,?)*\s*\} from $/.test(clause)) continue
      if (!from.startsWith('.')) packages.set(from, file)
      else if (existsSync(join(dirname(file), from)) && from.endsWith('.ts')) reached.add(join(dirname(file), from))
    }
  }
  return { files: reached, packages }
}

test('a start reads nothing before its first list that is only needed after it', () => {
  const { files, packages } = reachedFrom(['main.ts', 'cli/start.ts', 'from-file.ts', 'host.ts', 'plugin/activate.ts'])
  assert.ok(files.size > 200, `${files.size} files are too few to be a start`)
  const later = /^(?:@modelcontextprotocol|ajv|undici|prom-client|chokidar|cosmiconfig|openid-client|yaml|typebox)(?:\/|$)/
  const read = [...packages].filter(([name]) => later.test(name))
  assert.deepEqual(read, [], 'each of them takes a start 5 to 40 ms: import it where it is needed')
})
