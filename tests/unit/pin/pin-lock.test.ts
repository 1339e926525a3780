import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import * as fc from 'fast-check'
import { noCapabilities } from '../../../host/src/pin/capabilities.ts'
import { emptyLock, formatLock, lockedPlugin, withPlugin, type Lock, type LockedPlugin } from '../../../host/src/pin/lock/lock.ts'
import { readLock } from '../../../host/src/pin/lock/read-lock.ts'
import { writeLock } from '../../../host/src/pin/lock/write-lock.ts'

const base = await mkdtemp(path.join(tmpdir(), 'patchbay-lock-'))
after(() => rm(base, { recursive: true, force: true }))

let folders = 0
/** A path for a lock in a folder of its own. */
async function freshPath(): Promise<string> {
  const folder = path.join(base, String(folders++))
  await mkdir(folder)
  return path.join(folder, 'mcp.lock.json')
}

const zeros = `sha256-${'0'.repeat(64)}` as const
const jira: LockedPlugin = {
  use: '@acme/mcp-jira',
  version: '2.3.1',
  integrity: 'sha512-q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ==',
  tree: `sha256-${'1'.repeat(64)}`,
  apiVersion: 1,
  capabilities: noCapabilities,
  surface: `sha256-${'2'.repeat(64)}`,
  tools: { issues_get: { digest: zeros, access: 'read' } },
}
const lock = withPlugin(emptyLock, 'default', 'jira_eu', jira)

/** The form that DESIGN and docs promise to every reader of the file. */
const text = `{
  "lockfileVersion": 1,
  "deployments": {
    "default": {
      "plugins": {
        "jira_eu": {
          "use": "@acme/mcp-jira",
          "version": "2.3.1",
          "integrity": "sha512-q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ==",
          "tree": "sha256-${'1'.repeat(64)}",
          "apiVersion": 1,
          "capabilities": {
            "hosts": [],
            "env": [],
            "fs": {
              "read": [],
              "write": []
            },
            "credentials": "brokered"
          },
          "surface": "sha256-${'2'.repeat(64)}",
          "tools": {
            "issues_get": {
              "digest": "sha256-${'0'.repeat(64)}",
              "access": "read"
            }
          }
        }
      }
    }
  }
}
`

test('writes the documented form, with a line break at the end', async () => {
  const file = await freshPath()
  await writeLock(file, lock)
  assert.equal(await readFile(file, 'utf8'), text)
})

test('reads what it wrote', async () => {
  const file = await freshPath()
  const native = { ...jira, capabilities: { ...noCapabilities, native: true, credentials: 'raw' } } as const
  const { version: _version, integrity: _integrity, ...local } = { ...jira, use: './plugins/sqlite' }
  const both = withPlugin(withPlugin(lock, 'production', 'jira_eu', native), 'default', 'sqlite', local)
  await writeLock(file, both)
  assert.deepEqual(await readLock(file), both)
})

test('writes the same text whatever the order things were pinned in', () => {
  const forth = withPlugin(withPlugin(lock, 'default', 'b', jira), 'production', 'a', jira)
  const back = withPlugin(
    withPlugin(withPlugin(emptyLock, 'production', 'a', jira), 'default', 'b', jira),
    'default',
    'jira_eu',
    jira,
  )
  assert.equal(formatLock(forth), formatLock(back))
})

test('answers undefined when there is no lock', async () => {
  assert.equal(await readLock(await freshPath()), undefined)
})

test('pins nothing under a name that every object has', () => {
  assert.equal(lockedPlugin(lock, 'default', 'constructor'), undefined)
  assert.equal(lockedPlugin(lock, 'toString', 'jira_eu'), undefined)
  assert.equal(lockedPlugin(undefined, 'default', 'jira_eu'), undefined)
  assert.equal(lockedPlugin(lock, 'default', 'jira_eu'), jira)
})

test('forgets a plugin and keeps the others', () => {
  const both = withPlugin(lock, 'default', 'github', jira)
  assert.deepEqual(withPlugin(both, 'default', 'github', undefined), lock)
})

/** `text` with `from` replaced; fails when it is not there, so that no case below can rot. */
function edited(from: string, to: string): string {
  assert.ok(text.includes(from))
  return text.replace(from, to)
}

