import { Command, InvalidArgumentError, Option } from 'commander'
import { ownStdout } from '../../bin/own-stdout.mjs'
import { withDefaults } from '../config/schema/defaults.ts'
import { httpSchema } from '../config/schema/listen-schema.ts'
import type { ResolvedConfig } from '../config/schema/schema.ts'
import { serveFile, type ServedHost } from '../serve.ts'
import { createAdminProject } from './admin/admin-project.ts'
import type { CommonOptions, Run } from './terminal/exit.ts'
import { watchEnding, type ServingHost } from './terminal/signals.ts'
import { strayStdin } from './terminal/stray-stdin.ts'
import type { Listening } from '../transport/listen.ts'
import type { Logger } from '@mcp-patchbay/plugin-api'

export interface StartOptions extends CommonOptions {
  readonly transport?: 'stdio' | 'http' | 'streamable-http' | 'sse'
  readonly stdio?: boolean
  readonly host?: string
  readonly port?: number
  readonly managementPort?: number
  readonly watch?: boolean
  readonly frozen?: true | 'strict'
  readonly readOnly?: boolean
  readonly tools?: readonly string[]
  readonly dangerouslyAllowUnauthenticated?: boolean
}

/** `patchbay start`: serves until it is told to stop. */
export function startCommand(run: Run): Command {
  return serveOptions('start')
    .description('serves the tools of all plugins')
    .option('--watch', 'take over edits of plugins, config and .env at once')
    .action((options: StartOptions) =>
      run(async () => {
        using ending = watchEnding()
        await using served = await serveFile({
          ...options,
          watch: options.watch ?? false,
          adjust: (config) => adjusted(config, options),
          onStart,
        })
        const { host, log, settings } = served
        const { config } = settings
        const isWatching = options.watch === true && !config.frozen
        const project = createAdminProject(served, { ...options, isWatching, signal: ending.signal })
        const listening = host.listen(config.listen, { admin: { project } })
        // Before it listens: a program that reads the address may stop the host at once.
        ending.serving({ log, ...servingHost(served), over: listening.then((open) => inputOver(open, log)) })
        await Promise.race([ending.told, listening.then(() => ending.told)])
        await host.close()
        return ending.code
      }),
    )
}

/** Before the first plugin is imported: where stdio is served, what a plugin's children print must not reach the client. */
export function onStart({ listen }: ResolvedConfig): void {
  if (listen.stdio) ownStdout()
}

/** What signals are about. */
export function servingHost(served: ServedHost): Pick<ServingHost, 'reread' | 'owners'> {
  return { reread: () => served.reread(), owners: () => served.host.watched().owners }
}

/** Resolves when the client is gone that had the host started, where there is one. */
export async function inputOver({ url, stdioClosed, hasStdio }: Listening, log: Logger): Promise<void> {
  await (hasStdio || url === undefined ? stdioClosed : strayStdin({ log, url }))
}

/** A command that serves, with the options that all of those take. */
export function serveOptions(name: string): Command {
  return new Command(name)
    .addOption(
      new Option('--transport <kind>', 'instead of what listen says').choices(['stdio', 'http', 'streamable-http', 'sse']),
    )
    .addOption(
      new Option('--stdio', 'the same as --transport stdio, for clients whose own option that is').conflicts('transport'),
    )
    .option('--host <address>', 'address of the HTTP listener')
    .option('--port <number>', 'port of the HTTP listener; 0 picks a free one', port)
    .option('--management-port <number>', 'port of /livez, /readyz and /metrics; 0 picks a free one', port)
    .addOption(
      new Option('--frozen [strict]', 'run only what mcp.lock.json pins; strict: do not start unless everything is').choices([
        'strict',
      ]),
    )
    .option('--read-only', 'hide and refuse every tool that writes')
    .option('--dangerously-allow-unauthenticated', 'listen beyond loopback although callers are not authenticated')
    .option('--tools <globs>', 'serve only tools whose full name matches one of these, separated by commas', (text) =>
      text.split(','),
    )
}

/** The config with the command line over it. */
export function adjusted(config: ResolvedConfig, options: StartOptions): ResolvedConfig {
  return {
    ...config,
    readOnly: options.readOnly ?? config.readOnly,
    frozen: options.frozen !== undefined || config.frozen,
    strict: options.frozen === 'strict' || config.strict,
    tools: options.tools ? { ...config.tools, allow: options.tools } : config.tools,
    listen: listenOf(config.listen, options),
    auth: options.dangerouslyAllowUnauthenticated
      ? { ...config.auth, inbound: { ...config.auth.inbound, dangerouslyAllowUnauthenticated: true } }
      : config.auth,
  }
}

function listenOf(
  listen: ResolvedConfig['listen'],
  { transport: named, stdio: isStdio, host, port: httpPort, managementPort }: StartOptions,
): ResolvedConfig['listen'] {
  const transport = isStdio ? 'stdio' : named
  const stdio = transport === undefined ? listen.stdio : transport === 'stdio'
  const http = transport === undefined ? listen.http : httpFor(transport, listen.http)
  const management = transport === 'stdio' && managementPort === undefined ? undefined : listen.management
  return {
    stdio,
    http: http && { ...http, host: host ?? http.host, port: httpPort ?? http.port },
    management: management && { ...management, port: managementPort ?? management.port },
  }
}

/** `http` and `streamable-http` are one; `sse` is the same listener, which then serves the older transport whatever the config says. */
function httpFor(
  transport: NonNullable<StartOptions['transport']>,
  configured: ResolvedConfig['listen']['http'],
): ResolvedConfig['listen']['http'] {
  if (transport === 'stdio') return undefined
  const http = configured ?? withDefaults(httpSchema, {})
  return transport === 'sse' ? { ...http, sse: true } : http
}

function port(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.')
  return number
}
