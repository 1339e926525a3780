import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSse } from '../../fixtures/http/sse-session.ts'
import {
  ladder,
  OWN,
  RUNGS,
  SERVER_LEVELS,
  type Ladder,
  type LadderCaller,
  type LadderOptions,
  type Rung,
} from '../../fixtures/auth/ladder.ts'
import { rawClient } from '../../fixtures/http/raw-client.ts'
import { RawSession } from '../../fixtures/http/raw-session.ts'

type Brings = 'nothing' | 'header' | 'stored'
type Access = 'read' | 'write'

/** What the service must receive, and what the caller must see. */
interface Expected {
  readonly sent: readonly string[]
  readonly seen: string
}

const UNKNOWN: Expected = { sent: [], seen: 'unknown tool' }
const refused = (why: string): Expected => ({ sent: [], seen: `needs a credential: ${why}` })
const goes = (address: string, line: string): Expected => ({ sent: [`${address} ${line}`], seen: 'served' })

/** The rules of docs/advanced/credentials.md, in the order in which they are written there. */
function expected(caller: LadderCaller, isTenanted: boolean, rung: Rung, brings: Brings, access: Access): Expected {
  if (isTenanted && caller.tenant === undefined) return UNKNOWN
  const isAcme = isTenanted && caller.tenant === 'acme'
  const address = isAcme ? 'acme' : 'base'
  const server = isAcme ? 'authorization: Bearer acmes-personal' : SERVER_LEVELS[rung.server].line
  // Without a credential of the server's there is a tool only where the config counts on callers.
  if (server === undefined && !rung.exchanges && rung.policy !== 'deny') return UNKNOWN
  if (brings === 'header') return goes(address, `authorization: Bearer ${OWN.header}`)
  if (rung.exchanges && caller.kind === 'oauth')
    return goes(address, `authorization: Bearer exchanged-of-${subjectOf(caller)}-${caller.tenant ?? 'nobody'}`)
  if (brings === 'stored') return goes(address, `authorization: Bearer ${OWN.stored}`)
  if (server === undefined) return refused('the server has none')
  if (rung.policy === 'deny') return refused("the server's own is not for callers")
  if (rung.policy === 'readOnly' && access === 'write') return refused("the server's own is for reading only")
  return goes(address, server)
}

/** `ada` has JWTs, `bob` has opaque tokens. */
function subjectOf({ headers }: LadderCaller): string {
  return headers['authorization']?.startsWith('Bearer opaque-') ? 'bob' : 'ada'
}

const HOSTS: readonly { what: string; options: LadderOptions; callers: (at: Ladder) => Promise<LadderCaller[]> }[] = [
  { what: 'without authentication', options: { mode: 'none', isTenanted: false }, callers: async ({ local }) => [local] },
  {
    what: 'with API keys and tenants',
    options: { mode: 'apiKey', isTenanted: true },
    callers: async ({ apiKey }) => [apiKey(undefined), apiKey('acme'), apiKey('beta')],
  },
  {
    what: 'with OAuth and tenants',
    options: { mode: 'oauth', isTenanted: true },
    callers: async ({ jwt, opaque }) => [
      await jwt(undefined),
      await jwt('acme'),
      await jwt('beta'),
      opaque('acme'),
      opaque('beta'),
    ],
  },
  {
    what: 'with API keys and OAuth',
    options: { mode: 'any', isTenanted: false },
    callers: async ({ apiKey, jwt, opaque }) => [apiKey(undefined), await jwt('acme'), opaque(undefined)],
  },
]

