import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalizeEntry } from '../../../host/src/config/schema/schema.ts'
import { noCapabilities, type Capabilities } from '../../../host/src/pin/capabilities.ts'
import { execCommand, npmCommand } from '../../../host/src/plugin/mcp-server/process/server-command.ts'
import { describeServer } from '../../../host/src/plugin/mcp-server/surface/describe-server.ts'

const of = { instance: 'files', config: {}, capabilities: noCapabilities, configDir: '/project', env: {}, heapMb: 64 }

test('a server from npm reads its own tree, and has what its entry is granted and no more', () => {
  const flagsOf = (capabilities: Partial<Capabilities>) => {
    const entry = normalizeEntry({ use: 'mcp:npm:x' })
    const { args: all } = npmCommand(
      { folder: '/tree', entryFile: '/tree/run.js' },
      { ...of, entry, capabilities: { ...noCapabilities, ...capabilities } },
    )
    return all.filter((flag) => /^--(?:permission|allow|no-)/.test(flag))
  }
  const limitsNetwork = process.allowedNodeEnvironmentFlags.has('--allow-net')
  const least = ['--permission', '--allow-fs-read=/tree', '--no-addons', '--no-experimental-sqlite']
  const table: readonly (readonly [Partial<Capabilities>, readonly string[]])[] = [
    [{}, least],
    [{ hosts: ['https://api.example'] }, [...least, ...(limitsNetwork ? ['--allow-net'] : [])]],
    [{ native: true }, ['--permission', '--allow-fs-read=/tree', '--allow-addons', '--no-experimental-sqlite']],
    [
      { fs: { read: ['docs', '/srv/data'], write: ['out'] } },
      [...least, '--allow-fs-read=/project/docs', '--allow-fs-read=/srv/data', '--allow-fs-write=/project/out'],
    ],
  ]
  for (const [capabilities, flags] of table)
    assert.deepEqual(flagsOf(capabilities).toSorted(), flags.toSorted(), JSON.stringify(capabilities))
})

test('a server gets the variables of its entry and those that are granted, and of the rest a command gets PATH', () => {
  const host = { PATH: '/bin', HOME: '/home/me', TOKEN: 'of the host', GRANTED: 'yes' }
  const entry = normalizeEntry({ use: 'mcp:exec', command: ['/bin/run'], env: { LEVEL: 'debug' } })
  const options = { ...of, entry, env: host, capabilities: { ...noCapabilities, env: ['GRANTED'] } }
  assert.deepEqual(execCommand(options).env, { PATH: '/bin', GRANTED: 'yes', LEVEL: 'debug' })
  assert.deepEqual(npmCommand({ folder: '/tree', entryFile: '/tree/run.js' }, options).env, { GRANTED: 'yes', LEVEL: 'debug' })
})

test('a tool of a server reads where the server says so, and else it writes', () => {
  const accessOf = (annotations: unknown) => {
    const tool = { name: 'query', inputSchema: { type: 'object' }, annotations }
    const offer = { tools: [tool], resources: [], templates: [], prompts: [], completes: false }
    const [found] = describeServer(offer, { instance: 'pg', isInteractive: false }).found.tools
    return found && 'access' in found ? found.access : undefined
  }
  const table = [
    [{ readOnlyHint: true }, 'read'],
    [{ readOnlyHint: false }, 'write'],
    [{ readOnlyHint: 'true' }, 'write'],
    [{ destructiveHint: false }, 'write'],
    [{}, 'write'],
    [undefined, 'write'],
  ] as const
  for (const [annotations, expected] of table) assert.equal(accessOf(annotations), expected, JSON.stringify(annotations))
})
