import { mutantsOf } from './mutant.ts'

const RACES = 'tests/security/accounts/races.test.ts'
const LINKING = 'tests/security/accounts/linking.test.ts'
const RENEWING = 'tests/security/accounts/renewing.test.ts'
const STORED = 'tests/security/accounts/stored-accounts.test.ts'
const ELSEWHERE = 'tests/security/accounts/remote-servers.test.ts'
const SESSIONS = 'tests/unit/auth/browser-sessions.test.ts'
const TICKETS = 'tests/unit/auth/tickets.test.ts'
const ACCOUNT = 'tests/unit/auth/what-an-account-is.test.ts'

export const accounts = mutantsOf('accounts', [
  {
    file: 'host/src/transport/accounts/link-pages.ts',
    noticedBy: [LINKING],
    changes: [
      [
        "somebody else's link opens the consent",
        'if (!isSame(person, account)) return notTheirs(res, account, person, session)\n    const { instance',
        'const { instance',
      ],
      [
        "somebody else's link can be sent on in a form",
        'if (before && !isSame(person, before)) return notTheirs(res, before, person, session)',
        '',
      ],
      ['a link can be sent on twice', 'account = await tickets.take(text)', 'account = await tickets.read(text)'],
      ['an answer of one service counts for another', 'if (!back || account?.instance !== instance)', 'if (!back || !account)'],
    ],
  },
  {
    file: 'host/src/transport/accounts/page-visit.ts',
    noticedBy: [LINKING],
    changes: [
      [
        'a form of any page counts',
        "!(await sessions.isOwnForm(session, action, fields.get('token')))",
        'fields.get("token") === "never"',
      ],
      ['a form of a page of another port counts', '!fields || !isOwnOrigin ||', '!fields ||'],
      [
        'an answer of the service counts in any browser',
        'if (!way || way.session !== session.id) return undefined',
        'if (!way) return undefined',
      ],
      [
        'an answer counts twice',
        'return (await tickets.useOnce(way.id)) ? { way, session } : undefined',
        'return { way, session }',
      ],
    ],
  },
  {
    file: 'host/src/transport/accounts/login-pages.ts',
    noticedBy: [LINKING],
    changes: [
      [
        'the session stays the one that the browser was given',
        'await sessions.begin(res, person, back.session)',
        'Object.assign(back.session, { person })',
      ],
    ],
  },
  {
    file: 'host/src/transport/accounts/browser-session.ts',
    noticedBy: [SESSIONS],
    changes: [
      ['a cookie opens what its person has logged out of', 'known.person && (await ended.has(known))', 'known.person && false'],
      ['whoever logs in as another person is both', 'if (before?.person) await ended.end(before)', ''],
    ],
  },
  {
    file: 'host/src/auth/accounts/ended-sessions.ts',
    noticedBy: [SESSIONS],
    changes: [
      ['marks of sessions stay for good', 'await Promise.all(old.map((name) => rm(join(dir, name), { force: true })))', ''],
      [
        'a store that cannot be asked says that a session goes on',
        "error.code === 'ENOENT') return false",
        "error.code !== 'EACCES') return false",
      ],
    ],
  },
  {
    file: 'host/src/auth/accounts/service/service-client.ts',
    noticedBy: [ELSEWHERE],
    changes: [
      [
        'a client document is named where no service reads it',
        "document !== undefined && (await open()).metadata['client_id_metadata_document_supported'] === true",
        'document !== undefined',
      ],
      [
        'a client is registered where a document is read',
        "document !== undefined && (await open()).metadata['client_id_metadata_document_supported'] === true",
        'false',
      ],
    ],
  },
  {
    file: 'host/src/transport/accounts/client-document.ts',
    noticedBy: [ELSEWHERE],
    changes: [
      [
        'a host on loopback has a client document',
        "url?.protocol === 'https:' && !isLoopbackHost(url.hostname)",
        "url?.protocol === 'https:'",
      ],
      ['a client document is served over http', "url?.protocol === 'https:' &&", 'url !== null &&'],
    ],
  },
  {
    file: 'host/src/auth/accounts/store/sealed.ts',
    noticedBy: [TICKETS, STORED],
    changes: [
      [
        'what was sealed for one account opens for another',
        "if (protectedHeader['sub'] !== subject) throw new Error('It was sealed for something else')",
        '',
      ],
    ],
  },
  {
    file: 'host/src/auth/accounts/store/stored-accounts.ts',
    noticedBy: [STORED],
    changes: [["one person's list shows everybody's", 'keyOf(found.account).person === own ? [found] : []', '[found]']],
  },
  {
    file: 'host/src/auth/accounts/store/shared-account-store.ts',
    noticedBy: [STORED],
    changes: [
      ['a store that is away is a store without accounts', "throw hostError('ACCOUNT_STORE', {}, error)", 'return undefined'],
    ],
  },
  {
    file: 'host/src/auth/accounts/refresh.ts',
    noticedBy: [RENEWING],
    changes: [
      ['a token is renewed only when it is over', 'now < expiresAt - MARGIN_MS', 'now < expiresAt'],
      [
        'an account that the service refuses is forgotten, and another credential used',
        'const next = { ...found.record, isBroken: true }',
        'const next = { ...found.record }',
      ],
      [
        'a refresh token that is given once is lost',
        'refreshToken: tokens.refreshToken ?? found.refreshToken',
        'refreshToken: tokens.refreshToken',
      ],
      ['a renewed token keeps the end of the one before', '      expiresAt: tokens.expiresAt,\n', ''],
    ],
  },
  {
    file: 'host/src/auth/accounts/refresh.ts',
    noticedBy: [RACES],
    changes: [
      ['what was fetched for an account that is gone stays good', 'if (!now) await revoke(account, next)', ''],
      ['tokens of a newer link are taken back with those of an older one', 'if (!now) await revoke', 'await revoke'],
      [
        'an account that was linked again is broken by its older link',
        'if (!(await replace(account, found, next))) return',
        'await replace(account, await read(account) ?? found, next)\n    if (false) return',
      ],
    ],
  },
  {
    file: 'host/src/auth/accounts/store/file-account-store.ts',
    noticedBy: [RACES],
    changes: [['what was taken away is written back', '!== before) return false', '=== "") return false']],
  },
  {
    file: 'host/src/auth/accounts/store/file-account-store.ts',
    noticedBy: ['tests/unit/auth/turns-in-files.test.ts'],
    changes: [["the end of a late turn ends another host's", 'if ((await readIfThere(file)) === mark) await rm', 'await rm']],
  },
  {
    file: 'host/src/config/schema/account-rules.ts',
    noticedBy: ['tests/unit/config/config-accounts.test.ts'],
    changes: [
      ['mode any needs no log-in', "(inbound.mode === 'oauth' || inbound.mode === 'any')", "inbound.mode === 'oauth'"],
      ['people log in at an issuer of no token', 'if (!issuers.includes(login.issuer))', 'if (issuers.length === 0)'],
      ['an endpoint may have a fragment', "else if (url.includes('#'))", "else if (url === '#')"],
    ],
  },
  {
    file: 'host/src/auth/accounts/more-scopes.ts',
    noticedBy: ['tests/unit/auth/scopes-that-are-asked.test.ts'],
    changes: [
      ['scopes that another client was asked for are asked of this one', 'record?.client !== client.id', 'record === undefined'],
    ],
  },
  {
    file: 'host/src/auth/accounts/store/shared-account-store.ts',
    noticedBy: [RACES],
    changes: [['what was taken away from Redis is written back', '~= ARGV[1] then return 0', "== '' then return 0"]],
  },
  {
    file: 'host/src/auth/accounts/accounts.ts',
    noticedBy: [RACES],
    changes: [
      ['a call goes on with the token of an account that was unlinked', 'if (ended.has(link)) throw unlinked(account)', ''],
    ],
  },
  {
    file: 'host/src/auth/accounts/service/remote-server.ts',
    noticedBy: ['tests/security/accounts/remote-servers.test.ts'],
    changes: [
      ["another server's metadata is taken", 'named?.origin !== url.origin || ', ''],
      [
        'a server leads the host to its own machine',
        '!isSafeUrl(issuer) || !mayAsk(new URL(issuer).origin, url.href)',
        '!isSafeUrl(issuer)',
      ],
    ],
  },
  {
    file: 'host/src/auth/accounts/service/service-client.ts',
    noticedBy: ['tests/security/accounts/remote-servers.test.ts'],
    changes: [
      ['a browser is sent to a script', 'isSafeUrl(address) &&', 'true &&'],
      [
        "a server in the world sends a browser to services of the person's machine",
        'mayAsk(new URL(address).origin, server))',
        'true)',
      ],
    ],
  },
  {
    file: 'host/src/transport/accounts/page-visit.ts',
    noticedBy: ['tests/security/accounts/callers-with-api-keys.test.ts'],
    changes: [
      [
        'a key that was taken back goes on in browsers',
        'person?.key === undefined || keys?.isGood(person.key) ? person : undefined',
        'person',
      ],
      [
        'whoever opens a page where keys are asked for is the operator',
        'const isOperators = !login && !keys',
        'const isOperators = !login',
      ],
    ],
  },
  {
    file: 'host/src/auth/inbound/keys/key-ring.ts',
    noticedBy: ['tests/unit/auth/inbound-keys.test.ts'],
    changes: [['what any key of an id proved counts', 'proofOfKey(found.hash) === proof', 'proof !== ""']],
  },
  {
    file: 'host/src/auth/accounts/tickets.ts',
    noticedBy: [TICKETS],
    changes: [
      ['a link is given again although it is nearly over', 'now() < before.until &&', 'true &&'],
      ['a link is given again although it was used', '&& (await store.get(keyOf(before.ticket))) !== undefined', ''],
      ['a ticket never ends', 'found && now() < found.until ? found.text : undefined', 'found?.text'],
      ['a ticket counts twice', 'kept.delete(key)', ''],
    ],
  },
  {
    file: 'host/src/network/response/lacking-scopes.ts',
    noticedBy: ['tests/unit/network/lacking-scopes.test.ts'],
    changes: [
      ['any refusal asks for scopes', "one.get('error') === 'insufficient_scope'", 'true'],
      ['what is no scope is asked of a person', 'scopes.every((one) => SCOPE.test(one)) &&', ''],
      ['a service asks for any number of scopes', '&& areFew(scopes) ?', '?'],
      ['a parameter of another scheme counts', "if (name.toLowerCase() === 'bearer') found.push(said)", 'found.push(said)'],
    ],
  },
  {
    file: 'host/src/auth/accounts/more-scopes.ts',
    noticedBy: ['tests/security/accounts/step-up.test.ts'],
    changes: [
      ['a service is asked for the same scopes without end', "if (added.length === 0) return { scopes, problem: 'had' }", ''],
      [
        'a service asks for more and more',
        "if (!areFew(union(record.extra, needs))) return { scopes: added, problem: 'many' }",
        '',
      ],
      ['a person is sent for scopes that the page did not name', 'shown?.has(scope) ?? true', 'true'],
      ['another service is asked for the scopes of this one', 'if (record?.client !== client.id) return NOTHING_MORE', ''],
      [
        'what a person left alone is asked for again with what comes later',
        'now() < (record.needsUntil ?? 0) ? record.needs : undefined',
        'record.needs',
      ],
    ],
  },
  {
    file: 'host/src/server/call/account/account-layer.ts',
    noticedBy: ['tests/security/accounts/step-up.test.ts'],
    changes: [
      ['a call that wrote is made once more', 'canAsk: isUndone && state.link', 'canAsk: state.link'],
      [
        'a call is made again with the account that was refused',
        "if (isMissing()) return required('scopes', { canAsk: false, scopes: state.scopes })",
        '',
      ],
      [
        'a call does not wait for the account to be linked with more',
        ' || (state.link !== undefined && linkOf(call) === state.link)',
        '',
      ],
    ],
  },
  {
    file: 'host/src/auth/accounts/account.ts',
    noticedBy: [ACCOUNT],
    changes: [
      ['an account is the same at every service', '[tenant ?? null, kind, id, instance]', '[tenant ?? null, kind, id]'],
      ['a key and a token of one name are one person', 'JSON.stringify([kind, id]))', 'JSON.stringify([id]))'],
      ['no tenant is the tenant without a name', 'tenant ?? null, kind, id, instance', "tenant ?? '', kind, id, instance"],
    ],
  },
  {
    file: 'host/src/auth/accounts/account-keys.ts',
    noticedBy: [ACCOUNT],
    changes: [
      [
        'only the first key opens',
        '[derive(first, purpose), ...others.map((secret) => derive(secret, purpose))]',
        '[derive(first, purpose)]',
      ],
      ['a longer key is cut', 'bytes.length !== KEY_BYTES', 'bytes.length < KEY_BYTES'],
      ['a shorter key is taken', 'bytes.length !== KEY_BYTES', 'bytes.length > KEY_BYTES || bytes.length === 0'],
      [
        'the secret itself seals',
        'bytes: new Uint8Array(hkdfSync',
        'bytes: purpose !== undefined ? secret : new Uint8Array(hkdfSync',
      ],
    ],
  },
  {
    file: 'host/src/auth/accounts/more-scopes.ts',
    noticedBy: [ACCOUNT],
    changes: [
      ['scopes are noted at a later link', 'if (found?.record.link !== link) return { scopes }', 'if (!found) return { scopes }'],
      ['what was asked for before is asked for again', 'new Set(record.asked ?? record.scopes)', 'new Set(record.scopes)'],
      [
        'calls that go side by side are two questions',
        'now() < (record.needsUntil ?? 0) ? record.needs : undefined',
        'undefined',
      ],
      ['a person is asked for any number of scopes', 'if (!areFew(union(record.extra, needs)))', 'if (false)'],
      ['the scopes of another client are asked for', 'if (record?.client !== client.id) return', 'if (!record) return'],
      ['a person is asked for more than it has seen', '.filter((scope) => shown?.has(scope) ?? true)', ''],
      [
        'what was asked for besides is forgotten',
        'const extra = union(record.extra, added)',
        'const extra = union(undefined, added)',
      ],
    ],
  },
])