for (const { what, options, callers } of HOSTS)
  test(`a host ${what} sends each call with the credential that is its caller's to use, in every era`, async (t) => {
    const at = await ladder(t, options)
    for (const caller of await callers(at)) {
      const [first, second] = [await allOf(at, caller, options, ['nothing', 'header']), RUNGS.filter(isLinked)]
      assert.deepEqual(first.found, first.wanted, `${caller.id} of ${caller.tenant ?? 'no tenant'}`)
      await at.link(
        caller,
        second.map(({ instance }) => instance),
      )
      const stored = await allOf(at, caller, options, ['stored'], second)
      assert.deepEqual(stored.found, stored.wanted, `${caller.id} of ${caller.tenant ?? 'no tenant'}, with a stored token`)
    }
    const log = at.lines.join('')
    const received = JSON.stringify(at.service.requests.filter(({ path }) => /^\/(?:base|acme)\//.test(path)))
    for (const secret of at.inboundSecrets) {
      assert.ok(!received.includes(secret), 'no service sees what proves a caller to the host')
      assert.ok(!log.includes(secret), 'the log does not have it')
    }
    for (const secret of [OWN.header, OWN.stored, 'server-personal', 'acmes-personal', 'exchanged-of', 'exchange-secret'])
      assert.ok(!log.includes(secret), `${secret} is in the log`)
  })

/** Stored tokens are tried where they have something above or below them. */
function isLinked({ server, exchanges }: Rung): boolean {
  return exchanges || server === 'personalToken' || server === 'none'
}

type Table = Readonly<Record<string, Expected>>

async function allOf(
  at: Ladder,
  caller: LadderCaller,
  { isTenanted }: LadderOptions,
  brings: readonly Brings[],
  rungs: readonly Rung[] = RUNGS,
): Promise<{ readonly found: Table; readonly wanted: Table }> {
  const client = rawClient(at.url)
  const session = await RawSession.open(at.url, caller.headers)
  await using sse = await openSse(at.url, caller.headers)
  const eras = {
    '2026': async (name: string, args: object, headers: Record<string, string>) =>
      (await client.call(name, args, { ...caller.headers, ...headers })).text,
    '2025': async (name: string, args: object, headers: Record<string, string>) => {
      const params = { name, arguments: args }
      const id = nextId++
      return (await session.request('POST', headers, { jsonrpc: '2.0', id, method: 'tools/call', params })).text()
    },
    '2024': (name: string, args: object, headers: Record<string, string>) =>
      sse.request('tools/call', { name, arguments: args }, headers),
  }
  const found: Record<string, Expected> = {}
  const wanted: Record<string, Expected> = {}
  // Each cell in one era, and each rung, access and kind of caller in all of them.
  const ways = Object.entries(eras)
  const cells = rungs.flatMap((rung, row) =>
    (['read', 'write'] as const).flatMap((access, column) =>
      brings.flatMap((own, depth) => {
        const way = ways[(row + column + depth + turn) % ways.length]
        return way ? [{ rung, access, own, era: way[0], call: way[1] }] : []
      }),
    ),
  )
  turn++
  await Promise.all(
    cells.map(async ({ rung, access, own, era, call }) => {
      const cell = `${caller.id}~${caller.tenant ?? ''}~${rung.instance}~${access}~${own}~${era}`.replaceAll(':', '.')
      const header = `x-upstream-${rung.instance.replaceAll('_', '-')}-authorization`
      const text = await call(
        `${rung.instance}_${access}`,
        { cell },
        own === 'header' ? { [header]: `Bearer ${OWN.header}` } : {},
      )
      found[cell] = { sent: at.sent(cell), seen: seenIn(text) }
      wanted[cell] = expected(caller, isTenanted, rung, own, access)
    }),
  )
  return { found: sorted(found), wanted: sorted(wanted) }
}

let nextId = 1_000
let turn = 0

function sorted(table: Table): Table {
  return Object.fromEntries(Object.entries(table).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function seenIn(text: string): string {
  if (text.includes('"text":"served"')) return 'served'
  if (text.includes('Unknown tool')) return 'unknown tool'
  const [, why] = /needs a credential of yours for this call: ([a-z' ]+)/.exec(text) ?? []
  return why === undefined ? text : `needs a credential: ${why.trim()}`
}
