import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineResource } from '@mcp-patchbay/plugin-api'
import type { Principal } from '@mcp-patchbay/plugin-api'
import { silentLogger } from '../../../host/src/observability/logger.ts'
import { createCaller, type Caller } from '../../../host/src/server/catalog/caller.ts'
import { ChangeNotifier } from '../../../host/src/server/catalog/change-notifier.ts'
import { Registry } from '../../../host/src/server/catalog/registry.ts'
import { activeRecord, emptyPlugin, emptyTool, snapshotOf } from '../../fixtures/projects/snapshots.ts'

const resource = (name: string, permissions: readonly string[] = []) => ({
  ...defineResource({ name, uri: `notes://${name}`, description: 'Reads.', read: () => '' }),
  permissions,
})
const plugin = (...tools: readonly string[]) =>
  emptyPlugin(
    'notes',
    tools.map((tool) => emptyTool(tool)),
    { resources: [resource('open'), resource('closed', ['closed'])] as never },
  )

function caller(permissions: readonly string[] = []): Caller {
  const principal: Principal = { id: 'x', tenant: undefined, permissions, kind: 'apiKey' }
  return createCaller(principal)
}

function listening() {
  const logged: unknown[] = []
  const log = { ...silentLogger, error: (event: string, fields = {}) => void logged.push([event, fields]) }
  const first = activeRecord(plugin('a_get'))
  const registry = new Registry(snapshotOf([first], {}, 1), log)
  const notifier = new ChangeNotifier(registry, log)
  const told: string[] = []
  const add = (name: string, who: Caller, resourceUris?: readonly string[]) =>
    notifier.add({
      caller: who,
      resourceUris,
      listChanged: (kind) => void told.push(`${name} ${kind}`),
      resourceUpdated: (uri) => void told.push(`${name} ${uri}`),
    })
  const heard = () => told.splice(0).toSorted()
  return { logged, first, registry, notifier, add, heard }
}

test('a publish tells each subscriber of its lists that differ, and of what it follows and may see', () => {
  const { first, registry, add, heard } = listening()
  add('all', caller(['closed']), ['notes://open', 'notes://closed'])
  add('some', caller(), ['notes://open', 'notes://closed'])
  add('one', caller(), ['notes://closed'])
  add('any', caller())
  const end = add('gone', caller(), ['notes://open'])
  end()
  registry.publish(snapshotOf([first], {}, 2))
  assert.deepEqual(heard(), [], 'the same version answers the same')
  const second = activeRecord(plugin('a_get'))
  registry.publish(snapshotOf([second], {}, 3))
  assert.deepEqual(heard(), ['all notes://closed', 'all notes://open', 'any notes://open', 'some notes://open'])
  registry.publish(snapshotOf([{ ...activeRecord(plugin('a_get', 'b_get')), live: second.live } as never], {}, 4))
  assert.deepEqual(heard(), ['all tools', 'any tools', 'one tools', 'some tools'])
})

test('a generation follows an earlier one only', () => {
  const { first, registry, heard } = listening()
  for (const generation of [0, 1])
    assert.throws(() => registry.publish(snapshotOf([first], {}, generation)), {
      message: `Generation ${generation} cannot follow 1`,
    })
  assert.equal(registry.current.generation, 1)
  registry.publish(snapshotOf([first], {}, 2))
  assert.deepEqual([registry.current.generation, heard()], [2, []])
})

test('what changed on another replica is told to all, whatever is here', () => {
  const { registry, add, heard } = listening()
  add('a', caller())
  add('b', caller())
  registry.announce(['tools', 'prompts'])
  assert.deepEqual(heard(), ['a prompts', 'a tools', 'b prompts', 'b tools'])
})

test('a resource that changes often is told of four times a second, to those who follow it and may see it', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { registry, add, heard } = listening()
  add('all', caller(['closed']), ['notes://open', 'notes://closed'])
  add('some', caller(), ['notes://closed', 'notes://open'])
  add('one', caller(['closed']), ['notes://closed'])
  add('any', caller())
  for (const uri of ['notes://open', 'notes://open', 'notes://closed', 'notes://none']) registry.resourceChanged('notes', uri)
  registry.resourceChanged('other', 'notes://open')
  t.mock.timers.tick(249)
  assert.deepEqual(heard(), [])
  t.mock.timers.tick(1)
  assert.deepEqual(heard(), [
    'all notes://closed',
    'all notes://open',
    'any notes://open',
    'one notes://closed',
    'some notes://open',
  ])
  t.mock.timers.tick(1_000)
  assert.deepEqual(heard(), [])
  registry.resourceChanged('other', 'notes://open')
  t.mock.timers.tick(250)
  assert.deepEqual(heard(), [], 'a plugin speaks of its own resources')
  for (let at = 0; at < 1_000; at++) registry.resourceChanged('notes', `notes://${at}`)
  registry.resourceChanged('notes', 'notes://open')
  t.mock.timers.tick(250)
  assert.deepEqual(heard(), [], 'beyond a thousand at once')
  registry.resourceChanged('notes', 'notes://open')
  t.mock.timers.tick(250)
  assert.deepEqual(heard(), ['all notes://open', 'any notes://open', 'some notes://open'])
})

test('one that cannot be told keeps the others from nothing, and what is over is told nothing', () => {
  const { first, logged, registry, notifier, add, heard } = listening()
  const broken = () => assert.fail('it is gone')
  notifier.add({ caller: caller(), resourceUris: [], listChanged: broken, resourceUpdated: broken })
  registry.on('elsewhere', broken)
  add('last', caller())
  registry.announce(['tools'])
  assert.deepEqual(heard(), ['last tools'])
  assert.deepEqual(
    logged.map((line) => (line as [string])[0]),
    ['announcement_failed', 'listener_failed'],
  )
  registry.off('elsewhere', broken)
  notifier[Symbol.dispose]()
  add('later', caller(), ['notes://open'])
  registry.announce(['tools'])
  registry.publish(snapshotOf([activeRecord(plugin('a_get', 'b_get'))], {}, 2))
  assert.deepEqual([heard(), first.state], [[], 'active'])
})
