import { mutantsOf } from './mutant.ts'

const DIRECT = 'tests/unit/servers/direct-calls.test.ts'
const CALLED = 'tests/unit/servers/whose-server-is-called.test.ts'
const UNIT = 'tests/unit/servers/server-parts.test.ts'
const ENTRIES = 'tests/unit/config/server-entries.test.ts'
const CONFINED = 'tests/integration/mcp-servers/confined-servers.test.ts'
const NAMES = 'tests/integration/mcp-servers/names-of-servers.test.ts'
const ASKED = 'tests/integration/mcp-servers/asked-callers.test.ts'

/** MCP servers that are run as plugins. */
export const servers = mutantsOf('servers', [
  {
    file: 'host/src/plugin/mcp-server/share/who-shares.ts',
    noticedBy: ['tests/unit/servers/whose-server-is-called.test.ts'],
    changes: [
      [
        'tenants with one credential share a connection elsewhere',
        '[asking.key, tenant, credential]',
        '[asking.key, credential]',
      ],
      ['credentials of one tenant share a connection elsewhere', '[asking.key, tenant, credential]', '[asking.key, tenant]'],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/share/who-shares.ts',
    noticedBy: [UNIT],
    changes: [
      ['tenants share a process', 'JSON.stringify(share ===', "JSON.stringify(share !== 'all' ? [id] : share ==="],
      [
        'sessions of one caller share a process',
        "share === 'session' && session !== undefined ? [tenant, id, session]",
        'false ? [tenant, id, session]',
      ],
      [
        'a server that all share may ask',
        "if (share === 'all') return FOR_ALL",
        "if (share === 'all') return { ...FOR_ALL, capabilities: { elicitation: {} } }",
      ],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/relay/waiting-calls.ts',
    noticedBy: [UNIT],
    changes: [
      ['a waiting call is given to any caller', 'if (!found || found.owner !== owner)', 'if (!found)'],
      [
        'a waiting call is answered twice',
        'clearTimeout(found.timer)\n      waiting.delete(handle)',
        'clearTimeout(found.timer)',
      ],
      ['any number of calls waits', 'if (waiting.size >= most)', 'if (false)'],
    ],
  },
  {
    file: 'host/src/pin/verdict/verdict.ts',
    noticedBy: [NAMES],
    changes: [
      [
        'another server at the address of one that was approved is served',
        "difference.kind === 'server' && difference.key === 'name'",
        'difference.kind === "server" && difference.key !== "name" && false',
      ],
    ],
  },
  {
    file: 'host/src/plugin/trust/pin-policy.ts',
    noticedBy: [NAMES],
    changes: [['what a server calls itself is not compared', '...withServerName(install, serverName),', '...install,']],
  },
  {
    file: 'host/src/data/uri/uri-expressions.ts',
    noticedBy: ['tests/unit/data/uri-templates.test.ts'],
    changes: [
      ['a query may hold names that its template does not have', 'if (names && [...pairs', 'if (false && [...pairs'],
      [
        'a value of one segment goes over several',
        "stops: '/?#', read: (text) => valuesOf(names",
        "stops: '?#', read: (text) => valuesOf(names",
      ],
      ['a URI of any length is matched', 'uri.length > LONGEST ||', ''],
      ['more segments are taken than there are variables', 'if (texts.length > variables.length && !isWhole)', 'if (false)'],
    ],
  },
  {
    file: 'host/src/plugin/isolate/output.ts',
    noticedBy: [UNIT],
    changes: [
      ['the end of a process is told before its last words are read', "    child.once('close', done)", '    done()'],
      ['a process whose pipes are held never ends', 'setTimeout(done, LEFT_OPEN_MS)', 'setTimeout(() => {}, LEFT_OPEN_MS)'],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/connect/server-offer.ts',
    noticedBy: ['tests/unit/plugin/server-offer.test.ts'],
    changes: [['an endless list is held', 'if (items.length > MOST_ITEMS)', 'if (false)']],
  },
  {
    file: 'host/src/plugin/mcp-server/process/server-command.ts',
    noticedBy: [CONFINED],
    changes: [
      ['a server from npm has the network', '...(hosts.length > 0 && LIMITS_NETWORK ?', '...(LIMITS_NETWORK ?'],
      ['a server from npm is not confined', "'--permission',\n    ...[folder", "'--no-warnings',\n    ...[folder"],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/share/server-pool.ts',
    noticedBy: [CONFINED],
    changes: [['files are not compared before a start', 'await verify()\n    life', 'life']],
  },
  {
    file: 'host/src/plugin/mcp-server/relay/server-call.ts',
    noticedBy: [ASKED],
    changes: [
      [
        'a question without an answer is answered with nothing',
        'if (answer) question?.resolve(answer)',
        'if (key) question?.resolve(answer ?? {})',
      ],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/relay/relay.ts',
    noticedBy: [CALLED],
    changes: [
      [
        'another server at the same address is called',
        'return !options.elsewhere || now.name === offer.name',
        'return !options.elsewhere || true',
      ],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/connect/direct-calls.ts',
    noticedBy: [DIRECT],
    changes: [
      ['a question with the number of a call is its answer', "&& !('method' in message) ?", '?'],
      ['the answer to a call that was cancelled is taken', '    close(id, call)\n    const params', '    const params'],
      [
        'a server is not told that a call was cancelled',
        "write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }), false)",
        'void params',
      ],
      [
        'a result of any kind is a finished one',
        "if (resultType !== 'input_required') return",
        "if (resultType !== 'input_required') return undefined //",
      ],
      [
        'calls outlive their connection',
        'for (const call of open.values()) {',
        'for (const call of [...open.values()].slice(0, 0)) {',
      ],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/process/pipe-transport.ts',
    noticedBy: [DIRECT],
    changes: [
      [
        'a server may flood its host with answers that are not due',
        "if ('method' in message || this.#unanswered === 0) return false",
        "if ('method' in message) return false",
      ],
    ],
  },
  {
    file: 'host/src/config/schema/server/server-specifier.ts',
    noticedBy: [ENTRIES],
    changes: [
      [
        'a server anywhere is reached without TLS',
        "if (url.protocol === 'http:' && !isLoopbackHost(url.hostname))",
        'if (false)',
      ],
      ['a credential stands in the config', "if (url.username !== '' || url.password !== '')", 'if (false)'],
    ],
  },
  {
    file: 'host/src/config/schema/server/server-rules.ts',
    noticedBy: [ENTRIES],
    changes: [
      [
        'NODE_OPTIONS widens what a server may',
        "if (server.kind === 'npm' && env?.['NODE_OPTIONS'] !== undefined)",
        'if (false)',
      ],
    ],
  },
])
