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
const FAILURES = 'tests/unit/network/what-a-failure-means.test.ts'
const IN_LINE = 'tests/unit/network/left-alone-and-in-line.test.ts'
const HEADERS = 'tests/unit/network/headers-table.test.ts'
const SENT = 'tests/unit/network/what-is-sent.test.ts'

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
  {
    file: 'host/src/network/failures.ts',
    noticedBy: [FAILURES],
    changes: [
      [
        'an address that is refused counts against the service',
        'retryable: false,\n      unhealthy: false,\n    }\n  if (code === PROXY_FAILED)',
        'retryable: false,\n      unhealthy: true,\n    }\n  if (code === PROXY_FAILED)',
      ],
      [
        'a connection that broke leaves no change in doubt',
        'before the answer was complete${doubt(subject)}`',
        'before the answer was complete`',
      ],
      [
        'a connection that was refused is not tried again',
        "the connection was refused', { retryable: true",
        "the connection was refused', { retryable: false",
      ],
      [
        'an unknown name is asked for again',
        "the name of the host is unknown', { retryable: false",
        "the name of the host is unknown', { retryable: true",
      ],
      ['a time-out is tried again', 'retryable: false, // a caller', 'retryable: true, // whoever'],
      ['a connection that did not come in time leaves a change in doubt', '{ ...subject, mayChange: false }', 'subject'],
      ['an error with a broken body leaves a change in doubt', "${status < 400 ? doubt(subject) : ''}", '${doubt(subject)}'],
      ['a body that is too large is asked for again', "retryable: kind === 'damaged'", 'retryable: true'],
      ['a body that is too large counts against the service', "unhealthy: kind === 'damaged'", 'unhealthy: true'],
      ['what was not sent counts as sent', 'unhealthy: false, unsent: true', 'unhealthy: false'],
      ['a certificate that has expired is no matter of TLS', '|CERT_|', '|'],
    ],
  },
  {
    file: 'host/src/network/response/status-error.ts',
    noticedBy: [FAILURES],
    changes: [
      ['an error with a secret in it is quoted', 'brief(subject.redact(explanation(answer)))', 'brief(explanation(answer))'],
      ['a change is in doubt only from 501 on', 'status >= 500 && !UNDONE', 'status > 500 && !UNDONE'],
      ['a service that is not there may have made the change', 'new Set([501, 503, 505])', 'new Set([501, 505])'],
      ['who may call again is told to do so when a change is in doubt', 'fix: isInDoubt ? fixAfter(subject, fix) : fix', 'fix'],
      [
        'the right is asked for of a variable that has nothing to do with it',
        "source && source.kind !== 'server'",
        "source && source.kind === 'server'",
      ],
      ['a page is quoted', 'if (html) return /<title', 'if (false) return /<title'],
      [
        'half of a long body is looked into',
        'if (body.length > LONGEST_QUOTED) return',
        'if (body.length > LONGEST_QUOTED * 10) return',
      ],
      ['the scopes that GitHub asks for are not told', 'challenged ?? (listed', 'challenged ?? (false && listed'],
    ],
  },
  {
    file: 'host/src/network/resilience/breaker.ts',
    noticedBy: [IN_LINE],
    changes: [
      ['a service is left alone only after one failure more', 'failed >= failures', 'failed > failures'],
      [
        'failures need not be in a row',
        "failed = result === 'success' ? 0 : failed + 1",
        "failed += result === 'success' ? 0 : 1",
      ],
      ['a caller who gave up counts as a success', " || result === 'neither') return // began", ') return // began'],
      ['many try a service that was left alone', 'if (probing) return { closedForMs: 0 }', ''],
      ['nothing tries a service again whose caller gave up', '    probing = false\n    if (result', '    if (result'],
      ['a clock that is set back leaves a service alone for hours', 'openUntil = Math.min(openUntil, clock.now() + openMs)', ''],
      [
        'an old failure leaves a service alone for longer',
        "if (openUntil !== undefined || result === 'neither') return // began",
        "if (result === 'neither') return // began",
      ],
      [
        'one failure leaves a service alone that came back',
        '    openUntil = undefined\n    failed = 0\n',
        '    openUntil = undefined\n',
      ],
    ],
  },
  {
    file: 'host/src/network/resilience/bulkhead.ts',
    noticedBy: [IN_LINE],
    changes: [
      ['one more may wait', 'waiting.size >= queued', 'waiting.size > queued'],
      ['one more is let in', 'taken < inFlight', 'taken <= inFlight'],
      ['a place is given back twice', 'if (!held) return', ''],
      ['who gave up stays in line', '          waiting.delete(start)\n          reject', '          reject'],
      ['a place that is given back is lost', 'else taken--', ''],
      ['who gave up before is let in', 'if (signal.aborted) return Promise.reject(signal.reason)', ''],
    ],
  },
  {
    file: 'host/src/network/request/headers.ts',
    noticedBy: [HEADERS],
    changes: [
      [
        'a credential may go into Host',
        "key !== 'authorization' && key !== 'cookie' && isOfRequest",
        "isOfRequest && key.startsWith('proxy-')",
      ],
      [
        'a credential may go into the header of a proxy',
        "REWRITES.has(key) || key.startsWith('proxy-')\n",
        'REWRITES.has(key)\n',
      ],
      [
        'no credential may be a cookie',
        "key !== 'authorization' && key !== 'cookie' && isOfRequest",
        "key !== 'authorization' && isOfRequest",
      ],
      [
        'a scheme may begin another header',
        'scheme === undefined || isHeaderValue(scheme) ?',
        'scheme === undefined || scheme ?',
      ],
      [
        'the header of another case is another one',
        'map(([name, value]) => [name.toLowerCase(), value])',
        'map(([name, value]) => [name, value])',
      ],
    ],
  },
  {
    file: 'host/src/network/request/prepare.ts',
    noticedBy: [SENT],
    changes: [
      [
        "the host's headers go before the plugin's",
        'mergeHeaders(usual, setup.headers, own,',
        'mergeHeaders(setup.headers, usual, own,',
      ],
      [
        "the plugin's headers go before those of a request",
        'mergeHeaders(usual, setup.headers, own,',
        'mergeHeaders(usual, own, setup.headers,',
      ],
      [
        'a request may take more memory than the operator allows',
        'Math.min(Math.ceil(maxBytes), limits.responseBytes)',
        'Math.ceil(maxBytes)',
      ],
      ['a request may wait longer than a timer can count', 'Math.min(timeoutMs, LONGEST_TIMER)', 'timeoutMs'],
      [
        'a time of nothing ends a request at once',
        "typeof value === 'number' && value > 0",
        "typeof value === 'number' && value >= 0",
      ],
      ['a request has a time for its headers only', '{ headersMs: ms, bodyMs: ms }', '{ headersMs: ms }'],
      ['a key of the query is taken elsewhere too', "const taken = target.zone === 'service' && keys", 'const taken = keys'],
      [
        'a plugin may have headers that no request may have',
        '    if (problem) throw hostError',
        '    if (false) throw hostError',
      ],
      [
        'a setting of the service is named for a request elsewhere',
        "hints: target.zone === 'service' ? hints : HINTS_ELSEWHERE",
        'hints',
      ],
    ],
  },
  {
    file: 'host/src/network/request/placed-credential.ts',
    noticedBy: [SENT],
    changes: [
      ['a credential stands beside another of its name', "pair !== '' && keyOf(pair) !== name", "pair !== ''"],
      ['another spelling of the name passes', 'keyOf(pair) !== name)', "pair.split('=', 1)[0] !== name)"],
      [
        'a plugin may set the usual header of a credential',
        '[...Object.values(USUAL), ...Object.values(placement)]',
        '[...Object.values(placement)]',
      ],
      [
        'a plugin may set its own header of a credential',
        '[...Object.values(USUAL), ...Object.values(placement)]',
        '[...Object.values(USUAL)]',
      ],
    ],
  },
  {
    file: 'host/src/network/request/access.ts',
    noticedBy: [SENT],
    changes: [
      ['a read tool may leave a change in doubt', "call?.access === 'write' && method", 'method'],
      ['HEAD leaves a change in doubt', "method !== 'GET' && method !== 'HEAD'", "method !== 'GET'"],
      ['a safe path is one of any host', "target.zone === 'service' && safePaths", 'safePaths'],
    ],
  },
])
