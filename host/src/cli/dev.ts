import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import type { ResolvedConfig } from '../config/schema/schema.ts'
import { isLoopbackHost } from '../config/schema/secure-url.ts'
import { serveFile } from '../serve.ts'
import { createAdminProject } from './admin/admin-project.ts'
import { createDevConsole } from './console/console.ts'
import type { Run } from './terminal/exit.ts'
import { watchEnding } from './terminal/signals.ts'
import { adjusted, inputOver, onStart, serveOptions, servingHost, type StartOptions } from './start.ts'

/** A token for this run, where the config names none of its own. Beyond loopback there is no page. */
function ownToken(management: ResolvedConfig['listen']['management']): string | undefined {
  return management && !management.admin && isLoopbackHost(management.host) ? randomBytes(24).toString('base64url') : undefined
}

/** `patchbay dev`: `start --watch` with a console for people on stderr. */
export function devCommand(run: Run): Command {
  return serveOptions('dev')
    .description('serves and watches, and shows what happens: for people who write plugins')
    .action((options: StartOptions) =>
      run(async () => {
        using ending = watchEnding()
        const console = createDevConsole(process.stderr)
        await using served = await serveFile({
          ...options,
          watch: true,
          adjust: (config) => adjusted(config, options),
          onStart,
          lines: console.lines,
          onConfig: (taken) => console.configTaken(taken),
          onConfigError: (error) => console.configRefused(error),
        })
        const { host, log, settings } = served
        const { frozen, listen } = settings.config
        const project = createAdminProject(served, { ...options, isWatching: !frozen, signal: ending.signal })
        const token = ownToken(listen.management)
        const listening = await host.listen(listen, { admin: { project, ...(token !== undefined && { token }) } })
        console.open(served, listening, token)
        ending.serving({ log, ...servingHost(served), over: inputOver(listening, log) })
        await ending.told
        await host.close()
        return ending.code
      }),
    )
}
