import { mutantsOf } from './mutant.ts'

export const admin = mutantsOf('admin', [
  {
    file: 'host/src/transport/admin/admin-token.ts',
    noticedBy: ['tests/integration/http-edge/admin-api.test.ts'],
    changes: [
      [
        'any token is taken',
        'presented !== undefined && timingSafeEqual(digest(presented), expected)',
        'presented !== undefined',
      ],
      ['a ticket works twice', 'tickets.delete(ticket as string)', ''],
      ['pages of every port of this machine may ask', 'origin.toLowerCase() === `http://${host.toLowerCase()}`', 'true'],
      ['a browser that says cross-site is not heard', "site === undefined || site === 'same-origin' || site === 'none'", 'true'],
    ],
  },
  {
    file: 'host/src/transport/admin/open-admin.ts',
    noticedBy: ['tests/integration/http-edge/admin-api.test.ts'],
    changes: [
      ['nothing is asked of who calls', 'if (refused) return sendRefusal(res, refused)', ''],
      ['other origins are let in', 'if (foreign) return sendRefusal(res, foreign)', ''],
      ['every caller is the operator', "readCaller(as, 'as')", 'host.operator'],
    ],
  },
  {
    file: 'host/src/transport/listen.ts',
    noticedBy: ['tests/integration/http-edge/admin-api.test.ts'],
    changes: [
      [
        'the admin API is served to every machine',
        "if (!isLoopback(address)) throw hostError('LISTEN_ADMIN', { host: address })",
        '',
      ],
      ['the token of the admin API is shown in answers', 'deps.redactor.add(secret)', ''],
    ],
  },
  {
    file: 'host/src/transport/admin/admin-calls.ts',
    noticedBy: ['tests/integration/http-edge/admin-api.test.ts'],
    changes: [
      ['a question is answered twice', '      asked.delete(id)\n', ''],
      ['a call goes on without its client', 'listener.onGone(() => cancellation.cancel(undefined))', ''],
      ['a tool changes what its next round is given', 'structuredClone(target.args)', 'target.args'],
    ],
  },
  {
    file: 'host/src/server/catalog/operator/named-caller.ts',
    noticedBy: ['tests/unit/calls/named-callers.test.ts'],
    changes: [["a caller in the operator's words has the operator's credentials", ', NO_CREDENTIALS)', ')']],
  },
  {
    file: 'host/src/project/project-pins.ts',
    noticedBy: ['tests/integration/command-line/pin-commands.test.ts'],
    changes: [
      [
        'what changed after it was read is approved',
        'if (seen !== undefined && seen !== now)',
        'if (seen !== undefined && seen === "")',
      ],
    ],
  },
])
