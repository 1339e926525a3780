import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

/** Whether a process of this number runs, of whatever user. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Kills the process and waits until it is gone, unless its command line, where that can be read, tells that it is another program. */
export async function stopProcess(pid: number, program: string): Promise<void> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => program)
  if (!command.includes(program)) return
  while (isRunning(pid)) {
    process.kill(pid, 'SIGKILL')
    await delay(10)
  }
}
