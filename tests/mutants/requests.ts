import { mutantsOf } from './mutant.ts'

const SESSIONS = 'tests/unit/transport/open-sessions.test.ts'
const READ = 'tests/unit/transport/what-is-read-of-a-request.test.ts'
const ASKS = 'tests/unit/transport/who-may-ask.test.ts'
const WAITS = 'tests/unit/transport/whose-answer-waits.test.ts'
const DOCTOR = 'tests/unit/project/what-doctor-says.test.ts'
const WORDS = 'tests/unit/project/words-of-commands.test.ts'
const PARAMETERS = 'tests/unit/calls/parameters-of-requests.test.ts'
const RESULTS = 'tests/unit/data/tool-results.test.ts'
const COSTS = 'tests/unit/data/json-costs.test.ts'
const ENTRIES = 'tests/unit/cache/kept-entries.test.ts'
const LINES = 'tests/unit/observability/lines-of-the-log.test.ts'
const REVISIONS = 'tests/unit/calls/what-a-revision-knows.test.ts'
const SDK = 'tests/unit/transport/what-the-sdk-is-given.test.ts'
const TOLD = 'tests/unit/calls/who-is-told.test.ts'
const AUDIT = 'tests/unit/observability/audit-lines.test.ts'

/** Who is let in, what is read of a request, and what is written down of a call. */
export const requests = mutantsOf('requests', [
  {
    file: 'host/src/transport/streamable/sessions.ts',
    noticedBy: [SESSIONS],
    changes: [
      ['a session is found by any caller', 'used.session.owner !== owner || ', ''],
      ['a session is found at any address', ' || used.session.view !== view', ''],
      ['an idle session is found until it is swept', ' || this.#isOver(used)) return undefined', ') return undefined'],
      ['use does not keep a session open', 'used.at = this.#limits.now()\n', ''],
      ['use does not save a session from the next that needs room', '    used.use = ++this.#uses\n', ''],
      ['one owner may have all sessions', 'maxPerOwner = Math.ceil(max / 2)', 'maxPerOwner = max'],
      ['an owner gets one session more than it may', 'own.size >= maxPerOwner', 'own.size > maxPerOwner'],
      ['there is one session more than there may be', 'this.#byId.size < max', 'this.#byId.size <= max'],
      ['a busy session is ended for another', '!used.session.isBusy && (!oldest', '(!oldest'],
      ['the session that was used last makes room', 'used.use < oldest.use', 'used.use > oldest.use'],
      [
        'another owner makes room although there is an idle one of its own',
        '(own !== undefined && this.#evictIdle(own)) || ',
        '',
      ],
      ['the smallest owner makes room', 'own.size > largest.size', 'own.size < largest.size || largest.size === 0'],
      ['an idle session that is ended is not closed', '    void session.close()\n', ''],
      ['a deleted session counts for its owner', 'own?.delete(id)', 'own?.has(id)'],
      ['a busy session ends after its time', '!session.isBusy && this.#limits.now()', 'this.#limits.now()'],
    ],
  },
  {
    file: 'host/src/transport/http/accept.ts',
    noticedBy: [READ],
    changes: [
      ['a form that is refused by its weight is sent', 'range.weight > 0', 'true'],
      ['the most general range decides', "[type, `${family}/*`, '*/*']", "['*/*', `${family}/*`, type]"],
      ['media types are compared with case', 'accept.toLowerCase()', 'accept'],
    ],
  },
  {
    file: 'host/src/transport/http/body.ts',
    noticedBy: [READ],
    changes: [
      ['any content is read as JSON', "essence.trim() !== 'application/json'", 'essence.trim() === ""'],
      ['any charset is read as UTF-8', 'charset === undefined || /^charset="?utf-?8"?$/.test(charset)', 'true'],
      ['a body that is compressed is read', "encoding.toLowerCase() !== 'identity'", 'encoding === "x"'],
      [
        'a body that tells no length may be of any size',
        'if (length <= maxBytes) {\n        chunks',
        'if (length > 0) {\n        chunks',
      ],
      [
        'a body has one byte less than it may',
        'if (length <= maxBytes) {\n        chunks',
        'if (length < maxBytes) {\n        chunks',
      ],
      ['a long method is named in errors', 'message.method.length > LONGEST_METHOD', 'false'],
      ['a batch may have long methods', '(Array.isArray(message) ? message : [message])', '[message]'],
    ],
  },
  {
    file: 'host/src/transport/http/narrowing.ts',
    noticedBy: [READ],
    changes: [
      [
        'a malformed list of toolsets is no narrowing',
        'if (toolsets !== undefined && !names)\n    return {\n      refused: refusal(\n        400,\n        `X-',
        'if (false)\n    return {\n      refused: refusal(\n        400,\n        `X-',
      ],
      ['a malformed X-Patchbay-Read-Only means no', "readOnly !== 'true' && readOnly !== 'false'", 'false'],
      [
        'the headers count for nothing at an address',
        '...byHeaders.narrowing, address',
        'readOnly: false, toolsets: undefined, address',
      ],
      ['any number of toolsets', 'names.length > MAX_TOOLSETS ||', ''],
    ],
  },
  {
    file: 'host/src/transport/http/client-address.ts',
    noticedBy: [ASKS],
    changes: [
      ['anybody may say where it comes from', 'while (isTrusted(client))', 'while (hops.length > 0)'],
      ['the first address of the list counts', 'hops.at(-1)', 'hops[0]'],
      ['an IPv4 address over IPv6 is another one', "address.startsWith('::ffff:') &&", 'false &&'],
      ['a proxy that is no address is one', 'before === undefined || isIP(before) === 0', 'before === undefined'],
    ],
  },
  {
    file: 'host/src/transport/http/admission.ts',
    noticedBy: [ASKS],
    changes: [
      ['two content encodings', "  'content-encoding',\n", ''],
      ['two ids of the last event', "  'last-event-id',\n", ''],
      ['a request without a Host is let in', "withoutHost && req.httpVersion === '1.0'", 'withoutHost'],
      [
        'names of the config are compared with case',
        'const lowerCase = (text: string): string => text.toLowerCase()',
        'const lowerCase = (text: string): string => text',
      ],
      ['an IPv6 address has no brackets', 'isIP(host) === 6 ? `[${host}]` : host', 'host'],
    ],
  },
  {
    file: 'host/src/transport/http/cors.ts',
    noticedBy: [ASKS],
    changes: [
      ['a cache mixes up the answers of origins', "res.setHeader('vary', 'origin')", ''],
      ['a page may send any header', '/^(?:accept|', '/^(?:.*|accept|'],
    ],
  },
  {
    file: 'host/src/data/address.ts',
    noticedBy: [ASKS],
    changes: [
      ['the address asks for read-only in vain', 'readOnly: readOnly !== undefined', 'readOnly: false'],
      ['a path of another name loses the prefix', 'path.startsWith(`${prefix}/`)', 'path.startsWith(prefix)'],
    ],
  },
  {
    file: 'host/src/observability/audit.ts',
    noticedBy: [AUDIT],
    changes: [
      ['a line is written although the audit is off', 'if (isOn()) log.info', 'log.info'],
      ['a shape has the value', '`string(${value.length})`', '`string(${value})`'],
      ['the names of arguments that no schema has are written', '.filter(([name]) => known.has(name))', ''],
    ],
  },
  {
    file: 'host/src/server/call/audit-line.ts',
    noticedBy: [AUDIT],
    changes: [
      ['a call that was not approved counts as allowed', "|| outcome === 'refused' ||", '||'],
      ['a call that was one too many counts as allowed', "outcome === 'limited' || ", ''],
      ['a line does not name the tenant', 'principal: id, principalKind, tenant }', 'principal: id, principalKind }'],
      ['a line does not name the bytes that ran', '    tree: plugin.tree,\n', ''],
      ['a name fills the log', 'name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name', 'name'],
      ['a line names one of the variables', "variables.join('+')", 'variables[0]'],
      [
        'a line of an account says none',
        '{ access: item.access, principal, credentials, account }',
        '{ access: item.access, principal, credentials }',
      ],
      ['a refused credential is none', "if (use.by === 'refused') return 'refused'", "if (use.by === 'refused') return 'none'"],
      [
        'a denial does not name its call',
        'reason, ...askedBy(call), ...callFields(call.io.requestId, call.io.trace)',
        'reason, ...askedBy(call)',
      ],
    ],
  },
  {
    file: 'host/src/transport/http/http-exchange.ts',
    noticedBy: [WAITS],
    changes: [
      ['a stream goes on without its credential', 'if (revoked.aborted) end()', ''],
      ['a stream outlives a credential that is taken back', "revoked.addEventListener('abort', end, { once: true })", ''],
      [
        'a credential that ends in a month ends now',
        'Math.min(Math.max(expiresAt - now(), 0), MAX_DELAY_MS)',
        'Math.max(expiresAt - now(), 0)',
      ],
    ],
  },
  {
    file: 'host/src/transport/http/open-responses.ts',
    noticedBy: [WAITS],
    changes: [
      ['an answer that is no call is begun early', '&& answer.mayBegin &&', '&&'],
      [
        'an answer is begun early without its headers',
        'beginEarly(answer.res, answer.headers)',
        'beginEarly(answer.res, undefined)',
      ],
      ['an answer that was begun is silent', 'if (age % WARM_TICKS === 0) keepWarm(answer.res)', ''],
    ],
  },
  {
    file: 'host/src/transport/http/early-answer.ts',
    noticedBy: [WAITS],
    changes: [
      ['a slow reader costs all memory', 'if (res.writableLength > maxUnread)', 'if (false)'],
      ['a client that takes no stream gets one', "acceptedForms(res.req.headers.accept).stream ? 'stream' : 'json'", "'stream'"],
      ['an answer is ended twice', 'if (form !== undefined) early.delete(res)', ''],
    ],
  },
  {
    file: 'host/src/transport/readiness.ts',
    noticedBy: [WAITS],
    changes: [
      ['a host that drains is ready', '!draining && !isDown', '!isDown'],
      ['a host is ready without what its config names', '!isDown && missing === undefined', '!isDown'],
      ['a host is ready without a plugin that is required', "required && state !== 'active'", 'required && false'],
      ['a broken edit of a required plugin takes the host down', "required && state !== 'active'", 'required'],
      ['a host is ready that serves nothing', 'plugins.length + ignored.length > 0 && active.length === 0', 'false'],
    ],
  },
  {
    file: 'host/src/transport/streamable/listen-bus.ts',
    noticedBy: [WAITS],
    changes: [
      ['one name in two tenants is one owner', 'JSON.stringify([principal.tenant ?? null, principal.id])', 'principal.id'],
      [
        'one that leaves twice is counted twice',
        'if (!this.#listeners.delete(listener)) return',
        'this.#listeners.delete(listener)',
      ],
    ],
  },
  {
    file: 'host/src/transport/streamable/step-up.ts',
    noticedBy: [WAITS],
    changes: [
      ['a key is told of scopes', "if (caller.principal.kind !== 'oauth') return undefined", ''],
      ['a client of 2025 loses the scopes that it had', "era === 'legacy' ?", "era === 'modern' ?"],
    ],
  },
  {
    file: 'host/src/server/catalog/missing-scopes.ts',
    noticedBy: [WAITS],
    changes: [
      [
        'scopes that are not published are named',
        '[...needed].every((scope) => offered.includes(scope)) ? [...needed] : undefined',
        '[...needed]',
      ],
      [
        'scopes are named although something else stands in the way',
        'snapshot.policy) === undefined ? needed : undefined',
        'snapshot.policy) !== null ? needed : undefined',
      ],
    ],
  },
  {
    file: 'host/src/server/call/rate-limit.ts',
    noticedBy: [WAITS],
    changes: [
      [
        'one name in two tenants is counted together',
        "hashParts(of === 'tenant' ? [tenant ?? ''] : [tenant ?? '', kind, id])",
        "hashParts(of === 'tenant' ? [tenant ?? ''] : [kind, id])",
      ],
      ['a key and a person of one name are counted together', "[tenant ?? '', kind, id]", "[tenant ?? '', id]"],
      ['the limit of a tenant is not counted', "...(rate.tenant ? [open('tenant', rate.tenant)] : [])", ''],
      [
        'a config that is read again begins to count anew',
        'open.rate !== rate && !isDeepStrictEqual(open.rate, rate)',
        'open.rate !== rate',
      ],
      ['a limit that changed does not count', '!open || (open.rate !== rate && !isDeepStrictEqual(open.rate, rate))', '!open'],
    ],
  },
  {
    file: 'host/src/project/doctor/caller-findings.ts',
    noticedBy: [DOCTOR],
    changes: [
      ['everybody is the operator, and doctor says nothing', "mode === 'none' &&", "mode === 'apiKey' &&"],
      [
        'an empty file of keys has keys',
        "Array.isArray(value['keys']) && value['keys'].length > 0",
        "Array.isArray(value['keys'])",
      ],
      ['a token in a file is none', '&&\n      !env[`${token}_FILE`]', ''],
    ],
  },
  {
    file: 'host/src/project/doctor/file-findings.ts',
    noticedBy: [DOCTOR],
    changes: [
      ['anyone may write the lock', '[file, lockFile, keys,', '[file, keys,'],
      ['anyone may write the keys', '[file, lockFile, keys,', '[file, lockFile,'],
      ['the group may read secrets', 'OTHERS_READ = 0o044', 'OTHERS_READ = 0o004'],
    ],
  },
  {
    file: 'host/src/project/doctor/repository-findings.ts',
    noticedBy: [DOCTOR],
    changes: [['keys that git has are no finding', "[join(configDir, '.env'), keys].filter", "[join(configDir, '.env')].filter"]],
  },
  {
    file: 'host/src/project/doctor/plugin-findings.ts',
    noticedBy: [DOCTOR],
    changes: [
      ['a secret in the config is no finding', 'return isObject(schema) && isSecret(schema, [key])', 'return false'],
      ['what the host warns of is no finding', '...warnings.map((warning): Finding => ({', '...[].map((warning): Finding => ({'],
    ],
  },
  {
    file: 'host/src/project/doctor/release-findings.ts',
    noticedBy: [DOCTOR],
    changes: [
      ['a release is named that update does not take', '|| (latest.publishedAt && !isSettled(latest.publishedAt, now))', ''],
      ['1.10 is older than 1.9', "'en', { numeric: true })\n  if (order", "'en')\n  if (order"],
      ['an older release is newer', 'if (order !== 0) return order > 0', 'if (order !== 0) return true'],
    ],
  },
  {
    file: 'host/src/project/import/env-file.ts',
    noticedBy: [WORDS],
    changes: [
      ['others may read a new environment file', "{ what: 'env', mode: 0o600 }", "{ what: 'env' }"],
      ['a value with a comment is cut', 'return forms.find((form) =>', 'return forms.slice(0, 1).find((form) => true ||'],
      ['an import replaces a value', '!there[variable])', '!there[variable] || true)'],
    ],
  },
  {
    file: 'host/src/server/mcp/protocol-error.ts',
    noticedBy: [PARAMETERS],
    changes: [['what failed inside is told to clients', 'if (FOR_CLIENTS.has(error.code)) return', 'return']],
  },
  {
    file: 'host/src/server/mcp/params.ts',
    noticedBy: [PARAMETERS],
    changes: [
      ['any cursor begins the list again', "cursor !== undefined && cursor !== null && cursor !== '')", 'false)'],
      [
        'arguments that are a list are none',
        '? {} : object(fields, key)',
        '? {} : (isObject(fields[key]) ? object(fields, key) : {})',
      ],
    ],
  },
  {
    file: 'host/src/data/content.ts',
    noticedBy: [RESULTS],
    changes: [
      [
        'a plugin says what only the host says of a result',
        '.filter(([key]) => !/^(?:io\\.modelcontextprotocol|mcp-patchbay)\\//.test(key))',
        '',
      ],
      ['a secret is in what is structured', 'return redact(text).toWellFormed()', 'return text.toWellFormed()'],
      ['characters are counted as bytes', 'if (text.length * 3 > maxBytes) limit', 'if (text.length > maxBytes) limit'],
      [
        'a resource without content is sent',
        "typeof resource['text'] === 'string' || typeof resource['blob'] === 'string'",
        'true',
      ],
      [
        'any value of isError is an error',
        'isError === true && { isError }',
        'isError !== undefined && { isError: true as const }',
      ],
    ],
  },
  {
    file: 'host/src/data/json-cost.ts',
    noticedBy: [COSTS],
    changes: [
      ['what is inside a string counts', '        at = closingQuote(text, at + 1)\n', ''],
      ['a bracket counts as deeper than it is', '        level--\n', ''],
      [
        'elements beyond the first cost nothing',
        'case COMMA:\n        if (++seen > values)',
        'case COMMA:\n        if (seen > values)',
      ],
      ['an escaped quote ends a string', '(quote - first) % 2 === 0', 'quote >= first'],
    ],
  },
  {
    file: 'host/src/cache/stored-value.ts',
    noticedBy: [ENTRIES],
    changes: [
      ['any text is an entry', "typeof freshUntil !== 'number' || ", ''],
      ['a version is anything', "typeof version === 'string')", 'version !== undefined)'],
    ],
  },
  {
    file: 'host/src/cache/single-flight.ts',
    noticedBy: [ENTRIES],
    changes: [
      ['all tags of a load must be left', 'flight.tags.some(', 'flight.tags.every('],
      ['a load that was left ends the next one', 'if (!isLeft()) flights.delete(key)', 'flights.delete(key)'],
    ],
  },
  {
    file: 'host/src/cache/stores/guarded-store.ts',
    noticedBy: [ENTRIES],
    changes: [['several entries stay for ever', '({ key, value: text, ttl: ttlMs })', '({ key, value: text })']],
  },
  {
    file: 'host/src/cache/cache.ts',
    noticedBy: [ENTRIES],
    changes: [
      ['other hosts go on with what was dropped', 'bus?.publish(TAGS_DROPPED, tags)', ''],
      ['what another host dropped is joined', 'Array.isArray(tags) && flights.leave(tags.map(String))', 'Array.isArray(tags)'],
    ],
  },
  {
    file: 'host/src/observability/log/shorten.ts',
    noticedBy: [LINES],
    changes: [
      ['a key is of any length', 'shortenText(key, MAX_KEY)', 'key'],
      ['keys cost nothing', 'room.left -= name.length + VALUE_COST', 'room.left -= VALUE_COST'],
      ['what is left out of a list is not counted', 'return more > 0 ? [...kept, `… ${more} more`] : kept', 'return kept'],
    ],
  },
  {
    file: 'host/src/observability/plugin-records.ts',
    noticedBy: [LINES],
    changes: [
      [
        'a plugin has a label more than it may',
        'entries.length === METRIC_LIMITS.labels',
        'entries.length > METRIC_LIMITS.labels',
      ],
      ['labels that are inherited count', 'if (Object.hasOwn(labels, key)) entries', 'entries'],
    ],
  },
  {
    file: 'host/src/server/mcp/revisions.ts',
    noticedBy: [REVISIONS],
    changes: [
      ['an unknown revision is the newest', '?? UNSAID', '?? MODERN'],
      [
        'a client is sent what its revision lacks of annotations',
        "lastModified !== undefined && knows(revision, 'lastModified') ?",
        'lastModified !== undefined ?',
      ],
      ['a link is sent to who has no links', "!knows(revision, 'resourceLink')", 'false'],
      [
        'structured content is sent to who has none',
        "structuredContent !== undefined && knows(revision, 'structured') &&",
        'structuredContent !== undefined &&',
      ],
      ['a client without URLs is asked by one', "params['mode'] === 'url' && !knows(revision, 'urlElicitation')", 'false'],
    ],
  },
  {
    file: 'host/src/transport/http/web-request.ts',
    noticedBy: [SDK],
    changes: [
      ['the SDK sees credentials', "(PASSED.has(name) || name.startsWith('mcp-'))", "(name !== '')"],
      ['a call ends with its answer as if its client were gone', 'if (!res.writableFinished) gone.abort', 'gone.abort'],
      ['a connection that is to be closed stays', "  delete headers['connection']\n", ''],
      ['an error becomes a stream', 'forms.json || status !== 200', 'forms.json'],
    ],
  },
  {
    file: 'host/src/transport/streamable/session-transport.ts',
    noticedBy: [SDK],
    changes: [
      ['two answers have one id', 'this.#unanswered.has(id) || ', ''],
      ['an id is twice in a batch', ' || requests.indexOf(id) !== index', ''],
      ['an answered request keeps its session busy', 'this.#unanswered.delete(message.id)\n    if', 'if'],
    ],
  },
  {
    file: 'host/src/server/catalog/change-notifier.ts',
    noticedBy: [TOLD],
    changes: [
      [
        'who may not see a resource is told of it',
        'item?.plugin.instance === instance && refusal(item, caller, current.policy) === undefined',
        'item?.plugin.instance === instance',
      ],
      ['a plugin speaks of the resources of another', 'item?.plugin.instance === instance && refusal', 'item && refusal'],
      ['all are told of what one follows', 'if (followed && !followed.has(uri)) continue', ''],
    ],
  },
  {
    file: 'host/src/server/catalog/registry.ts',
    noticedBy: [TOLD],
    changes: [
      [
        'an older generation takes the place of a newer one',
        'next.generation <= previous.generation',
        'next.generation < previous.generation',
      ],
      ['any number of changes waits', 'if (this.#changed.size >= MAX_CHANGED) return', ''],
    ],
  },
])
