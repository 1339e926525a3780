import { mutantsOf } from './mutant.ts'

const ACCESS = 'tests/unit/network/http-access.test.ts'
const PATHS = 'tests/unit/network/http-paths.test.ts'
const REQUESTS = 'tests/unit/network/http-requests.test.ts'
const ADDRESSES = 'tests/security/credentials/ssrf-addresses.test.ts'
const REDIRECTS = 'tests/unit/network/http-redirects.test.ts'
const DIALING = 'tests/security/credentials/ssrf-dialing.test.ts'
const TRACE = 'tests/unit/network/trace-of-a-call.test.ts'
const TRACE_CONTEXT = 'tests/unit/observability/trace-context.test.ts'
const SPANS = 'tests/unit/observability/spans-of-requests.test.ts'
const RETRIES = 'tests/unit/network/retries-table.test.ts'

export const network = mutantsOf('network', [
  {
    file: 'host/src/network/request/prepare.ts',
    noticedBy: [TRACE],
    changes: [
      ['the trace of a call goes to every host', "...(target.zone === 'service' && traceFields(trace))", '...traceFields(trace)'],
    ],
  },
  {
    file: 'host/src/observability/tracing/trace-context.ts',
    noticedBy: [TRACE_CONTEXT],
    changes: [
      ['a trace goes on that no specification knows', "version === 'ff' || ", ''],
      [
        'a header of the HTTP request wins over the message',
        'if (traceparent !== undefined) {',
        'if (traceparent !== undefined && !headers) {',
      ],
      ['what a caller says beside the trace goes on whatever it is', ' && isTraceState(tracestate)', ''],
      ['which request brought a message with a trace is lost', '{ ...trace, carrier: parent }', 'trace'],
    ],
  },
  {
    file: 'host/src/observability/tracing/spans.ts',
    noticedBy: [SPANS],
    changes: [
      [
        'what a caller does not record is recorded',
        '(followsParent || parent instanceof OwnTrace)',
        '(parent instanceof OwnTrace)',
      ],
      ['a span of this host is decided apart from its request', '(followsParent || parent instanceof OwnTrace)', 'followsParent'],
      ['everything is recorded', '.decision === SAMPLED', '.decision >= 0'],
    ],
  },
  {
    file: 'host/src/observability/tracing/request-span.ts',
    noticedBy: [SPANS],
    changes: [
      ['a name of a span has what the client wrote', "path.replace(VIEWS, '/x/{tags}')", 'path'],
      ['a call is beside its request', '  setTrace(headers, span.trace)\n', ''],
      ['a wrong request is an error of the host', 'statusCode >= 500', 'statusCode >= 400'],
    ],
  },
  {
    file: 'host/src/observability/tracing/trace-ids.ts',
    noticedBy: [TRACE_CONTEXT],
    changes: [
      ['an id of zeros is made', 'return /[^0]/.test(id) ? id : next(count)', 'return id'],
      ['every id is the same', '(at += count)', 'at + count'],
    ],
  },
  {
    file: 'host/src/network/connect/address-guard.ts',
    noticedBy: [ADDRESSES, DIALING],
    changes: [
      [
        'every IPv4 address is public',
        "if (family === 4) return !reserved.check(address, 'ipv4')",
        'if (family === 4) return true',
      ],
      ['an address with a zone is public', " && !address.includes('%')", ''],
      ['unicast of every kind is public', " && unicast.check(address, 'ipv6')", ''],
      [
        'wrapped and reserved IPv6 addresses are public',
        "unicast.check(address, 'ipv6') && !reserved.check(address, 'ipv6')",
        "unicast.check(address, 'ipv6')",
      ],
      ['private networks are public', "  ['10.0.0.0', 8],\n", ''],
      ['the metadata service is public', "['169.254.0.0', 16]", "['169.254.0.0', 24]"],
      ['the own machine is public', "  ['127.0.0.0', 8],\n", ''],
      ['0.0.0.0 is public', "['0.0.0.0', 8]", "['0.0.0.1', 32]"],
      ['6to4, which wraps any address, is public', "  ['2002::', 16], // 6to4, which wraps any IPv4 address\n", ''],
      ['private addresses behind NAT64 are public', "reserved.addSubnet(`${NAT64}${network}`, 96 + prefix, 'ipv6')", ''],
      [
        'an address in the URL is not checked',
        'if (isIP(literal) !== 0 && !dialing.isPublic(literal)) return callback(addressRefusal(literal), null)',
        '',
      ],
      ['the addresses of a name are not checked', 'addresses.filter(({ address }) => dialing.isPublic(address))', 'addresses'],
      [
        'one public address of a name lets all through',
        'addresses.filter(({ address }) => dialing.isPublic(address))',
        '(addresses.some(({ address }) => dialing.isPublic(address)) ? addresses : [])',
      ],
    ],
  },
  {
    file: 'host/src/network/connect/target.ts',
    noticedBy: [PATHS, REDIRECTS],
    changes: [
      [
        'a path climbs out of the service',
        "if (climbs(path)) throw refuse('contains a segment . or .., which may leave the service')",
        '',
      ],
      ['a path may hold backslashes', "if (path.includes('\\\\')) throw refuse('contains a backslash')", ''],
      ['a path may name another host', "if (path.startsWith('//')) throw refuse('begins with //, which names another host')", ''],
      ['a path may hold control characters', "if (/\\p{Cc}/u.test(path)) throw refuse('contains control characters')", ''],
      ['a URL may hold a password', "if (url.username || url.password) throw refuse('contains a user name or password')", ''],
      [
        'a base URL may hold a password',
        "if (url.username || url.password) throw invalid(setting, 'contains a user name or password')",
        '',
      ],
      [
        'a folder whose name begins like the base is the service',
        'url.pathname.startsWith(`${base.path}/`)',
        'url.pathname.startsWith(base.path)',
      ],
      ['the base counts at any origin', 'base && url.origin === base.origin && (', 'base && ('],
      ['any origin is granted', 'return anyPublic || origins.has(url.origin) ?', 'return true ?'],
      ['an origin that was granted is not', 'return anyPublic || origins.has(url.origin) ?', 'return anyPublic ?'],
      ['dots that are encoded do not climb', '(?:\\.|%(?:25)*2e)', '(?:\\.)'],
      ['control characters beside dots are part of a name', '){1,2}(?:%(?:25)*(?:[01][\\da-f]|20|7f))*(', '){1,2}('],
      [
        'a separator that is encoded parts nothing',
        'const SEPARATOR = /[/\\\\]|%(?:25)*(?:2f|5c)/i',
        'const SEPARATOR = /[/\\\\]/i',
      ],
    ],
  },
  {
    file: 'host/src/network/request/access.ts',
    noticedBy: [ACCESS],
    changes: [
      ['a read tool writes', "if (access === 'write' || method === 'GET' || method === 'HEAD') return true", 'return true'],
      ['a read tool deletes at its safe paths', "return method === 'POST' && target.zone", 'return target.zone'],
      ['safe paths of the service are safe elsewhere', " && target.zone === 'service'", ''],
      ['a safe path is safe below it as well', 'wanted.length === found.length &&', ''],
      ['a star stands for nothing', "segment !== '' && ", ''],
      ['a star stands for an encoded separator', ' && !/%(?:25)*(?:2f|5c)/i.test(segment)', ''],
    ],
  },
  {
    file: 'host/src/network/request/redirects.ts',
    noticedBy: [REDIRECTS],
    changes: [
      [
        'a redirect goes from https down to http',
        "if (from.url.protocol === 'https:' && url.protocol === 'http:') return { refused: 'from https down to http' }",
        '',
      ],
      [
        'a redirect carries a password',
        "if (url.username || url.password) return { refused: 'to a URL with a user name or password' }",
        '',
      ],
      ['a redirect takes the credential to another origin', 'if (target?.zone === from.zone && !climbs', 'if (target && !climbs'],
      ['a redirect climbs', ' && !climbs(target.path)', ''],
      ['a redirected POST is sent again', "(method === 'POST' && (status === 301 || status === 302))", 'false'],
      ['redirects go on for long', 'MAX_REDIRECTS = 3', 'MAX_REDIRECTS = 30'],
    ],
  },
  {
    file: 'host/src/network/request/headers.ts',
    noticedBy: [REQUESTS, 'tests/unit/network/http-credentials.test.ts'],
    changes: [
      [
        "a plugin sets the credential's header",
        "if (credentials.has(key)) return 'is a credential, which the host puts on the request itself'",
        '',
      ],
      [
        "a plugin sets what is the host's",
        "if (HOST_ONLY.has(key) || key.startsWith('proxy-')) return 'is set by the host alone'",
        '',
      ],
      [
        'a plugin turns a request into another method',
        "if (OVERRIDES.has(key)) return 'would turn the request into another method'",
        '',
      ],
      [
        'a plugin leads a request to a path outside of its base URL',
        "if (REWRITES.has(key)) return 'would lead the request to another path'",
        '',
      ],
      [
        'a header value may break the line',
        '/^[\\t\\u0020-\\u007e\\u0080-\\u00ff]*$/',
        '/^[\\t\\n\\r\\u0020-\\u007e\\u0080-\\u00ff]*$/',
      ],
      ['a header name may hold anything', "return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)", "return name !== ''"],
    ],
  },
  {
    file: 'host/src/network/resilience/retry.ts',
    noticedBy: [RETRIES],
    changes: [
      ['what is not safe to repeat is sent twice', 'if (!IDEMPOTENT.has(method)) return undefined', ''],
      ['the retries of one service have no budget', ' || !policy.budget.spend()', ''],
      ['a retry waits longer than the call lives', 'waitMs + ANSWER_MS > attempts.timeLeftMs()', 'false'],
      [
        'a long Retry-After is waited for',
        'return asked > policy.retryAfterMs ? undefined : asked + backoff',
        'return asked + backoff',
      ],
      ['a client error is retried', 'if (!RETRYABLE.has(outcome.answer.status)) return undefined', ''],
      ['Retry-After counts for nothing', 'retryAfter(outcome.answer, policy.clock.now()) ?? 0', '0'],
    ],
  },
])
