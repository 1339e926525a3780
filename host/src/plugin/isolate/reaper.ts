import { spawn } from 'node:child_process'
import type { Logger } from '@mcp-patchbay/plugin-api'

/**
 * Ends the processes of plugins when the host is gone, however it went. A plugin's process ends by itself when its channel closes, but
 * not while it runs an endless loop: nothing of JavaScript runs then. A thread in each process would do, at 10 MB each; this is one
 * shell of 1 MB that waits for its input to end.
 */
export interface Reaper extends Disposable {
  /** Watches over a process until the returned function is called. */
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

export function createReaper(log: Logger): Reaper {
  // In a session of its own, so that a signal for the host's group passes it by.
  const shell = spawn('/bin/sh', ['-c', SCRIPT], { env: {}, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  shell.on('error', (error) =>
    log.warn('plugin_reaper_missing', {
      error,
      reason: 'there is no /bin/sh: should the host be killed while a plugin is in an endless loop, that process goes on',
    }),
  )
  shell.stdin.on('error', () => {})
  shell.unref()
  unrefStream(shell.stdin)
  const say = (text: string) => void (shell.stdin.writable && shell.stdin.write(text))
  return {
    watch(pid) {
      say(`+ ${pid}\n`)
      return () => say(`- ${pid}\n`)
    },
    [Symbol.dispose]: () => void shell.stdin.end(),
  }
}

/** A pipe to a child keeps the process alive; Node's types do not know that it is a socket. */
function unrefStream(stream: object): void {
  const unref: unknown = Reflect.get(stream, 'unref')
  if (typeof unref === 'function') Reflect.apply(unref, stream, [])
}
