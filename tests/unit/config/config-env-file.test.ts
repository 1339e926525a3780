import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readEnvFile } from '../../../host/src/config/file/dotenv.ts'

const root = mkdtempSync(join(tmpdir(), 'patchbay-dotenv-'))
after(() => rmSync(root, { recursive: true }))

test('reads .env beside the config, never over the real environment', () => {
  const folder = project({ '.env': '\uFEFFA=file\nB="two words"\nexport C=3 # three\nEMPTY=file\n' })
  const env = { A: 'real', EMPTY: '' }
  assert.deepEqual(readEnvFile({ folder, cwd: '/', env }), { A: 'real', B: 'two words', C: '3', EMPTY: '' })
  assert.deepEqual(env, { A: 'real', EMPTY: '' })
})

test('leaves process.env alone', () => {
  readEnvFile({ folder: project({ '.env': 'PATCHBAY_TEST_ONLY=1' }), cwd: '/', env: process.env })
  assert.equal(process.env['PATCHBAY_TEST_ONLY'], undefined)
})

test('a missing .env is fine', () => {
  assert.deepEqual(readEnvFile({ folder: project({}), cwd: '/', env: { A: '1' } }), { A: '1' })
})

test('--dotenv is read instead of .env, from the working directory', () => {
  const folder = project({ '.env': 'A=beside', 'prod.env': 'B=named' })
  assert.deepEqual(readEnvFile({ folder: '/nowhere', file: 'prod.env', cwd: folder, env: {} }), { B: 'named' })
})

test('says why an environment file cannot be read', () => {
  const folder = project({ 'bytes.env': Buffer.from([0x41, 0x3d, 0xff]) })
  mkdirSync(join(folder, '.env'))
  const refused = (file: string | undefined, problem: string) =>
    assert.throws(() => readEnvFile({ folder, file, cwd: folder, env: {} }), {
      code: 'CONFIG_ENV_FILE',
      message: `The environment file ${join(folder, file ?? '.env')} cannot be read: ${problem}`,
    })
  refused('missing.env', 'there is no such file')
  refused('bytes.env', 'it is not UTF-8 text')
  refused(undefined, 'it is a folder')
})

function project(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(root, 'p-'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return folder
}
