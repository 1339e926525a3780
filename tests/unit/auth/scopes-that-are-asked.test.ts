import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccountRecord } from '../../../host/src/auth/accounts/account.ts'
import { scopesToAsk } from '../../../host/src/auth/accounts/more-scopes.ts'
import type { ServiceClient } from '../../../host/src/auth/accounts/types.ts'

const fake: Partial<ServiceClient> = { id: 'now', askedScopes: async () => ['repo'] }
const client = fake as ServiceClient
const LINKED: AccountRecord = { link: 'l', accessToken: 't', linkedAt: 0, scopes: ['repo'], client: 'now' }

const TABLE: readonly (readonly [what: string, record: AccountRecord | undefined, all: readonly string[] | undefined])[] = [
  ['for a person without an account', undefined, undefined],
  ['for an account that needs no more', LINKED, undefined],
  ['for an account that needs more', { ...LINKED, needs: ['admin'] }, ['repo', 'admin']],
  ['for an account that was given more before', { ...LINKED, extra: ['gist'] }, ['repo', 'gist']],
  ['for an account of another client', { ...LINKED, client: 'before', needs: ['admin'] }, undefined],
  ['for an account that an embedder stored', { ...LINKED, client: undefined, extra: ['gist'] }, undefined],
]

test('only what this client was asked for since is asked for besides what always is', async () => {
  for (const [what, record, all] of TABLE) assert.deepEqual((await scopesToAsk(client, record)).all, all, what)
})
