import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { normalizeEntry } from '../../../host/src/config/schema/schema.ts'
import type { ErrorCode } from '../../../host/src/errors.ts'
import { digestOf } from '../../../host/src/modules/reading/source-digest.ts'
import { noCapabilities } from '../../../host/src/pin/capabilities.ts'
import type { ObservedInstall, ObservedSurface } from '../../../host/src/pin/difference/compare.ts'
import { withPlugin, emptyLock, type LockedDocument, type LockedServer } from '../../../host/src/pin/lock/lock.ts'
import { digestSurface, type PluginDescriptors } from '../../../host/src/pin/surface.ts'
import { lockEntry } from '../../../host/src/pin/verdict/approve.ts'
import { judgePlugin } from '../../../host/src/pin/verdict/verdict.ts'
import { createApprovedFiles } from '../../../host/src/plugin/trust/approved-files.ts'
import { observePlugin, observeSurface } from '../../../host/src/plugin/trust/observe.ts'
import { checkPin } from '../../../host/src/plugin/trust/pin-policy.ts'
import { activeRecord, emptyPlugin, emptyTool } from '../../fixtures/projects/snapshots.ts'

const descriptor = (description: string) => ({ name: 'x', description, inputSchema: { type: 'object' } }) as const
const was: PluginDescriptors = {
  tools: {
    one: { access: 'read', descriptor: descriptor('One.') },
    two: { access: 'read', descriptor: descriptor('Two.') },
  },
  prompts: [{ name: 'ask' }],
}
const surfaceOf = (change: Partial<PluginDescriptors>): ObservedSurface => ({
  ...digestSurface({ ...was, ...change }),
  apiVersion: 1,
})
const install: ObservedInstall = {
  use: '@acme/desk',
  source: 'npm',
  version: '1.0.0',
  integrity: 'sha512-a',
  tree: `sha256-${'1'.repeat(64)}`,
  capabilities: { ...noCapabilities, hosts: ['https://a.example'] },
}
const locked = lockEntry(install, surfaceOf({}))

/** What may differ in what is installed, in the order in which it is told, and what it is called. */
const INSTALLED = [
  [{ use: '@acme/other' }, 'PIN_VERSION'],
  [{ version: '2.0.0' }, 'PIN_VERSION'],
  [{ integrity: 'sha512-b' }, 'PIN_INTEGRITY'],
  [{ tree: `sha256-${'2'.repeat(64)}` }, 'PIN_INTEGRITY'],
] as const satisfies readonly (readonly [Partial<ObservedInstall>, ErrorCode])[]
const CAPABILITIES = {
  same: ['https://a.example'],
  broader: ['https://a.example', 'https://b.example'],
  narrower: [],
  other: ['https://b.example'],
} as const

/** What may differ in what clients see: the tools that are hidden for it, and whether the rest is. */
const SEEN: readonly (readonly [ObservedSurface | undefined, readonly string[], boolean])[] = [
  [undefined, [], false],
  [surfaceOf({}), [], false],
  [surfaceOf({ tools: { ...was.tools, one: { access: 'read', descriptor: descriptor('Other.') } } }), ['one'], false],
  [surfaceOf({ tools: { ...was.tools, two: { access: 'write', descriptor: descriptor('Two.') } } }), ['two'], false],
  [surfaceOf({ tools: { ...was.tools, new: { access: 'read', descriptor: descriptor('New.') } } }), ['new'], false],
  [surfaceOf({ tools: { one: { access: 'read', descriptor: descriptor('One.') } } }), [], false],
  [surfaceOf({ prompts: [{ name: 'ask', description: 'Other.' }] }), [], true],
  [surfaceOf({ prompts: [] }), [], true],
  [surfaceOf({ resources: [{ name: 'r', uri: 'file:///r' }] }), [], true],
]

