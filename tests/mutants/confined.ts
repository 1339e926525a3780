import { mutantsOf } from './mutant.ts'

const WHOSE = 'tests/unit/servers/whose-server-is-called.test.ts'
const LOCKED = 'tests/unit/servers/servers-as-locked.test.ts'
const RIGHTS = 'tests/unit/plugin/rights-of-servers.test.ts'
const CAPABILITIES = 'tests/unit/pin/pin-capabilities.test.ts'

/** What MCP servers, descriptions and imported entries may do on this machine, and whose calls go where. */
export const confined = mutantsOf('confined', [
  {
    file: 'host/src/plugin/isolate/denials.ts',
    noticedBy: ['tests/unit/isolate-parts.test.ts'],
    changes: [
      ['what was refused once is never said again', '      logged.clear()\n', ''],
      ['the same is said again and again', 'if (logged.has(key)) return lines.drop()', ''],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/server-plugin.ts',
    noticedBy: [WHOSE],
    changes: [
      ["a tenant's calls go to the server with the common secrets", "(ofTenants.get(tenant ?? '') ?? base).pool", 'base.pool'],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/servers.ts',
    noticedBy: [WHOSE],
    changes: [
      ['a server runs on with the secrets of before', '            version,\n            place,\n', '            version,\n'],
      [
        'a server elsewhere is called on with the secret of before',
        'value instanceof SecretValue ? value.reveal() : value',
        "''",
      ],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/locate-server.ts',
    noticedBy: [LOCKED],
    changes: [
      ['a server that changed since it was listed is started all the same', 'if (pin.held) throw pin.held', ''],
      [
        'a variable that a server is given later is no change of its pin',
        '...(env && { env: Object.keys(env).toSorted() }),',
        '',
      ],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/process/server-command.ts',
    noticedBy: [RIGHTS],
    changes: [
      ['a confined server opens any file by SQLite', "'--no-experimental-sqlite',", ''],
      ['a confined server has the network without a grant', 'hosts.length > 0 && LIMITS_NETWORK', 'LIMITS_NETWORK'],
      ['a confined server loads compiled code', "native ? '--allow-addons' : '--no-addons'", "'--allow-addons'"],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/install/server-entry-file.ts',
    noticedBy: ['tests/integration/servers/servers-are-installed.test.ts'],
    changes: [
      ['a command leads out of its package', 'if (!file.startsWith((await realpath(folder)) + sep))', 'if (file === folder)'],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/surface/describe-server.ts',
    noticedBy: [RIGHTS],
    changes: [
      [
        'a tool that says nothing of itself counts as reading',
        "annotations['readOnlyHint'] === true ?",
        "annotations['readOnlyHint'] !== false ?",
      ],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/relay/relay.ts',
    noticedBy: [WHOSE, 'tests/integration/mcp-servers/asked-callers.test.ts'],
    changes: [
      [
        'a tool that is another one by now is called',
        'if (of.isSame && !of.isSame(lease.offer)) {',
        'if (of.isSame && lease.offer === null) {',
      ],
      [
        'a call goes on though its caller said no to the address',
        "({ action }) => action !== 'accept'",
        "({ action }) => action === 'never'",
      ],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/share/server-messages.ts',
    noticedBy: [WHOSE],
    changes: [
      [
        'what a shared server says goes to a caller that it may not be about',
        '(calls.size === 1 || (!isShared && calls.size > 0))',
        '(calls.size > 0)',
      ],
      ['a shared server asks whoever calls it', 'isShared ? undefined : (', 'false ? undefined : ('],
    ],
  },
  {
    file: 'plugins/openapi/operations/security.ts',
    noticedBy: ['plugins/openapi/tests/small-rules.test.ts', 'plugins/openapi/tests/places-of-credentials.test.ts'],
    changes: [
      ['a token goes where the API key does though the API takes tokens', 'apiKey && !hasToken &&', 'apiKey &&'],
      ['a caller fills in the header of the credential', 'header?.toLowerCase() === name.toLowerCase()', 'header === name'],
      [
        'an operation that says nothing of credentials goes without one',
        'if (ways === undefined) return false',
        'if (ways === undefined) return true',
      ],
    ],
  },
  {
    file: 'host/src/pin/check-capabilities.ts',
    noticedBy: [CAPABILITIES],
    changes: [
      [
        'the folder above a file of the host can be written',
        '(contains(full, held) || contains(held, full))',
        'contains(held, full)',
      ],
      ['a folder that holds hooks of a developer can be written', ' ?? (await runningEntry(full))', ''],
    ],
  },
  {
    file: 'host/src/pin/running-paths.ts',
    noticedBy: [CAPABILITIES],
    changes: [['a name of a tool with a dot behind it can be written', "    .replace(/[. ]+$/, '')\n", '']],
  },
  {
    file: 'host/src/project/import/derive-rights.ts',
    noticedBy: ['tests/unit/project/rights-of-imports.test.ts'],
    changes: [['an imported server has the network whatever it needs', "hasSecret ? ['public'] : []", "['public']"]],
  },
  {
    file: 'host/src/project/import/env-file.ts',
    noticedBy: ['tests/unit/project/importing-servers.test.ts'],
    changes: [['everybody on the machine reads imported secrets', "{ what: 'env', mode: 0o600 }", "{ what: 'env' }"]],
  },
  {
    file: 'host/src/observability/tracing/request-span.ts',
    noticedBy: ['tests/unit/observability/spans-of-requests.test.ts'],
    changes: [['what a client did wrong is an error of the host', 'statusCode >= 500', 'statusCode >= 400']],
  },
])
