import { isObject } from '../../../data/json.ts'
import { parseBounded, TooCostly, type JsonBounds } from '../../../data/json-cost.ts'
import type { SourceLocation } from '../../../modules/location.ts'
import type { WireError } from './error-codec.ts'
import type { ReceivedMessage, SentMessage } from './peer.ts'

/** What became of loading a plugin, in its process. */
export interface LoadOutcome {
  readonly error?: WireError
  /** Where in its files the error is. */
  readonly location?: unknown
  /** See describe(); undefined when the module exports nothing that can be described. */
  readonly description?: string | undefined
  /** SHA-256 of each file that was read, by path. */
  readonly digests: Iterable<readonly [string, string]>
  /** Where each link among its files leads. */
  readonly links?: Iterable<readonly [string, string]>
}

/** The answer to `load`: its body is the description and then the files, so that its header stays small. */
export function writeLoaded({ error, location, description, digests, links = [] }: LoadOutcome): SentMessage {
  const described = Buffer.from(description ?? '')
  return {
    data: { error, location, ...(description === undefined ? {} : { describedBytes: described.length }) },
    body: Buffer.concat([described, Buffer.from(JSON.stringify([[...digests], [...links]]))]),
  }
}

/** What a plugin's process says that became of it: none of it is trusted to have its form or its size. */
export interface ReadOutcome {
  /** As it was sent; undefined when the plugin was loaded. */
  readonly error: unknown
  readonly location: SourceLocation | undefined
  readonly description: string | undefined
  readonly digests: ReadonlyMap<string, string>
  readonly links: ReadonlyMap<string, string>
}

/** Throws {@link TooCostly} for a plugin that describes more of itself, or reads more files, than the host watches or checks. */
export function readLoaded({ data, body }: ReceivedMessage): ReadOutcome {
  const { error, location, describedBytes } = isObject(data) ? data : {}
  const isDescribed = Number.isSafeInteger(describedBytes) && Number(describedBytes) >= 0
  const end = isDescribed ? Math.min(Number(describedBytes), body.length) : 0
  if (end > MAX_DESCRIPTION_BYTES)
    throw new TooCostly(`describes itself in ${end} bytes, and ${MAX_DESCRIPTION_BYTES} are the most`)
  if (body.length - end > MAX_DIGEST_BYTES) throw new TooCostly(`names its files in more than ${MAX_DIGEST_BYTES} bytes`)
  const text = body.toString('utf8', end)
  const files = text === '' ? [] : parseBounded(text, FILE_BOUNDS)
  const [digests, links] = Array.isArray(files) ? (files as readonly unknown[]) : []
  return {
    error,
    location: locationOf(location),
    description: isDescribed ? body.toString('utf8', 0, end) : undefined,
    digests: readPairs(digests),
    links: readPairs(links),
  }
}

const MAX_DESCRIPTION_BYTES = 4 * 1_048_576
const MAX_DIGEST_BYTES = 8 * 1_048_576
/** Each is watched: a list with its path and its digest takes three values. */
const MAX_FILES = 20_000
const FILE_BOUNDS: JsonBounds = { depth: 3, values: MAX_FILES * 3 + 3 }

function readPairs(pairs: unknown): ReadonlyMap<string, string> {
  return new Map(
    (Array.isArray(pairs) ? pairs : []).filter(
      (pair): pair is [string, string] =>
        Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string'),
    ),
  )
}

/** Shown to people: of a frame of code a screen is enough. */
const MAX_SHOWN = 4_096

function locationOf(value: unknown): SourceLocation | undefined {
  const { file, line, column, frame } = isObject(value) ? value : {}
  if (typeof file !== 'string' || typeof line !== 'number' || typeof column !== 'number' || typeof frame !== 'string')
    return undefined
  return { file: file.slice(0, MAX_SHOWN), line, column, frame: frame.slice(0, MAX_SHOWN) }
}
