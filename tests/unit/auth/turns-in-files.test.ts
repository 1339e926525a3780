import assert from 'node:assert/strict'
import { mkdtempDisposable, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFileAccountStore } from '../../../host/src/auth/accounts/store/file-account-store.ts'

const KEY = { person: 'p', account: 'a' }

test('a turn that lasted too long ends without the turn that another host has taken meanwhile', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'patchbay-'))
  const [slow, other] = [createFileAccountStore(folder.path), createFileAccountStore(folder.path)]
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const [begun, takenOver] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const late = slow.inTurn(KEY, () => (begun.resolve(), first.promise))
  await begun.promise
  // What a host does that finds the file too old.
  for (const name of await readdir(folder.path)) await rm(join(folder.path, name))
  const next = other.inTurn(KEY, () => (takenOver.resolve(), second.promise))
  await takenOver.promise
  first.resolve()
  await late
  assert.equal(await slow.inTurn(KEY, async () => 'ran'), undefined)
  second.resolve()
  await next
  assert.deepEqual(await slow.inTurn(KEY, async () => 'ran'), { result: 'ran' })
})
