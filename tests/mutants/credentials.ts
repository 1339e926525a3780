import { mutantsOf } from './mutant.ts'

const TABLE = 'tests/unit/decisions/credential-table.test.ts'
const EXCHANGE = 'tests/security/credentials/exchange-fails.test.ts'
const RENEWING = 'tests/security/accounts/renewing.test.ts'
const TENANTS = 'tests/unit/decisions/tenant-config-table.test.ts'
const BROUGHT = 'tests/unit/decisions/request-credentials-table.test.ts'
const ISSUED = 'tests/unit/decisions/issued-token-table.test.ts'

export const credentials = mutantsOf('credentials', [
  {
    file: 'host/src/auth/outbound/credentials.ts',
    noticedBy: ['tests/unit/network/http-credentials.test.ts'],
    changes: [
      ['the password alone is not taken out of texts', '...credential.secrets, pair, password]', '...credential.secrets, pair]'],
      ['name and password together are not taken out of texts', 'secrets, pair, password]', 'secrets, password]'],
      ['the header is no part of the fingerprint', '${kind}\\0${name}\\0${line}', '${kind}\\0${line}'],
      ['a credential may begin a second cookie', 'if (/[^!#-+\\--:<-[\\]-~]/.test(value))', 'if (false)'],
      ['the place is no part of the fingerprint', '${kind}\\0${where}\\0${value}', '${kind}\\0${value}'],
      ['the kind is no part of the fingerprint', '${kind}\\0${name}\\0${line}', '${name}\\0${line}'],
    ],
  },
  {
    file: 'host/src/network/request/placed-credential.ts',
    noticedBy: ['tests/unit/network/http-credentials.test.ts'],
    changes: [['a redirect has the credential twice', ' && keyOf(pair) !== name', '']],
  },
  {
    file: 'host/src/network/request/prepare.ts',
    noticedBy: ['tests/unit/network/http-credentials.test.ts'],
    changes: [
      [
        'a plugin sets the key of the query that is a credential',
        'keys.find((key) => target.url.searchParams.has(key))',
        'undefined',
      ],
    ],
  },
  {
    file: 'host/src/network/http-client.ts',
    noticedBy: ['tests/unit/network/http-credentials.test.ts'],
    changes: [
      ['a request that wants no credential gets one', ' && request.withoutCredential !== true', ''],
      [
        'the address that an answer came from tells the credential',
        'const url = redactor.answer(answer.url)',
        'const { url } = answer',
      ],
    ],
  },
  {
    file: 'plugins/openapi/document/servers.ts',
    noticedBy: ['plugins/openapi/tests/small-rules.test.ts'],
    changes: [
      [
        'an operation at another server is sent to the API, with its credential',
        '.some((address) => known.has(address))',
        '.some(() => true)',
      ],
      [
        'a path decides where the API is, against the description',
        'servers.length === 0 && ofPaths.size === 1',
        'ofPaths.size === 1',
      ],
      ['of paths with different servers all are the API', 'servers.length === 0 && ofPaths.size === 1', 'servers.length === 0'],
    ],
  },
  {
    file: 'plugins/openapi/document/fitting.ts',
    noticedBy: ['plugins/openapi/tests/small-rules.test.ts'],
    changes: [
      ['a schema with too many parts is left as it is', 'countOf(schema) <= MAX_SUBSCHEMAS && ', ''],
      ['a property that is called description is lost', 'if (isNamed) return [[key, shorten(each, false)]]\n', ''],
      ['what an argument is for is lost', ', ...(description !== undefined && { description })', ''],
    ],
  },
  {
    file: 'plugins/openapi/operations/security.ts',
    noticedBy: ['plugins/openapi/tests/small-rules.test.ts'],
    changes: [
      ['a description has a credential sent as the host of a request', ' && !NO_PLACE.test(text)', ''],
      ['a description puts a credential into two keys of a query', "place === 'query' && KEY.test(text)", "place === 'query'"],
      ['two credentials at once are one', 'return names.length > 1 ?', 'return names.length > 2 ?'],
      [
        'another API key is sent in the place of the first',
        "scheme.kind === 'apiKey' && placeText(scheme.place) !== placeText(apiKey?.place)",
        'false',
      ],
      ['an optional credential is never sent', 'isOptional && named.every((problem) => problem !== undefined)', 'isOptional'],
      [
        'what the description says counts for more than what the operation says',
        "said['security'] ?? document['security']",
        "document['security'] ?? said['security']",
      ],
    ],
  },
  {
    file: 'host/src/plugin/trust/observe.ts',
    noticedBy: ['tests/integration/described-apis/credentials-of-descriptions.test.ts'],
    changes: [['where a discovered plugin has credentials sent is not pinned', '...(credentials && { credentials }),', '']],
  },
  {
    file: 'host/src/auth/outbound/caller-credential.ts',
    noticedBy: ['tests/unit/network/http-credentials.test.ts'],
    changes: [
      ["a caller's password alone is not taken out of texts", ", pair, pair.slice(pair.indexOf(':') + 1)]", ', pair]'],
      ["a caller's password is cut at its last colon", "pair.indexOf(':')", "pair.lastIndexOf(':')"],
    ],
  },
  {
    file: 'host/src/auth/outbound/credential-use.ts',
    noticedBy: [TABLE],
    changes: [
      [
        'a credential that is not accepted is used',
        "if (isSent && !policy.allowRequestCredentials) return { why: 'notAccepted' }",
        '',
      ],
      [
        'a credential that is not accepted is passed over',
        "if (isSent && !policy.allowRequestCredentials) return { why: 'notAccepted' }",
        'if (isSent && !policy.allowRequestCredentials) isSent = false',
      ],
      [
        'a caller whose token is missing goes on with another credential',
        "if (!isSent && exchange === 'noToken' && call.credentials && call.principal.kind === 'oauth') return { why: 'noToken' }",
        '',
      ],
      ['a caller with an API key must bring an access token', " && call.principal.kind === 'oauth') return", ') return'],
      [
        'an exchanged token comes before the one that was sent',
        "isSent ? 'sent' : exchange === 'token' ? 'exchange' :",
        "exchange === 'token' ? 'exchange' : isSent ? 'sent' :",
      ],
      [
        'a linked account comes before the exchange',
        "exchange === 'token' ? 'exchange' : isStored ? 'stored'",
        "isStored ? 'stored' : exchange === 'token' ? 'exchange'",
      ],
      ['linked accounts are not used', "isStored ? 'stored' : undefined", 'undefined'],
      [
        "a plugin that has the server's secrets is called by anybody when no credential is set",
        'hasServer || policy.isRaw ? serverRefusal',
        'hasServer ? serverRefusal',
      ],
      [
        "a plugin that has the server's secrets is called by whoever brings a credential",
        'if (why && (policy.isRaw || !own)) return { why }',
        'if (why && !own) return { why }',
      ],
      [
        "a caller's own credential is refused where the server's is not for callers",
        'if (why && (policy.isRaw || !own)) return { why }',
        'if (why) return { why }',
      ],
      ["the server's credential is everybody's", 'if (why && (policy.isRaw || !own)) return { why }', ''],
      [
        "the server's credential comes before the caller's",
        "return own ?? (hasServer ? 'server'",
        "return hasServer ? 'server' : own ?? (hasServer ? 'server'",
      ],
      ['a service that needs a credential is asked without one', "policy.isNeeded ? { why: 'none' } : 'none'", "'none'"],
      ['a service that needs none is not asked', "policy.isNeeded ? { why: 'none' } : 'none'", "{ why: 'none' }"],
      [
        'with readOnly callers write with the credential of the server',
        "return call.access === 'read' ? undefined : 'readOnly'",
        'return undefined',
      ],
      ['with readOnly callers read nothing', "return call.access === 'read' ? undefined : 'readOnly'", "return 'readOnly'"],
      ["with deny callers use the server's credential", "  return 'deny'\n", '  return undefined\n'],
      ['the operator is refused', "serverCredentials === 'allow' || isOperator(call)", "serverCredentials === 'allow'"],
      [
        'everybody on an open listener is the operator',
        "credentials === undefined && principal.kind === 'local'",
        "principal.kind === 'local'",
      ],
      [
        'a caller in process is the operator, whoever it is',
        "credentials === undefined && principal.kind === 'local'",
        'credentials === undefined',
        { noticedBy: [TABLE] },
      ],
    ],
  },
  {
    file: 'host/src/auth/outbound/service-credential.ts',
    noticedBy: [TABLE],
    changes: [
      ['what was sent counts as nothing', 'isSent: sent !== undefined', 'isSent: false'],
      ['the exchange is off', "exchange: !exchange ? 'off' :", "exchange: true ? 'off' :"],
      ['linked accounts are not read', 'isStored: account !== undefined', 'isStored: false'],
      ['the server has no credential', 'hasServer: server !== undefined', 'hasServer: false'],
      [
        'an error of a linked account is no credential',
        "return { use: { by: 'refused', error: unusable(account.problem), wantsAccount } }",
        "return { use: { by: 'none' } }",
      ],
      ['a caller is asked to link an account that nobody can link', 'options.canLink === true && LINKING_HELPS', 'LINKING_HELPS'],
      [
        'a caller is asked to link an account where its own credential is not accepted',
        ' && LINKING_HELPS.has(decision.why)',
        '',
      ],
      ['a refused call is sent', "if (use.by === 'refused') throw use.error", ''],
      [
        "a caller's requests go with the server's credential",
        "return use.by === 'server' ? server?.fetch() : own?.fetch()",
        'return server?.fetch() ?? own?.fetch()',
      ],
    ],
  },
  {
    file: 'host/src/auth/outbound/token-exchange.ts',
    noticedBy: [TABLE],
    changes: [
      ["exchanged tokens are known without the caller's token", 'settings.instance, token])', 'settings.instance])'],
      ['exchanged tokens are known without the tenant', "['exchange', tenant ?? null, kind", "['exchange', kind"],
      ['exchanged tokens are known without the id', 'kind, id, settings.instance', 'kind, settings.instance'],
      ['exchanged tokens are known without the kind of principal', 'tenant ?? null, kind, id', 'tenant ?? null, id'],
      [
        'exchanged tokens are named by the token itself',
        "createHmac('sha256', settings.fingerprintKey).update(parts).digest('base64url')",
        'parts',
      ],
    ],
  },
  {
    file: 'host/src/auth/outbound/token-exchange.ts',
    noticedBy: ['tests/unit/auth/exchanged-tokens.test.ts'],
    changes: [
      ['an exchanged token is used until it expires', 'asked + lifeMs - Math.min(MARGIN_MS, lifeMs / 2)', 'asked + lifeMs'],
      ['a short exchanged token is never used twice', 'Math.min(MARGIN_MS, lifeMs / 2)', 'MARGIN_MS'],
    ],
  },
  {
    file: 'host/src/auth/outbound/token-exchange.ts',
    noticedBy: [EXCHANGE],
    changes: [
      ["the caller's own token is sent to the service", 'read.token === subjectToken', 'read.token === ""'],
      ['a token of another type is taken', 'issued !== ACCESS_TOKEN\n', 'issued === ""\n'],
      ['the audience that was asked for does not count', '[exchange.audience, exchange.resource]', '[undefined]'],
      ['the resource that was asked for does not count', '[exchange.audience, exchange.resource]', '[exchange.audience]'],
    ],
  },
  {
    file: 'host/src/auth/outbound/issued-token.ts',
    noticedBy: [EXCHANGE, RENEWING],
    changes: [
      ['a token that has expired already is taken', '!(expiresAt > asked)', 'expiresAt === 0'],
      [
        'the end that a token says of itself does not count',
        "typeof claims.exp === 'number' ? claims.exp * 1000 : undefined",
        'undefined',
      ],
      ['a token for another audience is taken', "return { problem: 'with a token for another audience' }", ''],
      [
        'what the answer says of its audience does not count',
        'claims.aud, answer.audience, answer.resource, answer.aud',
        'claims.aud',
      ],
      ['a name that begins alike is the same', 'whole.origin !== part.origin', '!part.origin.startsWith(whole.origin)'],
      ['a token that fits into no header is sent', 'token.length > MOST_CHARACTERS', 'token.length < 0'],
    ],
  },
  {
    file: 'host/src/plugin/settings/credential-policy.ts',
    noticedBy: [TABLE],
    changes: [
      ["callers who are known have the server's credential", "(isAnybody ? 'allow' : 'deny')", "'allow'"],
      ['a reload that turns authentication on leaves the open listener open', " && started.auth.inbound.mode === 'none'", ''],
      ['a reload that turns authentication off closes nothing', "auth.inbound.mode === 'none' && started", 'started'],
      [
        "the entry's word counts for less than the host's",
        'serverCredentials: serverCredentials ??',
        'serverCredentials: auth.serverCredentials ?? serverCredentials ??',
      ],
      ['a raw plugin counts as none', "isRaw: capabilities.credentials === 'raw'", 'isRaw: false'],
      ['every service needs none where it is exchanged for nobody', 'exchange !== undefined ||', 'exchange === undefined ||'],
      [
        'callers count although nothing lets them bring a credential',
        '(allowRequestCredentials || auth.accounts !== undefined)',
        'true',
      ],
      ['linked accounts do not count', '(allowRequestCredentials || auth.accounts !== undefined)', 'allowRequestCredentials'],
      ['a service for callers only needs a credential of the server', 'compat.authorizationIsUpstream ||', ''],
    ],
  },
  {
    file: 'host/src/plugin/settings/tenant-config.ts',
    noticedBy: [TENANTS],
    changes: [
      [
        'a user name or client id of the entry goes to a tenant',
        'CREDENTIALS.has(key) || value instanceof SecretValue ? []',
        'value instanceof SecretValue ? []',
      ],
      [
        'a secret of the entry goes to a tenant',
        'CREDENTIALS.has(key) || value instanceof SecretValue ? []',
        'CREDENTIALS.has(key) ? []',
      ],
      [
        'a nested secret of the entry goes to a tenant',
        '(part instanceof SecretValue ? [] : [[key, plain(part)]])',
        '[[key, plain(part)]]',
      ],
      [
        'a nested list of secrets of the entry goes to a tenant',
        'value.filter((item) => !(item instanceof SecretValue)).map(plain)',
        'value.map(plain)',
      ],
      ["a tenant gets none of the entry's settings", 'given.ok ? givenSettings(given) : {}', '{}'],
      [
        "the entry's settings count for more than the tenant's",
        'over(shared, tenants[tenant]?.plugins[instance]?.config ?? {})',
        'over(tenants[tenant]?.plugins[instance]?.config ?? {}, shared)',
      ],
      [
        "a tenant reads the entry's variables",
        'instance: tenantPrefix(tenant, instance),\n          surface,',
        'instance,\n          surface,',
      ],
      [
        'a tenant without settings of its own has some',
        'Object.hasOwn(tenants[tenant]?.plugins ?? {}, instance)',
        'Object.hasOwn(tenants, tenant)',
      ],
      [
        "settings of another instance are this one's",
        'Object.hasOwn(tenants[tenant]?.plugins ?? {}, instance)',
        'Object.keys(tenants[tenant]?.plugins ?? {}).length > 0',
      ],
      [
        'what only tenants have makes them lose what the entry says',
        'config: { ...surface.config, required: [] }',
        'config: { ...surface.config }',
      ],
      [
        'objects of the tenant replace those of the entry whole',
        'isObject(before) && isObject(value) ? over(before, value) : value',
        'value',
      ],
      ['defaults of the schema count for more than a tenant says', "source === 'default' ? []", "source === 'none' ? []"],
    ],
  },
  {
    file: 'host/src/auth/outbound/request-credentials.ts',
    noticedBy: [BROUGHT],
    changes: [
      [
        'a credential for a service that takes none is dropped',
        'if (!taken) return {',
        'if (!taken) continue\n    if (false) return {',
      ],
      [
        'a credential for a service that is not there is dropped',
        'if (taken === undefined) return {',
        'if (taken === undefined) continue\n    if (false) return {',
      ],
      [
        'a header that is none of ours is dropped',
        'if (instance === undefined)\n      return {',
        'if (instance === undefined) continue\n    if (false)\n      return {',
      ],
      [
        'of two credentials the last is used',
        'if (isApiKey ? apiKey : found.has(instance)) return',
        'if (isApiKey ? apiKey : false) return',
      ],
      [
        'of two API keys the last is used',
        'if (isApiKey ? apiKey : found.has(instance)) return',
        'if (isApiKey ? false : found.has(instance)) return',
      ],
      [
        'what is no credential counts as one',
        'if (isApiKey ? !TOKEN.test(value) : !parseAuthorization(value)) return',
        'if (false) return',
      ],
      [
        'an API key goes before a token',
        'compatInstance !== undefined && !found.has(compatInstance)',
        'compatInstance !== undefined',
      ],
      ['Bearer is a token', ' || (!scheme && /^(?:bearer|basic)$/i.test(value))', ''],
      ['Basic may hold anything', "if (scheme?.toLowerCase() === 'basic' && !isBasicPair(value)) return undefined", ''],
      ['Basic may hold control characters', ' && !/\\p{Cc}/u.test(pair)', ''],
      ['Basic needs no colon', "return pair.includes(':') && ", 'return '],
      ['a password alone is not secret', "return [value, pair, pair.slice(pair.indexOf(':') + 1)]", 'return [value, pair]'],
      [
        'half of a password with a colon is secret',
        "pair.slice(pair.indexOf(':') + 1)]",
        "pair.slice(pair.lastIndexOf(':') + 1)]",
      ],
      ['the token that is exchanged is not secret', '? brought : [...brought, this.#subjectToken]', '? brought : brought'],
      ['a request with a token to exchange brings nothing', 'found.size === 0 && subjectToken === undefined', 'found.size === 0'],
      ['an API key is not secret', "if (kind === 'apiKey') return [line]", "if (kind === 'apiKey') return []"],
    ],
  },
  {
    file: 'host/src/auth/outbound/issued-token.ts',
    noticedBy: [ISSUED],
    changes: [
      [
        'a token of another type is sent as Bearer',
        " || typeof type !== 'string' || type.toLowerCase() !== 'bearer') return",
        ') return',
      ],
      ['the type counts in one case only', "type.toLowerCase() !== 'bearer'", "type !== 'Bearer'"],
      ['a token that ends now is taken', 'expiresAt > asked', 'expiresAt >= asked'],
      [
        'what the token says of its end goes before the answer',
        'seconds !== undefined ? asked + seconds * 1000 : typeof',
        'seconds !== undefined && claims.exp === undefined ? asked + seconds * 1000 : typeof',
      ],
      ['one audience of those that are said is enough', '!said.every((names)', '!said.some((names)'],
      [
        'the resource that an answer names counts for nothing',
        'answer.audience, answer.resource, answer.aud]',
        'answer.audience, answer.aud]',
      ],
      ['the audience in a token counts for nothing', '[claims.aud, answer.audience', '[answer.audience'],
      [
        'a token for a part of a name is taken',
        'part.pathname.startsWith(`${plain(whole.pathname)}/`)',
        'part.pathname.startsWith(plain(whole.pathname))',
      ],
      ['a token for another origin is taken', 'whole.origin !== part.origin || ', ''],
      ['a name without an origin covers others', "whole.origin === 'null' || ", ''],
    ],
  },
])
