import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import type { ResolvedConfig } from '../config/schema/schema.ts'
import { isLoopbackHost } from '../config/schema/secure-url.ts'
import { serveFile, type ServedHost } from '../serve.ts'
import type { Listening } from '../transport/listen.ts'
import { createAdminProject } from './admin/admin-project.ts'
import { createDevConsole } from './console/console.ts'
import { readKeys, type Keys } from './console/key-presses.ts'
import type { Run } from './terminal/exit.ts'
import { openBrowser } from './terminal/open-browser.ts'
import { watchEnding } from './terminal/signals.ts'
import { createTypeChecker, type TypeChecker } from './types/type-checker.ts'
import { adjusted, inputOver, onStart, serveOptions, servingHost, type StartOptions } from './start.ts'

/** A token for this run, where the config names none of its own. Beyond loopback there is no page. */
function ownToken(management: ResolvedConfig['listen']['management']): string | undefined {
  return management && !management.admin && isLoopbackHost(management.host) ? randomBytes(24).toString('base64url') : undefined
}

/** What a person may ask for while it serves. */
function devKeys({ listening, served, print }: DevKeysParts): Keys {
  const open = async (url: string) => {
    if (!(await openBrowser(url))) print('No browser could be opened: use the address above.')
  }
  const { admin } = listening
  return {
    ...(admin?.pageUrl !== undefined && { o: { says: 'opens the page', does: () => void open(admin.ticketUrl() ?? '') } }),
    r: { says: 'reads the config again', does: () => void served.reread() },
    q: { says: 'stops', does: () => void process.kill(process.pid, 'SIGTERM') },
  }
}

interface DevKeysParts {
  readonly listening: Listening
  readonly served: ServedHost
  readonly print: (line: string) => void
}

/** `patchbay dev`: `start --watch` with a console for people on stderr. */
export function devCommand(run: Run): Command {
  return serveOptions('dev')
    .description('serves and watches, and shows what happens: for people who write plugins')
    .action((options: StartOptions) =>
      run(async () => {
        using ending = watchEnding()
        const console = createDevConsole(process.stderr)
        let checker: TypeChecker | undefined
        await using served = await serveFile({
          ...options,
          watch: true,
          adjust: (config) => adjusted(config, options),
          onStart,
          lines: console.lines,
          onSaved: (files) => checker?.saved(files),
          onConfig: (taken) => console.configTaken(taken),
          onConfigError: (error) => console.configRefused(error),
        })
        const { host, log, settings } = served
        const { frozen, listen } = settings.config
        const project = createAdminProject(served, { ...options, isWatching: !frozen, signal: ending.signal })
        const token = ownToken(listen.management)
        const listening = await host.listen(listen, { admin: { project, ...(token !== undefined && { token }) } })
        const keys = devKeys({ listening, served, print: (line) => console.say(line) })
        console.open(served, listening, { token, keys })
        using _typing = listening.hasStdio ? undefined : readKeys(keys)
        using checking = frozen
          ? undefined
          : createTypeChecker({
              configDir: dirname(settings.file),
              onReport: (report) => console.typesChecked(report),
              now: () => performance.now(),
            })
        checker = checking
        ending.serving({ log, ...servingHost(served), over: inputOver(listening, log) })
        await ending.told
        await host.close()
        return ending.code
      }),
    )
}
