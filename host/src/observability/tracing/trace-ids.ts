import { randomFillSync } from 'node:crypto'

/** Random ids of traces and spans as OpenTelemetry takes them. A request that is not recorded costs little more than them. */
export interface TraceIds {
  /** 32 hexadecimal digits. */
  readonly traceId: () => string
  /** 16 of them. */
  readonly spanId: () => string
}

export function createTraceIds(fill: (bytes: Buffer) => void = randomFillSync): TraceIds {
  const bytes = Buffer.allocUnsafe(POOL_BYTES)
  // Digits of many ids are made at once: each conversion costs as much as ten slices.
  let digits = ''
  let at = 0
  const next = (count: number): string => {
    if (at + count > digits.length) {
      fill(bytes)
      digits = bytes.toString('hex')
      at = 0
    }
    const id = digits.slice(at, (at += count))
    // W3C Trace Context: no id is all zeros.
    return /[^0]/.test(id) ? id : next(count)
  }
  return { traceId: () => next(TRACE_DIGITS), spanId: () => next(SPAN_DIGITS) }
}

const TRACE_DIGITS = 32
const SPAN_DIGITS = 16
const POOL_BYTES = 2_400
