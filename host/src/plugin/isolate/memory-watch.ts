import { readFileSync } from 'node:fs'
import type { PluginProcess } from './spawn.ts'

/** Ends processes that hold more memory than they may, buffers included, which no flag of Node limits. Works where there is /proc. */
export interface MemoryWatch extends Disposable {
  watch(process: WatchedProcess, maxMb: number): void
}

export type WatchedProcess = Pick<PluginProcess, 'pid' | 'kill' | 'exited'>

const EVERY_MS = 250

export function createMemoryWatch(): MemoryWatch {
  const watched = new Map<WatchedProcess, number>()
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    for (const [process, maxMb] of watched) {
      const usedMb = memoryOf(process.pid)
      if (usedMb !== undefined && usedMb > maxMb)
        process.kill(`it held ${Math.round(usedMb)} MB of memory, more than the ${maxMb} MB that limits.pluginMemoryMb allows`)
    }
  }

  function stop(): void {
    clearInterval(timer)
    timer = undefined
  }

  return {
    watch(process, maxMb) {
      watched.set(process, maxMb)
      timer ??= setInterval(look, EVERY_MS).unref()
      void process.exited.then(() => {
        watched.delete(process)
        if (watched.size === 0) stop()
      })
    },
    [Symbol.dispose]: stop,
  }
}

/** What the process holds, in MB; undefined where that cannot be known. */
export function memoryOf(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024
  } catch {
    return undefined
  }
}
