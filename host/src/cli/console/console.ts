import { basename, dirname } from 'node:path'
import { describeError } from '../../errors.ts'
import type { Host } from '../../types.ts'
import type { LogLines } from '../../observability/log/log-lines.ts'
import { prettyLines } from '../../observability/pretty.ts'
import type { ConfigTaken, ServedHost } from '../../serve.ts'
import type { ReloadReport } from '../../plugin/reload/reload-report.ts'
import type { Listening } from '../../transport/listen.ts'
import { box } from './box.ts'
import { LOCAL_PRINCIPAL } from '../../auth/principal.ts'
import { createCaller } from '../../server/catalog/caller.ts'
import { viewChanges } from '../../server/catalog/operator/view-changes.ts'
import type { TypeReport } from '../types/type-checker.ts'
import { cacheLines } from './cache-lines.ts'
import { createCallLines } from './call-lines.ts'
import { keysLine, type Keys } from './key-presses.ts'
import { count, paintFor, plain } from './paint.ts'
import { ignoredLines, pluginLines } from './plugin-lines.ts'
import { drainedLine, reloadLines } from './reload-lines.ts'
import { typeLines } from './type-lines.ts'
import { viewLines } from './view-lines.ts'

/** What a person sees of a host they are working on: how it stands, then a line for each change, and what the plugins log. */
export interface DevConsole {
  /** Where the host's log goes. */
  readonly lines: LogLines
  /** Shows how everything stands, and from then on what happens. */
  open(served: ServedHost, listening: Listening, shown: { readonly token: string | undefined; readonly keys: Keys }): void
  /** A line for the person who pressed a key. */
  say(line: string): void
  typesChecked(report: TypeReport): void
  configTaken(taken: ConfigTaken): void
  configRefused(error: unknown): void
}

/** A console on `stream`, in colour where that is a terminal. */
export function createDevConsole(stream: NodeJS.WritableStream): DevConsole {
  const paint = paintFor(stream)
  const print = (...lines: readonly string[]) => void stream.write(`${lines.join('\n')}\n`)
  const log = prettyLines({ write: (text) => void stream.write(text) })
  let host: Host | undefined
  let listening: Listening | undefined
  const calls = createCallLines((line) => print(line), paint)

  /** Reloads of which the old version has calls in it, by plugin and generation. */
  const draining = new Map<string, ReloadReport>()
  const keyOf = (instance: string, generation: number) => `${instance} ${generation}`

  function onReload(report: ReloadReport): void {
    print(...reloadLines(report, paint), ...(host ? cacheLines(host.cacheStats, paint) : []))
    if (report.before?.live?.inFlight && report.outcome !== 'kept') draining.set(keyOf(report.instance, report.previous), report)
  }

  return {
    lines: {
      write(line) {
        const { event, ...fields } = JSON.parse(line) as { event: string; reason?: string; fix?: readonly string[] }
        if (event === 'plugin_ignored' && host)
          print(...ignoredLines({ message: fields.reason ?? '', fix: fields.fix ?? [] }, paint))
        if (!TOLD_HERE.has(event)) log.write(line)
      },
    },
    open(served, opened, { token, keys }) {
      ;({ host } = served)
      listening = opened
      const operator = createCaller(LOCAL_PRINCIPAL)
      host.on('reload', onReload)
      host.on('call', (call) => calls.add(call))
      setInterval(() => calls.tick(), 1_000).unref()
      host.on('generation', ({ previous, current }) => {
        const lines = viewLines(viewChanges(previous, current, operator), paint)
        // The reload that caused it is told after it, in the same turn.
        if (lines.length > 0) setImmediate(() => print(...lines))
      })
      host.on('drained', (drained) => {
        const key = keyOf(drained.instance, drained.generation)
        const report = draining.get(key)
        if (report) print(drainedLine(report, drained, paint))
        draining.delete(key)
      })
      const { file, config } = served.settings
      print(
        ...box([
          'Patchbay dev',
          `MCP         ${opened.url ?? 'on stdio'}`,
          ...(opened.managementUrl ? [`management  ${opened.managementUrl}`] : []),
          ...(opened.admin?.pageUrl
            ? [`page        ${opened.admin.pageUrl}${token === undefined ? '' : `#token=${token}`}`]
            : []),
          `config      ${plain(file)}${config.deployment === 'default' ? '' : `, deployment ${plain(config.deployment)}`}`,
        ]),
        '',
        ...pluginLines(host.list(), paint),
        ...(opened.url
          ? ['', 'Connect Claude Code:', `  claude mcp add --transport http ${clientName(file)} ${opened.url}`]
          : []),
        '',
        paint('gray', config.frozen ? 'The deployment is frozen: nothing is watched.' : 'Watching plugins, config and .env.'),
        ...(process.stdin.isTTY && !opened.hasStdio ? [paint('gray', keysLine(keys))] : []),
      )
    },
    say: (line) => print(line),
    typesChecked(report) {
      print(...typeLines(report, paint))
      listening?.admin?.tell('types', report)
    },
    configTaken({ settings, restartNeeded }) {
      listening?.admin?.tell('config', { taken: true, message: '', restartNeeded })
      const tools = host?.list().plugins.flatMap((plugin) => plugin.tools.filter(({ visible }) => visible)).length ?? 0
      print(
        `generation ${host?.snapshot.generation ?? 0} · ${plain(basename(settings.file))} taken over · ${count(tools, 'tool')} shown`,
        ...restartNeeded.map((setting) =>
          paint('yellow', `  ${setting} differs from what the host was started with: restart to use it`),
        ),
      )
    },
    configRefused(error) {
      listening?.admin?.tell('config', { taken: false, message: describeError(error), restartNeeded: [] })
      print(
        paint('red', '✖ the config was not taken over, the one before goes on'),
        ...plain(describeError(error))
          .split('\n')
          .map((line) => `  ${line}`),
      )
    },
  }
}

/** Log events of the host that the console shows in its own way. */
const TOLD_HERE = new Set([
  'listening',
  'plugin_added',
  'plugin_reloaded',
  'plugin_removed',
  'plugin_kept',
  'plugin_ignored',
  'plugin_failed',
  'plugin_unconfigured',
  'config_loaded',
  'config_refused',
  'restart_required',
  'watch_off',
])

/** The folder of the config as a name that MCP clients take. */
function clientName(file: string): string {
  return (
    basename(dirname(file))
      .replace(/[^A-Za-z0-9_-]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'patchbay'
  )
}