test('a plugin is refused, hidden in whole or in part, or let in, for everything that may differ from the lock', () => {
  let judged = 0
  for (const frozen of [true, false])
    for (const source of ['npm', 'path'] as const)
      for (const isLocked of [true, false])
        for (let mask = 0; mask < 2 ** INSTALLED.length; mask++)
          for (const [how, hosts] of Object.entries(CAPABILITIES))
            for (const [surface, hidden, hidesOthers] of SEEN) {
              const changes = INSTALLED.filter((_, index) => mask & (1 << index))
              const [first] = changes
              const asked: ObservedInstall = Object.assign(
                { ...install, source, capabilities: { ...noCapabilities, hosts } },
                ...changes.map(([change]) => change),
              )
              const verdict = judgePlugin({
                name: 'desk',
                locked: isLocked ? locked : undefined,
                install: asked,
                frozen,
                ...(surface && { surface }),
              })
              const all = Object.keys(surface?.tools ?? {})
              const accepted = (quarantined: readonly string[], othersQuarantined: boolean, warning?: ErrorCode) => ({
                quarantined,
                othersQuarantined,
                warning,
              })
              // The table, top to bottom.
              const expected =
                !frozen && source === 'path'
                  ? accepted([], false)
                  : !isLocked
                    ? frozen
                      ? 'PIN_NOT_LOCKED'
                      : accepted([], false, 'PIN_NOT_LOCKED')
                    : frozen && first
                      ? first[1]
                      : frozen && how !== 'same'
                        ? 'PIN_CAPABILITY'
                        : how === 'broader' || how === 'other'
                          ? 'PIN_CAPABILITY'
                          : first
                            ? accepted(all, true, first[1])
                            : accepted(
                                hidden,
                                hidesOthers,
                                hidden.length > 0 ? 'PIN_TOOL_CHANGED' : hidesOthers ? 'PIN_OTHERS_CHANGED' : undefined,
                              )
              const says = JSON.stringify({ frozen, source, isLocked, changes, how, hidden })
              const actual =
                verdict.plugin === 'refused'
                  ? verdict.error.code
                  : accepted(verdict.quarantined.toSorted(), verdict.othersQuarantined, verdict.warnings[0]?.code)
              assert.deepEqual(
                actual,
                typeof expected === 'string' ? expected : { ...expected, quarantined: expected.quarantined.toSorted() },
                says,
              )
              judged++
            }
  assert.equal(judged, 8 * 16 * 4 * 9)
})

/** A plugin on disk that is pinned as it is, in a deployment that is frozen. */
async function pinned(t: TestContext) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'patchbay-pin-')))
  t.after(() => rmSync(root, { recursive: true }))
  const folder = join(root, 'desk')
  mkdirSync(folder)
  const [file, manifest] = [join(folder, 'index.js'), join(folder, 'package.json')]
  writeFileSync(file, 'export default {}')
  writeFileSync(manifest, '{"type":"module"}')
  const entry = normalizeEntry({ use: './desk', as: 'desk' })
  const within = { label: 'desk', configDir: root }
  const resolved = { source: 'path', file, root: folder } as const
  const { surface } = activeRecord(emptyPlugin('desk', [emptyTool('issues_get')]))
  assert.ok(surface)
  const { install: found } = await observePlugin(entry, resolved, within)
  const lock = withPlugin(emptyLock, 'default', 'desk', lockEntry(found, observeSurface(surface)))
  const policy = { lock, deployment: 'default', frozen: true, approved: createApprovedFiles(() => true) }
  return { entry, resolved, surface, file, manifest, within, policy }
}

test('what decides how code runs must still be what was compared with the lock when it was read', async (t) => {
  const { entry, resolved, surface, file, manifest, within, policy } = await pinned(t)
  using check = await checkPin(entry, resolved, { policy, within })
  const read = new Map([
    [file, digestOf(file)],
    [manifest, digestOf(manifest)],
  ])
  const judge = (digests: ReadonlyMap<string, string>) => check.judge({ instance: 'desk', surface, digests })
  assert.equal((await judge(read)).pinned, 'pinned')
  await assert.rejects(judge(new Map([...read, [manifest, 'another']])), {
    code: 'PIN_FILE',
    message: /package\.json.*it changed after it was compared/,
  })
  assert.equal((await judge(new Map([...read, ['/outside.js', 'another']]))).pinned, 'pinned', 'which is judged as it is read')
})

test('a pin in the config itself is not met by a plugin of which npm recorded nothing, frozen or not', async (t) => {
  const { entry, resolved, within, policy } = await pinned(t)
  for (const frozen of [true, false])
    await assert.rejects(checkPin({ ...entry, integrity: 'sha512-a' }, resolved, { policy: { ...policy, frozen }, within }), {
      code: 'PLUGIN_INTEGRITY',
      message: /none that npm recorded/,
    })
})