for (const [what, content, line, column, problem] of [
  ['an empty file', '', 1, 1, /the file is empty/],
  ['a file of white space', ' \n\n', 1, 1, /the file is empty/],
  ['a half-written file', text.slice(0, 260), 10, 19, /string is not closed/],
  ['a file with a zeroed end', `${text.slice(0, 100)}${'\0'.repeat(50)}`, 6, 20, /a value, but found "\\u0000"/],
  ['wrong JSON', edited('"version": "2.3.1",', "'version': '2.3.1',"), 8, 11, /a key in double quotes, but found "'"/],
  ['a merge conflict', edited('          "version"', '<<<<<<< HEAD\n          "version"'), 8, 1, /merge conflict/],
  [
    'a plugin that stands twice',
    edited('"jira_eu": {', '"jira_eu": {},\n"jira_eu": {'),
    7,
    1,
    /"jira_eu" stands here a second time/,
  ],
  ['a plugin named __proto__', edited('"jira_eu"', '"__proto__"'), 6, 9, /"__proto__" is not accepted/],
  [
    'a plugin with a name none can have',
    edited('"jira_eu"', '"Jira-EU"'),
    6,
    20,
    /deployments\.default\.plugins\["Jira-EU"\] does not belong here/,
  ],
  ['no object', '[]', 1, 1, /the lock must be object/],
  ['no version', '{ "deployments": {} }', 1, 1, /must have required properties lockfileVersion/],
  ['a version that is no number', edited('"lockfileVersion": 1', '"lockfileVersion": "1"'), 2, 22, /lockfileVersion must be/],
  [
    'an older version',
    edited('"lockfileVersion": 1', '"lockfileVersion": 0'),
    2,
    22,
    /lockfileVersion must be equal to constant/,
  ],
  [
    'a wrong type',
    edited('"version": "2.3.1"', '"version": 2'),
    8,
    22,
    /deployments\.default\.plugins\.jira_eu\.version must be string/,
  ],
  ['a digest of the wrong form', edited(zeros, 'md5-00'), 24, 25, /tools\.issues_get\.digest must match pattern/],
  [
    'an access that does not exist',
    edited('"access": "read"', '"access": "reed"'),
    25,
    25,
    /tools\.issues_get\.access must be equal to one of/,
  ],
  ['an unknown key', edited('"env": []', '"env": [], "enw": []'), 14, 31, /capabilities\.enw does not belong here/],
  [
    'a missing key',
    edited(`"tree": "sha256-${'1'.repeat(64)}",`, ''),
    6,
    20,
    /plugins\.jira_eu must have required properties tree/,
  ],
] as const) {
  test(`refuses ${what}, with line and column`, async () => {
    const file = await freshPath()
    await writeFile(file, content)
    await assert.rejects(readLock(file), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'LOCK_INVALID')
      assert.ok(error.message.startsWith(`${file}:${line}:${column}: `), error.message)
      assert.match(error.message, problem)
      return true
    })
  })
}

test('refuses every lock that was cut off, wherever', async () => {
  const file = await freshPath()
  // The last line break may be missing.
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: text.length - 2 }), async (length) => {
      await writeFile(file, text.slice(0, length))
      await assert.rejects(readLock(file), { code: 'LOCK_INVALID' })
    }),
  )
})

test('refuses a newer lock whatever its form, and says which version it understands', async () => {
  const file = await freshPath()
  await writeFile(file, '{ "lockfileVersion": 2, "sites": [] }')
  await assert.rejects(readLock(file), {
    code: 'LOCK_TOO_NEW',
    message: /has lockfileVersion 2; this version of Patchbay reads 1/,
    fix: [
      'Update Patchbay: npm install --save-exact mcp-patchbay@latest',
      'Or remove the file and write it again with this version: npx mcp-patchbay lock',
    ],
  })
})

test('refuses a lock of 100 MB without reading it', async () => {
  const file = await freshPath()
  await writeFile(file, '')
  await truncate(file, 100_000_000)
  await assert.rejects(readLock(file), { code: 'LOCK_TOO_LARGE', message: /100000000 bytes/ })
})

test('refuses a lock that is not UTF-8', async () => {
  const file = await freshPath()
  await writeFile(file, Buffer.concat([Buffer.from(text), Buffer.from([0xff])]))
  await assert.rejects(readLock(file), { code: 'LOCK_UNREADABLE', message: /not UTF-8/ })
})

test('refuses a lock that is a folder', async () => {
  const file = await freshPath()
  await mkdir(file)
  await assert.rejects(readLock(file), { code: 'LOCK_UNREADABLE' })
})

test(
  'refuses a lock that is a named pipe instead of waiting for its writer',
  { skip: process.platform === 'win32' },
  async () => {
    const file = await freshPath()
    execFileSync('mkfifo', [file])
    await assert.rejects(readLock(file), { code: 'LOCK_UNREADABLE', message: /not a regular file/ })
  },
)

test('takes a lock that begins with a byte order mark', async () => {
  const file = await freshPath()
  await writeFile(file, `\uFEFF${text}`)
  assert.deepEqual(await readLock(file), lock)
})

test("keeps the file's mode and leaves nothing else in the folder", async () => {
  const file = await freshPath()
  await writeFile(file, text)
  await chmod(file, 0o640)
  await writeLock(file, emptyLock)
  assert.equal((await stat(file)).mode & 0o777, 0o640)
  assert.deepEqual(await readdir(path.dirname(file)), ['mcp.lock.json'])
})

test('writes through a symbolic link and keeps it', async () => {
  const file = await freshPath()
  const link = path.join(path.dirname(await freshPath()), 'link.json')
  await writeFile(file, text)
  await symlink(file, link)
  await writeLock(link, emptyLock)
  assert.ok((await lstat(link)).isSymbolicLink())
  assert.deepEqual(await readLock(file), emptyLock)
})

test('does not write a lock that it would refuse to read', async () => {
  const file = await freshPath()
  await writeFile(file, text)
  const wrong: Lock = withPlugin(lock, 'default', 'Not A Name', jira)
  await assert.rejects(writeLock(file, wrong), { code: 'LOCK_INVALID' })
  assert.equal(await readFile(file, 'utf8'), text)
})

test('leaves no temporary file when the lock cannot be replaced', async () => {
  const file = await freshPath()
  await mkdir(path.join(file, 'not-empty'), { recursive: true })
  await assert.rejects(writeLock(file, lock), { code: 'LOCK_WRITE_FAILED' })
  assert.deepEqual(await readdir(path.dirname(file)), ['mcp.lock.json'])
})

test('says so when the folder does not exist', async () => {
  await assert.rejects(writeLock(path.join(base, 'nowhere', 'mcp.lock.json'), lock), {
    code: 'LOCK_WRITE_FAILED',
    message: /ENOENT/,
  })
})
