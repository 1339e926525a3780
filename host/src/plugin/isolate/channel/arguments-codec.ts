import { placeTexts } from '../../../data/long-text/place.ts'
import { isObject } from '../../../data/json.ts'
import { FrameError } from './frame.ts'

/** Arguments of a call with long texts that were never parsed: the JSON has a mark in the place of each. They are copied when they are written. */
export interface CutArguments {
  readonly json: string
  readonly texts: readonly Uint8Array[]
}

/**
 * Arguments as JSON that is parsed to the same: what is too large for a number stays so, where `JSON.stringify` makes it null, and so does
 * -0, of which it makes 0.
 */
export function argumentsJson(value: unknown): string {
  const json = JSON.stringify(value) ?? ''
  return json.includes('null') || (ZERO.test(json) && hasMinusZero(value)) ? JSON.stringify(exact(value)) : json
}

/** Matches JSON that may have a zero in an object or a list. Only then is the value searched for -0. */
const ZERO = /[:,[]0/

function hasMinusZero(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return Object.is(value, -0)
  return Object.values(value).some(hasMinusZero)
}

/** The value, or a copy of it that `JSON.stringify` writes without making another number, or null, of any in it. */
export function exact(value: unknown): unknown {
  if (value === Infinity) return rawJson('1e999')
  if (value === -Infinity) return rawJson('-1e999')
  if (Object.is(value, -0)) return rawJson('-0')
  if (Array.isArray(value)) return value.map(exact)
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, exact(member)])) : value
}

export function isCutArguments(body: string | Uint8Array | CutArguments): body is CutArguments {
  return typeof body === 'object' && 'json' in body
}

/** How many bytes {@link writeCut} writes. */
export function cutBytes({ json, texts }: CutArguments): number {
  return texts.reduce((sum, text) => sum + LENGTH_BYTES + text.byteLength, LENGTH_BYTES + Buffer.byteLength(json))
}

/** Writes the JSON and then the texts, a length of four bytes before each. */
export function writeCut({ json, texts }: CutArguments, into: Buffer, start: number): void {
  let at = start + LENGTH_BYTES
  const bytes = into.write(json, at)
  into.writeUInt32LE(bytes, start)
  at += bytes
  for (const text of texts) {
    into.writeUInt32LE(text.byteLength, at)
    into.set(text, at + LENGTH_BYTES)
    at += LENGTH_BYTES + text.byteLength
  }
}

/** The arguments, whole. Throws a {@link FrameError} for what {@link writeCut} did not write. */
export function readCut(body: Buffer, parse: (json: string) => unknown): unknown {
  const texts: string[] = []
  let json: string | undefined
  for (let at = 0; at < body.length;) {
    const from = at + LENGTH_BYTES
    at = from <= body.length ? from + body.readUInt32LE(at) : Infinity
    if (at > body.length) throw new FrameError('sent arguments that are cut short')
    const text = body.toString('utf8', from, at)
    if (json === undefined) json = text
    else texts.push(text)
  }
  const value = parse(json ?? '')
  placeTexts(value, (index) => texts[index] ?? '')
  return value
}

const LENGTH_BYTES = 4

const { rawJSON: rawJson } = JSON as typeof JSON & { readonly rawJSON: (text: string) => unknown }
