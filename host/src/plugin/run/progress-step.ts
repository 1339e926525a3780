import { textOf, valueOf } from '../../observability/thrown.ts'

/** One step of progress as the protocol can carry it. */
export interface ProgressStep {
  readonly progress: number
  readonly total?: number
  readonly message?: string
}

/**
 * What a plugin said of its progress: undefined when that is not a number, and without what is not a number or a text. Never throws: a
 * step is never worth a failed call.
 */
export function progressStep(progress: unknown, options: unknown): ProgressStep | undefined {
  if (!isFinite(progress)) return undefined
  const given: object = Object(options)
  const total = valueOf(given, 'total')
  const message = textOf(given, 'message')
  return { progress, ...(isFinite(total) && { total }), ...(message !== undefined && { message }) }
}

function isFinite(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
