import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { isRunning } from '../../observability/is-running.ts'

/** Kills the process and waits until it is gone, unless its command line, where it can be read, shows that it is another program. */
export async function stopProcess(pid: number, program: string): Promise<void> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => program)
  if (!command.includes(program)) return
  while (await isAlive(pid)) {
    process.kill(pid, 'SIGKILL')
    await delay(10)
  }
}

/** In a container whose first process collects no children, an orphan that has ended keeps its number for good. */
async function isAlive(pid: number): Promise<boolean> {
  if (!isRunning(pid)) return false
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return !/\) [ZX] /.test(state)
}
