import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as errors from '../../host/src/errors.ts'

const { describeError, ERROR_CODES, HostError, hostError } = errors

const page = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8')
const sections = [...page.matchAll(/^## ([A-Z][A-Z0-9_]*)$/gm)].map(([, code]) => code ?? '')

test('every error code has its section in docs/errors.md', () => {
  assert.deepEqual(
    ERROR_CODES.filter((code) => !sections.includes(code)),
    [],
  )
})

test('docs/errors.md has no section for a code that does not exist, and none twice', () => {
  const codes: readonly string[] = ERROR_CODES
  assert.deepEqual(
    sections.filter((code) => !codes.includes(code)),
    [],
  )
  assert.equal(new Set(sections).size, sections.length)
})

test('an error tells what failed, the steps, and where to read on', () => {
  const error = hostError('CONFIG_MISSING', { plugin: 'github', variable: 'GITHUB_API_URL' })
  assert.equal(
    describeError(error),
    [
      'Plugin "github" needs GITHUB_API_URL, which is not set',
      'To fix:',
      '  1. Set GITHUB_API_URL in the environment or in .env',
      '  2. Or point GITHUB_API_URL_FILE at a file that holds it',
      `See ${join(import.meta.dirname, '../../docs/errors.md#config_missing')}`,
    ].join('\n'),
  )
})

test('an error is recognised across copies of its module', async () => {
  const url = `${import.meta.resolve('../../host/src/errors.ts')}?copy`
  const copy = (await import(url)) as typeof errors
  assert.notEqual(copy.HostError, HostError)
  assert.ok(copy.hostError('INTERNAL', { requestId: 'r1' }) instanceof HostError)
  assert.ok(!(new Error('other') instanceof HostError))
})

test('no step names mcp.config.ts, as the config may be another file', () => {
  const folder = join(import.meta.dirname, '../../host/src')
  const found = globSync('**/*.ts', { cwd: folder }).flatMap((file) =>
    readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(?:\*|\/)/.test(line) && /\b(?:in|of|from|to) mcp\.config\.ts/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  )
  assert.deepEqual(found, [])
})

test('a config that is data is completed with its JSON Schema, one that is code with its types', () => {
  const step = (file: string) => hostError('CONFIG_INVALID', { file, faults: [] }).fix[0] ?? ''
  for (const file of ['/p/mcp.config.json', '/p/mcp.config.yaml', '/p/mcp.config.yml'])
    assert.match(step(file), /patchbay schema/)
  for (const file of ['/p/mcp.config.ts', '/p/mcp.config.mjs', 'The config']) assert.match(step(file), /TypeScript support/)
})
