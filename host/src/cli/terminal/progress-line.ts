import type { Writable } from 'node:stream'
import { visible } from '../../observability/visible.ts'

/** Shows how far a call is, a line each; on a terminal the next one takes the place of the one before. */
export function progressLine(output: Writable & { readonly isTTY?: boolean; readonly columns?: number }): {
  readonly show: (progress: number, options?: { readonly total?: number; readonly message?: string }) => void
  /** Ends the line, so that what follows begins its own. */
  end(): void
} {
  let isOpen = false
  return {
    show(progress, { total, message } = {}) {
      const far = total === undefined ? String(progress) : `${progress}/${total}`
      const text = [far, ...(message === undefined ? [] : [visible(message)])].join('  ')
      if (!output.isTTY) return void output.write(`${text}\n`)
      output.write(`\r\u001B[K${text.slice(0, (output.columns ?? 80) - 1)}`)
      isOpen = true
    },
    end() {
      if (isOpen) output.write('\n')
      isOpen = false
    },
  }
}
