import { mutantsOf } from './mutant.ts'

const KEYS = 'tests/unit/auth/inbound-keys.test.ts'
const THROTTLED = 'tests/security/inbound/throttled-tokens.test.ts'
const ADMISSION = 'tests/unit/decisions/admission-table.test.ts'
const GUARD = 'tests/unit/calls/json-guard.test.ts'
const STATE = 'tests/unit/calls/request-state.test.ts'
const PRESENTED = 'tests/unit/decisions/presented-credential-table.test.ts'
const CLAIMS = 'tests/unit/decisions/claims-table.test.ts'
const RESOURCES = 'tests/unit/decisions/resource-table.test.ts'
const ACCESS_TOKENS = 'tests/unit/decisions/access-token-table.test.ts'
const ISSUER_KEYS = 'tests/unit/auth/keys-of-an-issuer.test.ts'
const TYPED_KEYS = 'tests/unit/auth/typed-keys.test.ts'

export const inbound = mutantsOf('inbound', [
  {
    file: 'host/src/auth/inbound/keys/key-ring.ts',
    noticedBy: [KEYS],
    changes: [
      ["a changed key's streams go on", 'if (next.get(id) !== key) key.revoke()', 'if (!next.has(id)) key.revoke()'],
      [
        "a removed key's streams go on",
        'if (next.get(id) !== key) key.revoke()',
        'if (next.has(id) && next.get(id) !== key) key.revoke()',
      ],
      [
        'an expired key opens',
        "now() >= expiresAt ? { refused: 'key_expired' }",
        "now() > expiresAt ? { refused: 'key_expired' }",
      ],
      ['a key with another secret opens', 'if (!isKey(key, found?.hash) || !found)', 'if (!found)'],
      ['other scopes of a key do not count', 'record.hash, record.scopes, record.tenant', 'record.hash, record.tenant'],
      [
        'another tenant of a key does not count',
        'record.scopes, record.tenant, record.notAfter',
        'record.scopes, record.notAfter',
      ],
      ['another end of a key does not count', 'record.tenant, record.notAfter]', 'record.tenant]'],
      ['a new secret of a key does not count', 'record.id, record.hash, record.scopes', 'record.id, record.scopes'],
      ['a key whose end no date can hold never ends', 'Date.parse(record.notAfter) || 0', 'Date.parse(record.notAfter)'],
      ['a key has no tenant', 'tenant: record.tenant,\n    permissions', 'tenant: undefined,\n    permissions'],
      ['a key may do everything', 'Object.freeze([...record.scopes])', "Object.freeze(['*'])"],
      ['keys of a file that changed count after ten seconds', 'pollMs = 1_000', 'pollMs = 10_000'],
      ['a file of keys that cannot be read is told of at each look', '      refused = signature\n', ''],
      [
        'a page takes a key that the config has no more',
        'opens(id, proof) {\n      if (configured() !== inConfig) {',
        'opens(id, proof) {\n      if (false) {',
        { noticedBy: [TYPED_KEYS] },
      ],
      ['each reading of the config ends all streams', 'if (before?.record === text) return before', ''],
    ],
  },
  {
    file: 'host/src/auth/inbound/keys/api-key.ts',
    noticedBy: [KEYS],
    changes: [
      ['any secret is a key', 'return isSame && kept !== undefined', 'return kept !== undefined'],
      [
        'half a key is one',
        '[A-Za-z0-9_-]{43}$/',
        '[A-Za-z0-9_-]*$/',
        {
          equivalent:
            'A key that is too short has no hash that anything could be compared with: it is unknown in place of malformed.',
        },
      ],
    ],
  },
  {
    file: 'host/src/auth/inbound/tokens.ts',
    noticedBy: ['tests/mcp_protocol/views-by-address.test.ts'],
    changes: [
      [
        'a token of one address is remembered for all',
        'const key = path === WHOLE ? fingerprint(token) : `${fingerprint(token)} ${path}`',
        'const key = fingerprint(token)',
      ],
    ],
  },
  {
    file: 'host/src/auth/inbound/introspection.ts',
    noticedBy: [KEYS],
    changes: [
      ['a token is kept beyond its end', 'until: Math.min(expiresAt, until)', 'until'],
      ['a token that is not active is taken', "if (active !== true) return 'inactive'", ''],
      ['active may be any word', 'if (active !== true)', 'if (!active)'],
      ['a token of another issuer is taken', "if (iss !== undefined && iss !== issuer) return 'iss'", ''],
      ['a token for another service is taken', "audiences.includes(audience))) return 'aud'", "audience !== '')) return 'aud'"],
      ['an expired token is taken', "if (exp !== undefined && !(Number(exp) > seconds - toleranceSeconds)) return 'exp'", ''],
      [
        'an end that is a text is no end',
        'if (wrong !== undefined) return wrong\n    if (exp !== undefined && !(Number(exp) >',
        "if (typeof exp === 'number' && !(exp >",
      ],
      [
        'a token that is not valid yet is taken',
        "if (nbf !== undefined && !(Number(nbf) <= seconds + toleranceSeconds)) return 'nbf'",
        '',
      ],
      [
        'a token that is bound to a key is taken from anybody',
        "return cnf === undefined ? undefined : 'cnf'",
        'return undefined',
      ],
      ['a token of nobody is taken', "if (typeof sub !== 'string' || sub === '') return { refused: 'sub' }", ''],
      [
        'a token that was issued too long ago is taken',
        'if (iat !== undefined && !(Number(iat) + maxAgeSeconds >',
        'if (iat !== undefined && !(Infinity >',
      ],
    ],
  },
  {
    file: 'host/src/auth/inbound/presented-credential.ts',
    noticedBy: [PRESENTED],
    changes: [
      ['an API key beside a token is not seen', '(authorization !== undefined && apiKey !== undefined) || inQuery', 'inQuery'],
      ['a token in the address beside a header is not seen', 'apiKey !== undefined) || inQuery', 'apiKey !== undefined)'],
      ['a token in the address counts as none', 'inQuery ? UNUSABLE : NONE', 'NONE'],
      ['a token may have words behind it', '/^bearer ([A-Za-z0-9\\-._~+/]+=*)$/i', '/^bearer ([A-Za-z0-9\\-._~+/]+=*)/i'],
      ['the scheme counts in one case only', '+=*)$/i', '+=*)$/'],
      ['an API key may have words before it', 'const TOKEN = /^', 'const TOKEN = /'],
      [
        'a token can be read behind the check',
        'for (let index = 0; index < rawHeaders',
        'for (let index = 2; false && index < rawHeaders',
      ],
      ['an API key can be read behind the check', "new Set(['authorization', 'x-api-key'])", "new Set(['authorization'])"],
      ['headers of other cases can be read behind the check', 'TAKEN.has(name.toLowerCase())', 'TAKEN.has(name)'],
    ],
  },
  {
    file: 'host/src/auth/inbound/refusals.ts',
    noticedBy: [PRESENTED],
    changes: [
      [
        'a request without a credential is told of an error',
        'bearerChallenge(challenge) })',
        "bearerChallenge({ error: 'invalid_token', ...challenge }) })",
      ],
      ['a client is not told where tokens come from', 'bearerChallenge({ error, ...challenge })', 'bearerChallenge({ error })'],
      ['a value may end its quotes', ".replaceAll(/[\"\\\\]/g, '\\\\$&')", ''],
      [
        'a client is not told for how long it waits',
        ", { 'retry-after': String(seconds) }),\n    unavailable",
        ', {}),\n    unavailable',
      ],
    ],
  },
  {
    file: 'host/src/auth/inbound/metadata.ts',
    noticedBy: [RESOURCES],
    changes: [
      ['messages are a resource beside their stream', "base === '/messages' ? '/sse' : address.base", 'address.base'],
      ['a view is no part of the resource', '${base}${address.view}', '${base}'],
      ['neighbours are guessed for any resource', ' || !resource.endsWith(MCP)) return', ') return'],
      [
        'a proxy must keep the public path',
        'of.startsWith(`${prefix}/`) && parseAddress(of.slice(prefix.length)) ? of.slice(prefix.length) : of',
        'of',
      ],
      [
        'any path has a document',
        'parseAddress(place) ? documentOf(resourceOf(resource, place)) : undefined',
        'documentOf(resourceOf(resource, place))',
      ],
      ['a public address in a folder named mcp has none', '!url.pathname.endsWith(MCP)', '!url.pathname.includes(MCP)'],
    ],
  },
  {
    file: 'host/src/auth/inbound/jwt.ts',
    noticedBy: [ACCESS_TOKENS],
    changes: [
      ['a token for another service is taken', '        audience: [...issuer.audiencesAt(path)],\n', ''],
      ['a token of any algorithm is taken', '        algorithms: [...issuer.algorithms],\n', ''],
      ['a token that may be any age is taken', '        maxTokenAge: issuer.maxAgeSeconds,\n', ''],
      ['the tolerance does not count', '        clockTolerance: issuer.toleranceSeconds,\n', ''],
      ['a token for people to log in is taken', "...(issuer.tokenType === 'at+jwt' ? { typ: 'at+jwt' } : {}),", ''],
      ['any type of token is taken', "if (!isAccessType(protectedHeader.typ)) return { refused: 'typ' }", ''],
      ['a token whose times are none is taken', 'if (infinite !== undefined) return { refused: infinite }', ''],
      ['a token bound to a key is taken from anyone', "if (payload['cnf'] !== undefined) return { refused: 'cnf' }", ''],
      ['a token without a subject is taken', " && sub !== '' ?", ' ?'],
      ['a key that is too short fails the request', "if (error instanceof TypeError) return { refused: 'key' }", ''],
      ['a token counts a minute beyond its end', 'Math.min(expiresAt, now() + keepMs)', 'now() + keepMs'],
    ],
  },
  {
    file: 'host/src/auth/inbound/jwks.ts',
    noticedBy: [ISSUER_KEYS],
    changes: [
      ['keys are asked for with each token', 'if (held && now() - held.at < FRESH_MS) return held', ''],
      ['keys are never asked for again', '< FRESH_MS) return held', '< Infinity) return held'],
      ['old keys go on without an end', '< maxStaleMs) return held', '< Infinity) return held'],
      ['a flood of unknown keys is a flood of requests', ' || (!asking && waitMs() > 0)) throw error', ') throw error'],
      ['without a key the issuer is asked every half a minute', 'held ? COOLDOWN_MS : COLD_COOLDOWN_MS', 'COOLDOWN_MS'],
      ['each of many asks', 'if (asking) return asking', ''],
    ],
  },
  {
    file: 'host/src/auth/inbound/keys/typed-keys.ts',
    noticedBy: [TYPED_KEYS],
    changes: [
      ['a page looks at keys of a throttled address', "if ((await throttle.waitOf(address)) > 0) return 'later'", ''],
      ['keys may be guessed on a page', '      await throttle.count(address)\n', ''],
      ['a blank behind a key makes it bad', 'text.trim()', 'text'],
    ],
  },
  {
    file: 'host/src/auth/inbound/claims.ts',
    noticedBy: [CLAIMS],
    changes: [
      ['an issuer gives all permissions', "permissions.delete('*')", ''],
      ['people of two issuers are one', 'JSON.stringify([issuer, claims.sub])', 'JSON.stringify([claims.sub])'],
      ['all people of an issuer are one', 'JSON.stringify([issuer, claims.sub])', 'JSON.stringify([issuer])'],
      ['people are told apart by two texts in a row', 'JSON.stringify([issuer, claims.sub])', 'issuer + claims.sub'],
      ['an empty tenant is one', " && tenant !== '' ? tenant", ' ? tenant'],
      ['a tenant may be any value', "typeof tenant === 'string' && tenant !== '' ? tenant", "tenant !== '' ? (tenant as string)"],
      ['a claim of the prototype counts', 'isObject(value) && Object.hasOwn(value, key)', 'isObject(value)'],
      ['a claim with a dot in its name is not found', 'if (Object.hasOwn(claims, name)) return claims[name]', ''],
    ],
  },
  {
    file: 'host/src/auth/inbound/claims.ts',
    noticedBy: [KEYS, 'tests/security/inbound/token-ends.test.ts'],
    changes: [
      ['the tolerance does not count', '+ toleranceSeconds) * 1000', ') * 1000'],
      ['a token opens what outlives its age', 'Math.min(exp, aged)', 'exp'],
      ['an end that is no time is one', '&& Math.abs(value) <= 253_402_300_799', ''],
    ],
  },
  {
    file: 'host/src/auth/inbound/open-inbound.ts',
    noticedBy: [THROTTLED],
    changes: [
      [
        'tokens of a throttled address are verified',
        'async function check(token: string, address: string, path: string, from: Tokens): Promise<Authentication> {\n    const seconds = await throttle.waitOf(address)\n    if (seconds > 0) return { response: whole.throttled(seconds) }',
        'async function check(token: string, address: string, path: string, from: Tokens): Promise<Authentication> {',
      ],
      ['bad tokens are not counted', '    await throttle.count(address)\n', ''],
      [
        'a refused token is let in',
        "return 'accepted' in verdict ? admitted(verdict.accepted, token) : await refuse(address, path, verdict.refused)",
        "return 'accepted' in verdict ? admitted(verdict.accepted, token) : { response: whole.throttled(1) }",
      ],
    ],
  },
  {
    file: 'host/src/auth/inbound/throttle.ts',
    noticedBy: ['tests/unit/auth/inbound-throttle.test.ts'],
    changes: [
      ['another address of the same IPv6 network begins again', '.slice(0, 4)', '.slice(0, 8)'],
      ['all IPv4 addresses are one', "address.toLowerCase().startsWith('::ffff:')", 'false'],
      ['all addresses are one', '.update(networkOf(address))', ''],
      ['one more is looked at', 'found.consumedPoints >= bad', 'found.consumedPoints > bad'],
      ['a client can choose its drawer', 'randomBytes(16)', 'randomBytes(0)'],
      ['a short IPv6 address is of another network', '8 - before.length - after.length', '8 - before.length'],
    ],
  },
  {
    file: 'host/src/transport/http/admission.ts',
    noticedBy: [ADMISSION],
    changes: [
      [
        'a header of ours with underscores is ignored',
        'meant.startsWith(prefix) && !name.startsWith(prefix)',
        'meant.startsWith(prefix) && false',
      ],
      ['a header that narrows nothing is ignored', '!NARROWING_HEADERS.includes(name)', 'false'],
      ['a refused Host passes the second time', 'if (!refused) good = header', 'good = header'],
      [
        'any Host passes',
        'return hostRefusal(req.headers.host) ?? originRefusal(req.headers.origin)',
        'return originRefusal(req.headers.origin)',
      ],
      [
        'any Origin passes',
        'return hostRefusal(req.headers.host) ?? originRefusal(req.headers.origin)',
        'return hostRefusal(req.headers.host)',
      ],
      ['every address is a name of a loopback listener', '(!loopback && isIP', '(isIP'],
      ['addresses are no names of a listener on all', '(!loopback && isIP', '(loopback && isIP'],
      [
        'loopback pages may use a listener on all addresses',
        '...(loopback ? LOOPBACK_NAMES : []), ...allowedOrigins',
        '...LOOPBACK_NAMES, ...allowedOrigins',
      ],
      [
        'a Host with another port passes',
        'hosts.has(name) || hosts.has(`${name}${port}`)',
        "[...hosts].some((one) => one.split(':', 1)[0] === name)",
      ],
      [
        'an Origin with another scheme passes',
        '(origins.has(origin) || origins.has(name))',
        '([...origins].some((one) => one.endsWith(`//${name}`)) || origins.has(name))',
      ],
      ['the public address is not known', '...(publicUrl ? [new URL(publicUrl).host] : [])', ''],
      ['pages of the public address are not known', '...(publicUrl ? [new URL(publicUrl).origin] : [])', ''],
      [
        'a request without a Host passes',
        "if (!header) return refusal(400, 'The request has no Host header')",
        'if (!header) return undefined',
      ],
      ['a whole URL passes', "if (!req.url?.startsWith('/')) return", 'if (!req.url) return'],
      ['two credentials pass', "  'authorization',\n", ''],
      ['two API keys pass', "  'x-api-key',\n", ''],
      ['two sessions pass', '!/^(?:mcp|x-patchbay|x-upstream)-/.test(name)', '!/^(?:x-patchbay|x-upstream)-/.test(name)'],
      [
        "two of a caller's credentials for a service pass",
        '!/^(?:mcp|x-patchbay|x-upstream)-/.test(name)',
        '!/^(?:mcp|x-patchbay)-/.test(name)',
      ],
      ['headers that are there twice pass', 'if (doubled !== undefined) return', 'if (false) return'],
      ['127.0.0.2 is not loopback', "addSubnet('127.0.0.0', 8", "addSubnet('127.0.0.0', 31"],
    ],
  },
  {
    file: 'host/src/transport/http/bind.ts',
    noticedBy: [ADMISSION],
    changes: [
      ['headers may take a minute', '      headersTimeout: headersMs,\n', ''],
      ['a request may take five minutes', '      requestTimeout: requestMs,\n', ''],
      ['an idle connection stays for seconds', '      keepAliveTimeout: keepAliveMs,\n', ''],
    ],
  },
  {
    file: 'host/src/transport/http/json-guard.ts',
    noticedBy: [GUARD],
    changes: [
      ['the same key twice among many passes', 'seen[role] = new Set(before)', 'seen[role] = new Set()'],
      ['the same key twice passes', 'if (before.includes(key)) return true', ''],
      ['the same key spelled in two ways passes', "if (!raw.includes('\\\\')) return raw", 'return raw'],
      ['more levels pass', 'depth: 64', 'depth: 65'],
      ['more keys pass', 'keys: 10_000', 'keys: 10_001'],
      ['the same key twice in params passes', "if (role === MESSAGE && key === 'params') return PARAMS", ''],
      ['the same key twice in _meta passes', "if (role === PARAMS && key === '_meta') return META", ''],
      [
        'arguments of a tool are the message',
        'if (depth === 1 || (depth === 2 && roles[1] === BATCH)) pending = MESSAGE',
        'if (depth === 1 || (depth === 2 && roles[1] === BATCH) || depth === 3) pending = MESSAGE',
      ],
      ['messages of a batch are not looked at', '(depth === 2 && roles[1] === BATCH)', 'false'],
    ],
  },
  {
    file: 'host/src/server/mcp/request-state.ts',
    noticedBy: [STATE],
    changes: [
      ['the state of another method is accepted', '[mcpReq.method, principal', '[principal'],
      ['the state of another tenant is accepted', 'principal?.tenant ?? null, principal?.id', 'principal?.id'],
      ['the state of another caller is accepted', ', principal?.id ?? null]', ']'],
      ['the state of another tool is accepted', 'sealed.name !== name || ', ''],
      ['the state of other arguments is accepted', ' || sealed.args !== argumentsDigest(args)', ''],
    ],
  },
])
