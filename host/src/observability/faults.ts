import { hostError } from '../errors.ts'

/**
 * A named place where a test can make the host fail: `await fault('lock.rename')`. Does nothing unless the environment variable
 * `PATCHBAY_FAULTS` named the place when the process started: `lock.rename:kill` ends the process there by SIGKILL, `lock.rename:throw`
 * fails there, once, as a full disk does, and `lock.rename:full` each time. Several are separated by commas.
 */
export const fault = planFaults(process.env['PATCHBAY_FAULTS'])

function planFaults(plan: string | undefined): (point: string) => Promise<void> | undefined {
  if (!plan) return () => undefined
  const steps = new Map(plan.split(',').map((step) => parseStep(step.trim())))
  return async (point) => {
    const step = steps.get(point)
    if (step?.isOnce) steps.delete(point)
    await step?.act(point)
  }
}

interface Step {
  readonly act: (point: string) => Promise<never>
  readonly isOnce: boolean
}

function parseStep(step: string): [string, Step] {
  const [, point, action] = /^([a-z.-]+):(kill|throw|full)$/.exec(step) ?? []
  if (point === undefined) throw hostError('FAULTS_INVALID', { step })
  return [point, { act: action === 'kill' ? kill : runOutOfSpace, isOnce: action === 'throw' }]
}

async function kill(): Promise<never> {
  process.kill(process.pid, 'SIGKILL')
  // The signal may arrive a moment later; nothing after the fault point may run until then.
  return new Promise<never>(() => {})
}

async function runOutOfSpace(point: string): Promise<never> {
  throw Object.assign(new Error(`ENOSPC: no space left on device, at fault point ${point}`), { code: 'ENOSPC' })
}
