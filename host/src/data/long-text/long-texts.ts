import { cutLongTexts, type CutJson } from './cut.ts'
import { areEach, placeTexts } from './place.ts'

/** The long strings of an object that still are the bytes they came in; the object has a mark in the place of each. */
export interface LongTexts {
  /** Bytes of the longest of them. */
  readonly longest: number
  /** By the numbers of their marks, in memory that is used again: to be copied at once. Throws when they were taken before. */
  readonly take: <Taken>(copy: (pieces: readonly Uint8Array[]) => Taken) => Taken
}

interface Held extends LongTexts {
  readonly fill: (value: object) => boolean
}

const held = new WeakMap<object, Held>()

/** The long texts of a value. Undefined for one that is whole. */
export function longTextsOf(value: unknown): LongTexts | undefined {
  return typeof value === 'object' && value !== null ? held.get(value) : undefined
}

/** Puts the long texts of a value in their places, if it has any. False when they are gone with a call that took them. */
export function makeWhole(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  const texts = held.get(value)
  if (!texts) return true
  if (!texts.fill(value)) return false
  held.delete(value)
  return true
}

/** What is to become of a text whose long strings are cut out. */
export interface CutReading {
  /** Why it must not be parsed, by the text without its long strings. */
  readonly problem: (json: string) => string | undefined
  /** Of what was parsed, the object whose long texts stay bytes, where all of them are in it; undefined to make all of it whole. */
  readonly keepIn?: ((value: unknown) => object | undefined) | undefined
  /** The bytes that it was read from are needed no more. Called once for what is given with texts that are kept. */
  readonly giveBack?: (() => void) | undefined
}

export type ReadCut = { readonly problem: string } | { readonly value: unknown; readonly isKept: boolean }

/** `JSON.parse` of valid UTF-8 for a text with long strings. Undefined for one that has none, or none that can be cut out, and for what is not JSON. */
export function readWithoutLongTexts(bytes: Buffer, { problem, keepIn, giveBack }: CutReading): ReadCut | undefined {
  const cut = cutLongTexts(bytes)
  if (!cut) return undefined
  const found = problem(cut.json)
  if (found !== undefined) return { problem: found }
  const value = parsed(cut.json)
  if (!areEach(placeTexts(value), cut.texts.length)) return undefined
  const kept = keepIn?.(value)
  const isKept = kept !== undefined && placeTexts(kept).length === cut.texts.length
  if (isKept) held.set(kept, new HeldTexts(cut, bytes, giveBack))
  else placeTexts(value, textIn(cut, bytes))
  return { value, isKept }
}

class HeldTexts implements Held {
  readonly longest: number
  readonly #cut: CutJson
  readonly #giveBack: (() => void) | undefined
  #bytes: Buffer | undefined

  constructor(cut: CutJson, bytes: Buffer, giveBack: (() => void) | undefined) {
    this.longest = Math.max(...cut.texts.map(({ from, to }) => to - from))
    this.#cut = cut
    this.#bytes = bytes
    this.#giveBack = giveBack
  }

  take<Taken>(copy: (pieces: readonly Uint8Array[]) => Taken): Taken {
    const bytes = this.#bytes
    if (!bytes) throw new Error('The long texts of a call were taken before')
    try {
      return copy(this.#cut.texts.map(({ from, to }) => bytes.subarray(from, to)))
    } finally {
      this.#over()
    }
  }

  fill(value: object): boolean {
    if (!this.#bytes) return false
    placeTexts(value, textIn(this.#cut, this.#bytes))
    this.#over()
    return true
  }

  #over(): void {
    this.#bytes = undefined
    this.#giveBack?.()
  }
}

function textIn({ texts }: CutJson, bytes: Buffer): (index: number) => string {
  return (index) => {
    const { from, to } = texts[index] ?? { from: 0, to: 0 }
    return bytes.toString('utf8', from, to)
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    return undefined
  }
}
