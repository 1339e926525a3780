import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import type { Logger } from '@mcp-patchbay/plugin-api'
import { onlyThese } from './inherited.ts'

/**
 * Ends the processes of plugins when the host is gone, however it went. A plugin's process ends by itself when its channel closes, but
 * not while it runs an endless loop: nothing of JavaScript runs then. A thread in each process would do, at 10 MB each; this is one
 * shell of 1 MB that waits for its input to end.
 */
export interface Reaper extends Disposable {
  /** Watches over a process, or with a negative id over its whole group, until the returned function is called. */
  watch(pid: number): () => void
}

/** Deaf to what ends the host: it must live a moment longer. */
const SCRIPT = `
trap '' HUP INT TERM
while read -r what pid; do
  case $what in
    +) pids="$pids $pid" ;;
    -) left=; for one in $pids; do [ "$one" = "$pid" ] || left="$left $one"; done; pids=$left ;;
  esac
done
for one in $pids; do kill -9 "$one"; done 2>/dev/null
`

/** The shell is started for the first process, and again when it is gone: without a free descriptor there is none for a while. */
export function createReaper(log: Logger): Reaper {
  const watched = new Set<number>()
  let input: Writable | undefined

  function begin(): void {
    // In a session of its own, so that a signal for the host's group passes it by.
    const shell = spawn('/bin/sh', ['-c', SCRIPT], {
      env: {},
      cwd: '/',
      stdio: onlyThese(['pipe', 'ignore', 'ignore']),
      detached: true,
    })
    const { stdin } = shell
    const gone = () => {
      if (input === stdin) input = undefined
    }
    shell.on('exit', gone).on('error', (error) => {
      gone()
      log.warn('plugin_reaper_missing', {
        error,
        reason:
          'no /bin/sh could be started: should the host be killed while a plugin is in an endless loop, that process goes on',
      })
    })
    if (!stdin) return
    stdin.on('error', gone)
    shell.unref()
    unrefStream(stdin)
    input = stdin
    for (const pid of watched) say('+', pid)
  }

  function say(what: '+' | '-', pid: number): void {
    if (input?.writable) input.write(`${what} ${pid}\n`)
  }

  return {
    watch(pid) {
      if (input?.writable) say('+', pid)
      watched.add(pid)
      if (!input?.writable) begin()
      return () => {
        watched.delete(pid)
        say('-', pid)
      }
    },
    [Symbol.dispose]: () => void input?.end(),
  }
}

/** A pipe to a child keeps the process alive; Node's types do not know that it is a socket. */
function unrefStream(stream: object): void {
  const unref: unknown = Reflect.get(stream, 'unref')
  if (typeof unref === 'function') Reflect.apply(unref, stream, [])
}
