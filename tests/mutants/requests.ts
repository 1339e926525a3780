import { mutantsOf } from './mutant.ts'

const SESSIONS = 'tests/unit/transport/open-sessions.test.ts'
const READ = 'tests/unit/transport/what-is-read-of-a-request.test.ts'
const ASKS = 'tests/unit/transport/who-may-ask.test.ts'
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
])
