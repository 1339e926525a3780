import { mutantsOf } from './mutant.ts'

const TABLE = 'tests/unit/decisions/persons-table.test.ts'
const TOKENS = 'tests/unit/auth/whose-token-a-call-has.test.ts'
const PAGES = 'tests/unit/auth/whose-pages-are-served.test.ts'
const BROWSERS = 'tests/unit/auth/browser-sessions.test.ts'
const SHOWN = 'tests/unit/calls/what-the-operator-is-shown.test.ts'

/** Who is who: accounts of persons, their pages, and the operator's own. */
export const persons = mutantsOf('persons', [
  {
    file: 'host/src/auth/accounts/account.ts',
    noticedBy: [TABLE],
    changes: [
      ['a key and a login of one id list the same accounts', 'JSON.stringify([kind, id])', 'JSON.stringify([id])'],
      [
        'a key and a login of one id have the same account',
        '[tenant ?? null, kind, id, instance]',
        '[tenant ?? null, id, instance]',
      ],
      ['an account is that of every tenant', '[tenant ?? null, kind, id, instance]', '[kind, id, instance]'],
    ],
  },
  {
    file: 'host/src/auth/accounts/account-keys.ts',
    noticedBy: [TABLE, 'tests/unit/auth/tickets.test.ts'],
    changes: [
      ['what is sealed for one purpose opens for another', '`patchbay ${purpose}`', "'patchbay'"],
      ['a short key is taken', 'bytes.length !== KEY_BYTES', 'bytes.length === 0'],
    ],
  },
  {
    file: 'host/src/auth/accounts/store/stored-accounts.ts',
    noticedBy: [TOKENS],
    changes: [
      [
        "a text that was moved to another person's name is listed as theirs",
        'return keyOf(found.account).person === own ? [found] : []',
        'return [found]',
      ],
      ['what an old key sealed stays with it', 'if (isOfOldKey) void sealAgain(account)', ''],
    ],
  },
  {
    file: 'host/src/auth/accounts/accounts.ts',
    noticedBy: [TOKENS],
    changes: [
      [
        'a call goes on with what was linked after it began',
        'if (link !== undefined && found.link !== link) return undefined',
        '',
      ],
      [
        'a token is sent to another service to be taken back',
        'if (client?.id === found.client) await client?.revoke(found)',
        'await client?.revoke(found)',
      ],
    ],
  },
  {
    file: 'host/src/auth/accounts/refresh.ts',
    noticedBy: [TOKENS],
    changes: [
      ['a refresh undoes that the account was linked again', 'now?.record.link !== before.record.link || ', ''],
      [
        'a token that is out of use already makes the newer one expire',
        'if (found?.record.accessToken !== token || found.record.refreshToken === undefined) return',
        'if (found?.record.refreshToken === undefined) return',
      ],
    ],
  },
  {
    file: 'host/src/auth/accounts/tickets.ts',
    noticedBy: [TABLE],
    changes: [
      [
        "one person is given another's ticket",
        'const name = nameOf({ principal: { tenant, kind, id }, instance })',
        'const name = instance',
      ],
    ],
  },
  {
    file: 'host/src/auth/accounts/call-accounts.ts',
    noticedBy: ['tests/unit/auth/ways-to-link.test.ts'],
    changes: [
      ["every caller is told the operator's command", "principal.kind === 'local' ? { command", 'principal.id ? { command'],
      [
        'a caller is sent to pages that cannot tell who it is',
        'if (!served?.serves(principal)) return command',
        'if (!served) return command',
      ],
    ],
  },
  {
    file: 'host/src/transport/accounts/browser-session.ts',
    noticedBy: [BROWSERS],
    changes: [
      ['the form of one action does for another', "known?.['id'] === id && known['action'] === action", "known?.['id'] === id"],
      [
        'the form of one browser does in another',
        "known?.['id'] === id && known['action'] === action",
        "known?.['action'] === action",
      ],
    ],
  },
  {
    file: 'host/src/transport/accounts/browser-cookies.ts',
    noticedBy: [BROWSERS],
    changes: [['a cookie counts that another host set beside it', 'found.length === 1 &&', 'found.length >= 1 &&']],
  },
  {
    file: 'host/src/transport/accounts/open-account-pages.ts',
    noticedBy: [PAGES],
    changes: [
      ["the tenant of a login is not that of the same person's calls", 'issuer.tenantClaim ?? tenantClaim', 'tenantClaim'],
      ['whoever reaches the pages is the operator', "(inbound.mode !== 'none' || !isLoopback(host))", "inbound.mode !== 'none'"],
    ],
  },
  {
    file: 'host/src/auth/outbound/client-credentials.ts',
    noticedBy: ['tests/unit/auth/tokens-of-the-server.test.ts'],
    changes: [
      [
        'a token of the server is used until it has expired',
        'asked + lifeMs - Math.min(MARGIN_MS, lifeMs / 2)',
        'asked + lifeMs',
      ],
      ['a token that was refused is used on', 'if (held === fresh) held = undefined', ''],
    ],
  },
  {
    file: 'host/src/auth/outbound/oauth-fetch.ts',
    noticedBy: ['tests/unit/network/credentials-of-clients.test.ts'],
    changes: [['one client goes with the credential of another', "`${origin} ${authorization ?? ''}`", '`${origin}`']],
  },
  {
    file: 'host/src/transport/admin/known-callers.ts',
    noticedBy: [SHOWN],
    changes: [
      ['a revoked key can be looked through', 'stored.filter(({ revokedAt }) => revokedAt === undefined)', 'stored'],
      ['a key that has ended can be looked through', 'Date.parse(notAfter) > now', 'Date.parse(notAfter) > 0'],
    ],
  },
  {
    file: 'host/src/transport/admin/live-feed.ts',
    noticedBy: [SHOWN],
    changes: [
      [
        'what happens is told with its secrets',
        'json: redact(JSON.stringify({ id, type, at: now(), ...bounded(data) }))',
        'json: JSON.stringify({ id, type, at: now(), ...bounded(data) })',
      ],
    ],
  },
  {
    file: 'host/src/transport/admin/admin-calls.ts',
    noticedBy: ['tests/unit/calls/questions-to-the-operator.test.ts'],
    changes: [['answers count that come too late', 'if (!waiting || waiting.dueAt < now())', 'if (!waiting)']],
  },
  {
    file: 'host/src/transport/admin/describe-host.ts',
    noticedBy: ['tests/integration/http-edge/admin-api.test.ts'],
    changes: [['a tool that is hidden from a caller is shown as visible to it', 'visible: hiddenBy === null', 'visible: true']],
  },
])
