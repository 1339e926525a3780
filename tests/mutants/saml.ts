import { mutantsOf } from './mutant.ts'

const table = ['tests/security/saml/saml-assertion-table.test.ts']

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
])