test('a frozen server runs in the way the lock says, and any other way is named; nothing is hidden for it while nothing is frozen', () => {
  const server: LockedServer = { command: ['uvx', 'git'], args: ['--x'], env: ['A'], share: 'all', roots: ['.'] }
  const pinned = lockEntry({ ...install, server }, surfaceOf({}))
  const others: readonly (readonly [Partial<LockedServer>, RegExp])[] = [
    [{ command: ['sh', '-c', 'x'] }, /its command is \["sh","-c","x"\], the lock says \["uvx","git"\]/],
    [{ args: [] }, /its args is \[\]/],
    [{ env: ['A', 'B'] }, /its env is \["A","B"\]/],
    [{ share: 'session' }, /its share is "session"/],
    [{ roots: ['..'] }, /its roots is/],
  ]
  const judge = (observed: LockedServer | undefined, frozen: boolean, from = pinned) =>
    judgePlugin({
      name: 'git',
      locked: from,
      install: { ...install, ...(observed && { server: observed }) },
      surface: surfaceOf({}),
      frozen,
    })
  assert.equal(judge({ ...server }, true).plugin, 'accepted')
  for (const [change, says] of others) {
    const verdict = judge({ ...server, ...change }, true)
    assert.ok(verdict.plugin === 'refused')
    assert.equal(verdict.error.code, 'PIN_VERSION')
    assert.match(verdict.error.message, says)
    const open = judge({ ...server, ...change }, false)
    assert.ok(open.plugin === 'accepted')
    assert.deepEqual([open.quarantined, open.warnings, open.differences.length], [[], [], 1])
  }
  assert.equal(judge(undefined, true).plugin, 'refused')
  assert.equal(judge(server, true, locked).plugin, 'refused', 'a lock from before pins nothing of how it runs')
})

test('frozen, the description of an API is the one in the lock; in development it is its developer’s to change', () => {
  const document = { from: 'pets.yaml', digest: `sha256-${'3'.repeat(64)}` } as const
  const other = { ...document, digest: `sha256-${'4'.repeat(64)}` } as const
  const changed = surfaceOf({ tools: { ...was.tools, one: { access: 'read', descriptor: descriptor('Other.') } } })
  const judge = (found: LockedDocument | undefined, frozen: boolean, from: LockedDocument | undefined = document) =>
    judgePlugin({
      name: 'pets',
      locked: lockEntry({ ...install, ...(from && { document: from }) }, surfaceOf({})),
      install: { ...install, ...(found && { document: found }) },
      surface: changed,
      frozen,
    })
  const refusals: readonly (readonly [LockedDocument | undefined, RegExp])[] = [
    [other, /pets\.yaml is sha256-4+, the lock says sha256-3+/],
    [{ ...document, from: 'other.yaml' }, /it reads other\.yaml, the lock says pets\.yaml/],
    [{ from: 'pets.yaml' }, /pets\.yaml cannot be read/],
    [undefined, /it reads no description, the lock says pets\.yaml/],
  ]
  for (const [found, says] of refusals) {
    const verdict = judge(found, true)
    assert.ok(verdict.plugin === 'refused')
    assert.equal(verdict.error.code, 'PIN_DOCUMENT')
    assert.match(verdict.error.message, says)
  }
  const unheard = judgePlugin({ name: 'pets', locked, install: { ...install, document }, frozen: true })
  assert.match(unheard.plugin === 'refused' ? unheard.error.message : '', /mcp\.lock\.json has no description for it/)
  const hidden = (verdict: ReturnType<typeof judge>) => (verdict.plugin === 'accepted' ? verdict.quarantined : 'refused')
  assert.deepEqual(hidden(judge(document, true)), ['one'])
  assert.deepEqual(hidden(judge(other, false)), [], 'a file of the project')
  const address: LockedDocument = { from: 'https://pets.example/openapi.json' }
  for (const frozen of [true, false])
    assert.deepEqual(hidden(judge(address, frozen, address)), ['one'], 'what another machine gives')
})
