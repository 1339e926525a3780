import { mutantsOf } from './mutant.ts'

const table = ['tests/security/saml/saml-assertion-table.test.ts']
const login = ['tests/unit/decisions/saml-login-table.test.ts']

/** Whose word a log-in by SAML is, for whom, and when. */
export const saml = mutantsOf('saml', [
  {
    file: 'auth-saml/src/assertion.ts',
    noticedBy: table,
    changes: [
      ['an assertion of another issuer is taken', 'if (issuer !== expected.entityId) refuse', 'if (issuer === undefined) refuse'],
      ['an assertion need not be confirmed by its bearer', 'if (how !== BEARER) refuse', 'if (how === undefined) refuse'],
      ['an assertion for another recipient is taken', 'if (recipient !== acsUrl) refuse', 'if (recipient === undefined) refuse'],
      [
        'an assertion for no request is taken',
        "if (attribute(data, 'InResponseTo') !== requestId)",
        "if ((attribute(data, 'InResponseTo') ?? requestId) !== requestId)",
      ],
      ['a confirmation never ends', "refuse('the subject confirmation is expired')", 'undefined'],
      ['a confirmation may have a start', "if (attribute(data, 'NotBefore') !== undefined) refuse", 'if (false) refuse'],
      ['an assertion counts before its time', 'start - SKEW_MS > now', 'start - SKEW_MS > now + MAX_AGE_MS'],
      [
        'an assertion counts after its time',
        'end !== undefined && end + SKEW_MS <= now',
        'end !== undefined && end + MAX_AGE_MS <= now',
      ],
      [
        'one audience of several restrictions is enough',
        'for (const restriction of restrictions)',
        'for (const restriction of restrictions.slice(0, 1))',
      ],
      ['an assertion without an audience is for everybody', 'if (restrictions.length === 0) refuse', 'if (false) refuse'],
      ['an assertion is taken for fifty minutes', 'const MAX_AGE_MS = 300_000', 'const MAX_AGE_MS = 3_000_000'],
      ['of two names the first counts', 'if (!element || second || element', 'if (!element || element'],
    ],
  },
  {
    file: 'auth-saml/src/envelope.ts',
    noticedBy: table,
    changes: [
      [
        'a response of another issuer is taken',
        'issuer && textOf(issuer) !== entityId',
        'issuer && textOf(issuer) === undefined',
      ],
    ],
  },
  {
    file: 'auth-saml/src/signature.ts',
    noticedBy: table,
    changes: [['a third transform is overlooked', 'transforms.length !== 2 ||', 'transforms.length < 2 ||']],
  },
  {
    file: 'auth-saml/src/store.ts',
    noticedBy: table,
    changes: [
      [
        'two who ask at once both have what counts once',
        '(await store.delete(key)) ? value',
        '((await store.delete(key)) || true) ? value',
      ],
    ],
  },
  {
    file: 'auth-saml/src/redirect.ts',
    noticedBy: login,
    changes: [
      ['a code may be sent over http', "url.protocol === 'http:' ? isLoopback(url) :", "url.protocol === 'http:' ? true :"],
      ['a name that begins with 127 is this machine', '(?:\\.\\d{1,3}){3}$/', '(?:\\.\\d{1,3}){3}/'],
      ['a code may be sent to a script', "new Set(['javascript:', ", 'new Set(['],
      ['a code may be sent to a fragment', " || uri.includes('#')", ''],
    ],
  },
  {
    file: 'auth-saml/src/scopes.ts',
    noticedBy: login,
    changes: [
      ['all roles of a scope are needed', 'allowed.some((role)', 'allowed.every((role)'],
      ['a scope of everyone is of nobody', "allowed === 'everyone' || ", "allowed !== 'everyone' && "],
    ],
  },
  {
    file: 'auth-saml/src/page.ts',
    noticedBy: login,
    changes: [
      ['a quote ends an attribute', '/[&<>"\']/g', '/[&<>]/g'],
      ['any page may frame ours', '    "frame-ancestors \'none\'",\n', ''],
      ['a page may load anything', '    "default-src \'none\'",\n', ''],
      ['a page is kept in caches', "    'cache-control': 'no-store',\n", ''],
      ['a form may end up anywhere', "form-action ${[\"'self'\", ...formTargets].join(' ')}", "form-action 'self'"],
    ],
  },
  {
    file: 'auth-saml/src/form.ts',
    noticedBy: login,
    changes: [
      ['a form may be of any length', 'if (length > maxBytes) refuse', 'if (false) refuse'],
      ['a form may have any number of fields', '.length > MAX_FIELDS) refuse', '.length > MAX_FIELDS * 9) refuse'],
      [
        'a form may be of any type',
        "if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') refuse",
        'if (false) refuse',
      ],
    ],
  },
  {
    file: 'auth-saml/src/secrets.ts',
    noticedBy: login,
    changes: [
      ['a short cookie secret is taken', '< 32)', '< 31)'],
      ['a weak RSA key is taken', '< 2048 ?', '< 1024 ?'],
      ['a public key is taken', "if (typeof key['d'] !== 'string') return 'is no private key'", ''],
      [
        'two keys of one kid are taken',
        'findIndex(({ kid }) => kid === key.kid) < index',
        'findIndex(({ kid }) => kid === key.kid) < 0',
      ],
      ['a key of another curve is taken', "(type === 'ec' && details?.namedCurve === 'prime256v1')", "type === 'ec'"],
    ],
  },
  {
    file: 'auth-saml/src/xml-bounds.ts',
    noticedBy: login,
    changes: [
      ['a document type is taken', "else if (text.startsWith('<!', at)) throw new Error('it declares a document type')\n", ''],
      [
        'a processing instruction is taken',
        "else if (text.startsWith('<?', at)) throw new Error('it has a processing instruction')\n",
        '',
      ],
      ['one level more is taken', 'if (depth > XML_LIMITS.depth)', 'if (depth > XML_LIMITS.depth + 1)'],
      ['one element more is taken', 'elements > XML_LIMITS.elements)', 'elements > XML_LIMITS.elements + 1)'],
      ['one attribute more is taken', 'attributes > XML_LIMITS.attributes)', 'attributes > XML_LIMITS.attributes + 1)'],
      ['any number of names is taken', 'names.size > XML_LIMITS.names', 'names.size > XML_LIMITS.names * 10'],
      ['a > in quotes ends a tag', 'at = endOf(text, character, at + 1) - 1', ''],
    ],
  },
  {
    file: 'auth-saml/src/xml.ts',
    noticedBy: login,
    changes: [
      [
        'what stands between the parts of a name is overlooked',
        'if (node.nodeType !== TEXT && node.nodeType !== CDATA) return undefined',
        'if (node.nodeType !== TEXT && node.nodeType !== CDATA) continue',
      ],
      ['a comment ends a name', 'if (node.nodeType === COMMENT) continue', 'if (node.nodeType === COMMENT) break'],
      [
        'an empty attribute is none',
        'element.hasAttribute(name) ? element.getAttribute(name) : undefined',
        'element.getAttribute(name) || undefined',
      ],
      ['white space of other kinds is cut off', ".replace(/^[ \\t\\r\\n]+/, '')", ".replace(/^\\s+/, '')"],
    ],
  },
])
