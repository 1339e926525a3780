import { mutantsOf } from './mutant.ts'

const ASKS = 'tests/unit/plugin/what-a-process-asks.test.ts'
const REACH = 'tests/unit/plugin/what-plugins-may-reach.test.ts'
const CALLS = 'tests/unit/servers/calls-that-ask.test.ts'
const RELEASED = 'tests/unit/reload/what-is-released-and-watched.test.ts'

/** What a process may reach, what it asks of the host and is told, and what is left of a version. */
export const processesAsk = mutantsOf('processes-ask', [
  {
    file: 'host/src/plugin/isolate/broker.ts',
    noticedBy: [ASKS],
    changes: [
      [
        'a version finds what another kept',
        'pluginCache(cache, { instance, digest, principal })',
        "pluginCache(cache, { instance, digest: '', principal })",
      ],
      [
        'a request of background work has the rights of a call',
        'return scope ? inCall(scope, send) : outsideCalls(send)',
        'return scope ? inCall(scope, send) : send()',
      ],
      ['any word for true leaves out the credential', 'withoutCredential === true', 'withoutCredential'],
      ['a list of a query may hold anything', 'value.every(isPlain)', 'value.some(isPlain)'],
      ['a header may be anything', 'isPlain(text) ? [[key, String(text)]] : []', '[[key, String(text)]]'],
      ['a process calls any member of the metrics', "(kind !== 'count' && kind !== 'gauge' && kind !== 'observe') || ", ''],
      [
        'a process calls any member of the log',
        "if (!isLogLevel(level) || typeof event !== 'string') return",
        "if (typeof event !== 'string') return",
      ],
      ['what a process tells is not bounded', 'if (!notifications.take()) return', ''],
      ['what the channel dropped is not told', "notifications.drop(data['times'])", 'undefined'],
      ['a message of any length reaches the client', 'message.slice(0, 1_000)', 'message'],
      ['a level that clients do not know reaches them', " && level !== 'warn')", ')'],
      [
        'an older value stays when the new one is too large',
        "await own.delete(key as string)\n    else if (what === 'set')",
        "await Promise.resolve()\n    else if (what === 'set')",
      ],
    ],
  },
  {
    file: 'host/src/plugin/isolate/grants.ts',
    noticedBy: [REACH],
    changes: [
      [
        'a process has every variable that it asks for, empty',
        'return value === undefined ? [] : [[name, value]]',
        "return [[name, value ?? '']]",
      ],
      ['what may be read may be written', 'writes: absolute(capabilities.fs.write)', 'writes: absolute(capabilities.fs.read)'],
      ['what dependencies need is not there', 'if (real !== undefined && !queue.includes(real)) queue.push(real)', ''],
      ['compiled addons load unasked', 'native: capabilities.native', 'native: true'],
    ],
  },
  {
    file: 'host/src/plugin/trust/host-paths.ts',
    noticedBy: [REACH],
    changes: [
      ['a plugin may rewrite the cache of all', "kind === 'sqlite' ? ", "kind === 'file' ? "],
      ['a plugin may rewrite another', 'path === undefined || path === mine ? []', 'path === undefined || path !== mine ? []'],
      ['a plugin may rewrite what is installed', "{ path: at('node_modules'), what: 'the packages of the project' },", ''],
      ['a plugin may replace a certificate', '[http?.certFile, http?.keyFile]', '[http?.keyFile]'],
      ['a plugin may pin itself', "['mcp.lock.json', 'mcp.servers.lock.json']", "['mcp.servers.lock.json']"],
    ],
  },
  {
    file: 'host/src/plugin/trust/granted.ts',
    noticedBy: [REACH],
    changes: [
      ['a plugin that asks for less is refused', "change === 'broadened'", 'change'],
      [
        'the line to copy takes away what was granted',
        'literal(joinCapabilities(granted, wanted))',
        'literal(wanted)',
        { equivalent: '`wanted` is joined with what was granted already' },
      ],
      ['the line to copy leaves out the credentials', "credentials === 'raw' ? [\"credentials: 'raw'\"] : []", '[]'],
    ],
  },
  {
    file: 'host/src/plugin/trust/observe-document.ts',
    noticedBy: [REACH],
    changes: [
      [
        'a description that is not there has a digest',
        "...(digest !== '' && { digest: `sha256-${digest}` })",
        'digest: `sha256-${digest}`',
      ],
      ['a lock names a path of one machine', 'relative(configDir, description.file)', 'description.file'],
    ],
  },
  {
    file: 'host/src/plugin/trust/installation.ts',
    noticedBy: [REACH],
    changes: [
      ['what is installed above the project is not looked at', 'if (dirname(at) === at) return', 'if (at) return'],
      ['what pnpm installed is not looked at', "  'node_modules/.modules.yaml',\n", ''],
    ],
  },
  {
    file: 'host/src/plugin/mcp-server/relay/server-call.ts',
    noticedBy: [CALLS],
    changes: [
      ['the first request ends a call that another waits for', "request.signal.removeEventListener('abort', cancel)", ''],
      ['a call is answered twice', 'if (answered) return convert(answered.result)', ''],
      ['an answer is refused and none is taken', 'if (answer) question?.resolve(answer)', 'if (!answer) question?.resolve({})'],
      ['a question of the server for a text is one for folders', "method === 'elicitation/create' || method", 'method'],
      ['a question stays when the server withdraws it', 'questions.delete(key)\n        reject', 'reject'],
      ['a question that was not asked is answered', 'sent = [...questions.keys()]', "sent = ['question1', 'question2']"],
      ['lines go to a request that is over', 'current = request\n', ''],
      ['a call that was cancelled goes on at the server', 'life.abort(reason)', ''],
      ['a connection stays taken after its call', 'lease.release()\n', ''],
      [
        'the questions of a call that is gone wait',
        "for (const { reject } of questions.values()) reject(hostError('CALL_CANCELLED', { tool: instance }))",
        '',
      ],
    ],
  },
  {
    file: 'host/src/plugin/reload/drain.ts',
    noticedBy: [RELEASED],
    changes: [
      ['what a handle holds is told as a leak', 'if (live && live.running.isHeld !== true)', 'if (live)'],
      [
        'a version whose disposing failed is not told',
        "if (report.error !== undefined) log.warn('plugin_dispose_failed'",
        "if (report.error === null) log.warn('plugin_dispose_failed'",
      ],
      ['the host ends before its plugins', 'await Promise.all(running)', ''],
      ['the modules of a version stay', 'activation.release()', ''],
    ],
  },
  {
    file: 'host/src/plugin/reload/surface-changes.ts',
    noticedBy: [RELEASED],
    changes: [
      [
        'a tool that becomes a write is no change',
        'JSON.stringify([tool.access, tool.wire])',
        'JSON.stringify([tool.wire.name])',
      ],
      ['what does not serve is shown', '!record?.surface || !record.live', '!record?.surface'],
    ],
  },
  {
    file: 'host/src/plugin/reload/watch-targets.ts',
    noticedBy: [RELEASED],
    changes: [
      [
        'what Git writes in a plugin is a change',
        'return root === undefined || !isInPackages(root) ||',
        'return root === undefined ||',
      ],
      ['what Git writes is a change', 'node_modules|\\.git|coverage', 'node_modules|coverage'],
      ['a plugin that goes as a whole is not noticed', "(real === owner && event !== 'change')", 'false'],
      [
        'a link into a folder of plugins is not noticed',
        '!holderOf(path, pluginDirs) && !holderOf(real, pluginDirs)',
        '!holderOf(real, pluginDirs)',
      ],
      ['a sibling with a longer name counts as below', 'path.startsWith(`${folder}${sep}`)', 'path.startsWith(folder)'],
      ['a loaded file of a package is not watched', 'holderOf(file, folders) || isInPackages(file)', 'holderOf(file, folders)'],
    ],
  },
  {
    file: 'host/src/plugin/reload/pace.ts',
    noticedBy: [RELEASED],
    changes: [
      ['a storm of saves is taken one by one', 'if (excess >= 0) return', 'if (excess >= Infinity) return'],
      ['the first save decides what a run is', 'recent.at(-1)', 'recent.at(0)'],
    ],
  },
])
