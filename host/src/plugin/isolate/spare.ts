import type { Launch } from './types.ts'
import type { PluginProcess } from './spawn.ts'

/** Starts processes, and keeps one ready beside them. */
export interface Spare extends Disposable {
  readonly launch: Launch
}

/** So long after a start its plugin and its callers have the machine to themselves. */
const REST_MS = 300

/**
 * A process that is ready before it is needed, for the plugin that was started last: in development that is the one being edited, which
 * every save starts again. It has no plugin in it yet, so that it is the same as a new one but for the wait.
 */
export function createSpare(start: Launch): Spare {
  let spare: { readonly key: string; readonly process: PluginProcess } | undefined
  let timer: NodeJS.Timeout | undefined

  function drop(): void {
    spare?.process.kill('it is not needed')
    spare = undefined
  }

  const prepare = (key: string, ...how: Parameters<Launch>): void => {
    if (spare?.key === key) return
    drop()
    try {
      const process = start(...how)
      spare = { key, process }
      void process.exited.then(() => {
        if (spare?.process === process) spare = undefined
      })
    } catch {
      // its folder is gone: who needs it next hears of that
    }
  }

  return {
    launch(spec, log) {
      const key = JSON.stringify(spec)
      const ready = spare?.key === key ? spare.process : undefined
      if (ready) spare = undefined
      clearTimeout(timer)
      timer = setTimeout(() => prepare(key, spec, log), REST_MS).unref()
      return ready ?? start(spec, log)
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
      drop()
    },
  }
}
