import type { JsonBounds } from '../../../data/json-cost.ts'

/**
 * What goes over the pipe between host and plugin: two lengths of four bytes, a header, and a body that need not be parsed to be passed
 * on. A frame says how long it is before anything of it is kept, which `process.send` does not: one message of 200 MB cost the host half
 * a gigabyte there.
 *
 * The header is JSON, but for the two messages of an ordinary call of a tool, whose header is a few numbers: JSON begins with no byte
 * that is as small as their first.
 */
export const PREFIX_BYTES = 8

/**
 * One byte, one that says whether long texts follow the arguments, two of nothing, and the numbers of the message, the tool and the
 * caller's facts, of four bytes each.
 */
export const CALL_HEADER = Object.freeze({ first: 1, isCut: 256, bytes: 16 })
/** One byte, one that says what is in the body, two of nothing, and the number of the call. */
export const RESULT_HEADER = Object.freeze({ first: 2, bytes: 8 })

/** What one frame may be at most. Each of it is checked before anything is kept, copied or parsed. */
export interface FrameBounds {
  readonly frameBytes: number
  /** Headers are parsed, bodies are not: they have a bound of their own. */
  readonly headerBytes: number
  readonly header: JsonBounds
}

/** What the host takes from a plugin's process: a header tells of a call, a body may be what a service gets. */
export const PLUGIN_BOUNDS: FrameBounds = Object.freeze({
  frameBytes: 16 * 1_048_576,
  headerBytes: 262_144,
  header: Object.freeze({ depth: 64, values: 20_000 }),
})

/** What a plugin's process takes from the host, which it trusts: the arguments of a call are in the header. */
export const HOST_BOUNDS: FrameBounds = Object.freeze({
  frameBytes: 64 * 1_048_576,
  headerBytes: 64 * 1_048_576,
  header: Object.freeze({ depth: Infinity, values: Infinity }),
})

/** What the other end wrote that is not a frame, or more than is accepted. The message continues "it …". */
export class FrameError extends Error {}
